"""Blocks of 64 places, against a set of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.block import FULL, PLACES, bit_of, free_in, fresh, signed, start_of, take, unsigned

BITS = st.integers(0, FULL)


def free_places(start: int, bits: int) -> list[int]:
    return [start + place for place in range(PLACES) if not bits >> place & 1]


@pytest.mark.req("I2")
@given(BITS, st.integers(0, 1 << 100).map(start_of), st.integers(0, 70))
def test_the_lowest_free_places_are_taken(bits: int, start: int, count: int) -> None:
    after, taken = take(start, bits, count)
    assert taken == free_places(start, bits)[:count]
    assert free_places(start, after) == free_places(start, bits)[count:]
    assert free_in(after) == len(free_places(start, after))


@pytest.mark.req("I5")
@given(BITS, st.integers(0, 1 << 100))
def test_what_was_taken_can_be_given_back(bits: int, number: int) -> None:
    bits &= ~bit_of(number)
    taken = bits | bit_of(number)
    assert number not in free_places(start_of(number), taken)
    assert taken & ~bit_of(number) == bits


@pytest.mark.req("I7")
@given(
    st.integers(0, 10_000),
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 10_300), st.integers(0, 90)).map(lambda r: range(r[0], r[0] + r[1])), max_size=4),
    st.integers(0, 10_300).map(start_of),
)
def test_a_fresh_block_is_open_where_hosts_may_be(first: int, size: int, closed: list[range], start: int) -> None:
    usable = range(first, first + size)
    expected = [n for n in range(start, start + PLACES) if n in usable and not any(n in held for held in closed)]
    assert free_places(start, fresh(start, usable, closed)) == expected


@given(BITS)
def test_a_database_keeps_them_in_a_signed_number(bits: int) -> None:
    assert -(1 << 63) <= signed(bits) < 1 << 63
    assert unsigned(signed(bits)) == bits
