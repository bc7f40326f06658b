"""What is vacant in a prefix beside taken parts, against sets of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.prefix import Prefix, read_prefix

WHOLE = read_prefix("10.0.0.0/24")


@st.composite
def parts(draw: st.DrawFn) -> Prefix:
    """Any part of the whole."""
    length = draw(st.integers(24, 32))
    return Prefix(4, WHOLE.number + (draw(st.integers(0, (1 << length - 24) - 1)) << 32 - length), length)


def numbers(prefixes: list[Prefix]) -> set[int]:
    """All their addresses."""
    return {number for prefix in prefixes for number in prefix.places}


@pytest.mark.req("I7")
@given(st.lists(parts(), max_size=12))
def test_what_is_vacant_is_all_that_is_not_taken_in_as_few_as_there_can_be(taken: list[Prefix]) -> None:
    left = list(WHOLE.vacant(taken))
    assert numbers(left) == set(WHOLE.places) - numbers(taken)
    assert sum(prefix.size for prefix in left) == len(numbers(left))
    assert left == sorted(left)
    halves = {(prefix.number ^ prefix.size, prefix.length) for prefix in left}
    assert not halves & {(prefix.number, prefix.length) for prefix in left}, "two would be one"


@pytest.mark.req("I7")
@given(st.lists(parts(), max_size=12), st.integers(24, 32))
def test_the_next_is_the_first_that_shares_nothing(taken: list[Prefix], length: int) -> None:
    candidates = [WHOLE] if length == WHOLE.length else WHOLE.split(length)
    expected = next((each for each in candidates if not any(each.overlaps(part) for part in taken)), None)
    assert WHOLE.next_vacant(taken, length) == expected


@pytest.mark.req("I7", "I9")
def test_the_largest_of_all() -> None:
    everything = Prefix(6, 0, 0)
    assert list(everything.vacant([])) == [everything]
    assert str(everything.next_vacant([read_prefix("::/64")], 64)) == "0:0:0:1::/64"
    assert everything.next_vacant([everything], 128) is None
