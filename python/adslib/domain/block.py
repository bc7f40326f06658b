"""Blocks of 64 places each: which are free is a number of 64 bits, so thousands are decided in one row (I2, I7).

A block begins at a multiple of 64, whatever network it belongs to: where a network is split or joined, blocks move
with their places as they are. A set bit is a place that cannot be taken, because somebody has it or nobody may.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of places that are given out from its beginning: a network's addresses, the numbers of a kind of name.

    Args:
        id: of the network, or the zone and the stem of the names. usable: its places. closed: places there that nobody
            may have. spread: how many blocks with free places are begun at most, so that as many clients can take at
            once; 1: places are given strictly in order.
    """

    id: str
    usable: range
    closed: tuple[range, ...] = ()
    spread: int = 1

    @property
    def begin(self) -> int:
        """Where its first block begins."""
        return start_of(self.usable.start)

    @property
    def size(self) -> int:
        """How many places it gives out."""
        return self.usable.stop - self.usable.start - sum(run.stop - run.start for run in self.kept)

    @property
    def kept(self) -> list[range]:
        """Those of its places that nobody may have: runs in order, apart from each other."""
        runs: list[range] = []
        reached = self.usable.start
        for places in sorted(self.closed, key=lambda each: each.start):
            begin, end = max(places.start, reached), min(places.stop, self.usable.stop)
            if begin < end:
                runs.append(range(begin, end))
                reached = end
        return runs

    def gives(self, place: int) -> bool:
        """Whether it gives out a place at all."""
        return place in self.usable and not any(place in places for places in self.closed)

    def bits(self, start: int) -> int:
        """A block of it that nobody has taken of yet."""
        return fresh(start, self.usable, self.closed)


def spread_over(usable: range) -> int:
    """How many blocks of a network are begun side by side: small ones are filled in order, large ones serve many.

    An eighth of its blocks, from 1 (up to 8 blocks, as a /23 has) to 32.
    """
    return min(max((usable.stop - usable.start) // PLACES // 8, 1), 32)
