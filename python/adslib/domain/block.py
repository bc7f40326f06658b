"""Blocks of 64 places each: which are free is a number of 64 bits, so thousands are decided in one row (I2, I7).

A block begins at a multiple of 64, whatever network it belongs to: where a network is split or joined, blocks move
with their places as they are. A set bit is a place that cannot be taken, because somebody has it or nobody may.
"""

from __future__ import annotations

from collections.abc import Iterable

PLACES = 64
FULL = (1 << PLACES) - 1
_SIGN = 1 << (PLACES - 1)


def start_of(number: int) -> int:
    """Where the block of a place begins."""
    return number - number % PLACES


def bit_of(number: int) -> int:
    """The bit of a place in its block."""
    return 1 << (number % PLACES)


def fresh(start: int, usable: range, closed: Iterable[range]) -> int:
    """The bits of a block that nobody has taken of yet.

    Args:
        start: of the block. usable: the places of its network. closed: places there that are held back.
    """
    bits = FULL & ~_run(start, usable)
    for places in closed:
        bits |= _run(start, places)
    return bits


def _run(start: int, places: range) -> int:
    """The bits of those places that lie in the block."""
    low, end = max(places.start - start, 0), min(places.stop - start, PLACES)
    return ((1 << (end - low)) - 1) << low if low < end else 0


def take(start: int, bits: int, count: int) -> tuple[int, list[int]]:
    """Take the lowest free places of a block.

    Args:
        count: how many at most.

    Returns:
        The bits afterwards, and the places taken; fewer where fewer are free.
    """
    taken: list[int] = []
    open_bits = ~bits & FULL
    while open_bits and len(taken) < count:
        lowest = open_bits & -open_bits
        taken.append(start + lowest.bit_length() - 1)
        open_bits ^= lowest
    return FULL & ~open_bits, taken


def free_in(bits: int) -> int:
    """How many places are free."""
    return PLACES - bits.bit_count()


def signed(bits: int) -> int:
    """The bits as a database keeps them, in a signed number of 64 bits."""
    return bits - (1 << PLACES) if bits & _SIGN else bits


def unsigned(kept: int) -> int:
    """The bits of such a number."""
    return kept & FULL
