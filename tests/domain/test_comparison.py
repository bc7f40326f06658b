"""What differs between two trees (A2)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.comparison import Change, Kind, compare, unified

scalars = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from([1.0, 0.0]), st.sampled_from("abc"))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=15,
)


def at(tree: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path."""
    for step in path:
        tree = tree[step]
    return tree


@pytest.mark.req("A2")
def test_equal_trees_do_not_differ_whatever_the_order_of_keys() -> None:
    assert compare({"a": 1, "b": [1]}, {"b": [1], "a": 1}) == ()
    assert unified(()) == ""


@pytest.mark.req("A2")
def test_each_kind_of_change_with_its_path() -> None:
    before = {"services": {"media": {"instances": 1, "old": True}}}
    after = {"services": {"media": {"instances": 2}, "x": None}}
    assert compare(before, after) == (
        Change(Kind.REMOVED, ("services", "media", "old"), before=True),
        Change(Kind.CHANGED, ("services", "media", "instances"), 1, 2),
        Change(Kind.ADDED, ("services", "x"), after=None),
    )


@pytest.mark.req("A2")
def test_an_item_put_in_front_is_one_change() -> None:
    assert compare(["b", "c"], ["a", "b", "c"]) == (Change(Kind.ADDED, (0,), after="a"),)
    assert compare(["a", "b", "c"], ["a", "c"]) == (Change(Kind.REMOVED, (1,), before="b"),)
    assert compare([{"a": 1, "b": 2}], [{"a": 1, "b": 3}]) == (Change(Kind.CHANGED, (0, "b"), 2, 3),)


@pytest.mark.req("A2")
@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), (0, False), ("1", 1), (None, ""), ([], {})])
def test_values_of_other_types_differ(before: Any, after: Any) -> None:
    assert compare({"a": before}, {"a": after}) == (Change(Kind.CHANGED, ("a",), before, after),)


@pytest.mark.req("A2")
def test_the_text_for_people() -> None:
    before, after = (
        {"services": {"media": {"instances": 1, "roles": ["a", "b"]}}},
        {"services": {"media": {"instances": 2}}},
    )
    assert unified(compare(before, after)) == (
        'services.media.roles\n- ["a", "b"]\nservices.media.instances\n- 1\n+ 2\n'
    )


@pytest.mark.req("A2")
@given(trees, trees)
def test_changes_tell_what_stands_in_the_trees(before: Any, after: Any) -> None:
    changes = compare(before, after)
    assert bool(changes) == (repr_sorted(before) != repr_sorted(after))
    for change in changes:
        if change.kind is not Kind.REMOVED:
            assert at(after, change.path) == change.after
    assert compare(before, deepcopy(before)) == ()


def repr_sorted(tree: Any) -> str:
    """Text that tells types apart and knows no order of keys."""
    if isinstance(tree, dict):
        return "{" + ",".join(f"{key}:{repr_sorted(tree[key])}" for key in sorted(tree)) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(repr_sorted, tree)) + "]"
    return repr(tree)


@pytest.mark.req("A2")
def test_long_lists_are_compared_in_bounded_time() -> None:
    before = [{"n": n} for n in range(20_000)]
    after = [{"n": n + 1} for n in range(20_000)]
    assert len(compare(before, after)) == 20_000
