"""What is vacant in a prefix beside the parts that are taken, and where the next part goes (I7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adslib.domain.prefix import WIDTHS, Prefix


def vacant(whole: Prefix, taken: Iterable[Prefix]) -> Iterator[Prefix]:
    """What is left of a prefix, as few prefixes as there can be, in order.

    Args:
        taken: whatever lies in it; they may hold one another.
    """
    width = WIDTHS[whole.version]
    for first, end in _gaps(whole, taken):
        while first < end:
            # The largest that begins here: it is aligned to its size, and ends in the gap.
            bits = min((first & -first).bit_length() - 1 if first else width, (end - first).bit_length() - 1)
            yield Prefix(whole.version, first, width - bits)
            first += 1 << bits


def next_vacant(whole: Prefix, taken: Iterable[Prefix], length: int) -> Prefix | None:
    """The first vacant part of a length; None: there is none."""
    found = next((part for part in vacant(whole, taken) if part.length <= length), None)
    return Prefix(found.version, found.number, length) if found else None


def _gaps(whole: Prefix, taken: Iterable[Prefix]) -> Iterator[tuple[int, int]]:
    """Where nothing is taken: the first number, and the one after the last."""
    at = whole.number
    for part in sorted(taken):
        if at < part.number:
            yield at, part.number
        at = max(at, part.number + part.size)
    if at < whole.number + whole.size:
        yield at, whole.number + whole.size
