"""Ten thousand machines, on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.store.records import NOON, machines, standing, with_shop
from adslib.adapters.store import Store

MANY = 10_000


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Fail if something takes too long; print how long it took (pytest -s, or on failure)."""
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    print(f"{what}: {took:.3f} s")
    assert took < seconds, f"{what} took {took:.2f} s, allowed are {seconds} s"


@pytest.mark.scale
@pytest.mark.req("A10")
def test_ten_thousand_machines(store: Store) -> None:
    with_shop(store)
    many = machines(MANY)
    ids = [machine.id for machine in many]
    stand = [standing(f"media-{number}", id_, deployed_at=NOON) for number, id_ in enumerate(ids)]
    with store.transaction() as tx, within(2.0, "add_many"):
        tx.machines.add_many(many)
    with store.reading() as tx, within(0.5, "list"):
        listed = tx.machines.list()
    assert listed == many
    with store.transaction() as tx, within(2.0, "update_many"):
        tx.machines.update_many(listed)
    with store.transaction() as tx, within(2.0, "claim"):
        tx.machines.claim(ids, "shop")
    with store.transaction() as tx, within(2.0, "put_many"):
        tx.standings.put_many(stand)
    with store.reading() as tx, within(0.5, "of"):
        assert len(tx.standings.of("shop")) == MANY
    with store.transaction() as tx, within(2.0, "remove_many"):
        assert tx.standings.remove_many("shop", [known.instance for known in stand]) == MANY
    with store.transaction() as tx, within(2.0, "release"):
        assert tx.machines.release(ids, "shop") == MANY
    with store.transaction() as tx, within(2.0, "delete_many"):
        assert tx.machines.delete_many(ids) == MANY
