"""Saved plans in the store, on both databases."""

from __future__ import annotations

import pytest

from adapters.store.records import NOON
from adslib.adapters.store import SavedPlan, Store
from adslib.domain.errors import Conflict, NotFound


@pytest.mark.req("A5")
def test_a_plan_is_kept_once_and_forgotten(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.plans.add("p", "shop", {"b": 1, "a": [1.0]}, NOON)
        tx.plans.add("p", "shop", {"b": 1, "a": [1.0]}, NOON)
        assert tx.plans.get("p") == SavedPlan("p", "shop", {"b": 1, "a": [1.0]}, NOON)
        with pytest.raises(Conflict, match="plan 'p' belongs to environment 'shop', not to 'bank'"):
            tx.plans.add("p", "bank", {}, NOON)
        with pytest.raises(NotFound, match="no environment 'nowhere'"):
            tx.plans.add("q", "nowhere", {}, NOON)
        tx.plans.delete("p")
        with pytest.raises(NotFound, match="no saved plan 'p'"):
            tx.plans.get("p")
        with pytest.raises(NotFound, match="no saved plan 'p'"):
            tx.plans.delete("p")
