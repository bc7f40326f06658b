"""Revisions in the store, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store.records import NOON, revision
from adslib.adapters.store import Store
from adslib.domain.environment import Origin
from adslib.domain.errors import Conflict, Invalid, NotFound

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.req("A2")
def test_revisions_come_back_as_they_were_and_in_order(shop: Store) -> None:
    first = revision("shop", 1)
    second = revision(
        *("shop", 2),
        tree={"z": 1, "a": {"y": 1.0, "b": [1, 1.0, "1", True, None]}, "expression": "{{ x }}"},
        rendered={"z": 1},
        parameters={"count": 3},
        origin=Origin("telephony.yml", "git@example.org:p.git", "abc", clean=False),
        template="small",
        comment="more media",
    )
    with shop.transaction() as tx:
        tx.revisions.add(second)
        tx.revisions.add(first)
    with shop.reading() as tx:
        assert tx.revisions.get("shop", 1) == first
        latest = tx.revisions.latest("shop")
        assert latest == second
        # Equality of dictionaries does not look at their order, nor at 1 and 1.0.
        assert json.dumps(latest.tree) == json.dumps(second.tree)


@pytest.mark.req("A2")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_any_document_comes_back_byte_for_byte(shop: Store, tree: Any) -> None:
    with shop.transaction() as tx:
        number = len(tx.revisions.list("shop")) + 1
        tx.revisions.add(revision("shop", number, tree={"tree": tree}))
    with shop.reading() as tx:
        assert json.dumps(tx.revisions.get("shop", number).tree) == json.dumps({"tree": tree})


def test_a_list_is_light(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.revisions.add(revision("shop", 1, comment="first", parameters={"a": 1}))
        (light,) = tx.revisions.list("shop")
    assert (light.number, light.comment, light.parameters, light.created) == (1, "first", {"a": 1}, NOON)
    assert light.tree is None
    assert light.rendered is None


def test_a_number_is_given_once(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.revisions.add(revision("shop", 1))
        with pytest.raises(Conflict, match="'shop' already has a revision 1"):
            tx.revisions.add(revision("shop", 1))
        tx.revisions.add(revision("bank", 1))
        with pytest.raises(NotFound, match="no environment 'nowhere'"):
            tx.revisions.add(revision("nowhere", 1))


def test_what_is_missing_is_named(shop: Store) -> None:
    with shop.reading() as tx:
        with pytest.raises(NotFound, match="'shop' has no revision 3"):
            tx.revisions.get("shop", 3)
        with pytest.raises(NotFound, match="'shop' has no revision"):
            tx.revisions.latest("shop")
        assert tx.revisions.list("shop") == []


@pytest.mark.parametrize("value", [float("nan"), object(), b"bytes"], ids=["nan", "object", "bytes"])
def test_what_is_no_plain_data_is_refused(shop: Store, value: object) -> None:
    with pytest.raises(Invalid, match="cannot be stored"), shop.transaction() as tx:
        tx.revisions.add(revision("shop", 1, tree={"a": value}))
    with shop.reading() as tx:
        assert tx.revisions.list("shop") == []
