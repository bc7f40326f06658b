"""Reshaping networks within one transaction: addresses and blocks follow, whoever has them keeps them (I7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product

from adslib.adapters.store import Transaction
from adslib.domain.assignment import Assignment
from adslib.domain.block import PLACES, start_of
from adslib.domain.errors import Conflict, Invalid
from adslib.domain.network import Network, problems_of
from adslib.usecases.giving_back import wake
from adslib.usecases.steps import whose
from adslib.usecases.strips import strip_of

SHOWN = 10
"""Who is in the way is named up to this many."""


def reshape(tx: Transaction, old: Sequence[Network], new: Sequence[Network], at: datetime) -> None:
    """Put networks in the place of others; those that stay have the same id.

    Args:
        old: as they are, locked. new: as they are to be. at: now.

    Raises:
        Invalid: a new one is wrong by itself. Conflict: somebody has an address that would belong to none.
    """
    if problems := [problem for each in new for problem in problems_of(each)]:
        raise Invalid(problems=problems)
    _refuse_outside(tx, old, new)
    known = {each.id: each for each in old}
    for network in new:
        tx.networks.update(network) if network.id in known else tx.networks.add(network)
    _move(tx, old, new)
    for before in old:
        if before.id not in {each.id for each in new}:
            tx.addresses.move_names(before.id, new[0].id)
            tx.blocks.end(before.id)
            tx.networks.delete(before)
    for network in new:
        tx.addresses.rest_only(network.id, network.space, network.prefix)
        # The cool-down may have become shorter, and what rests is looked after only while there is one.
        wake(tx, network, at, None)


def _refuse_outside(tx: Transaction, old: Sequence[Network], new: Sequence[Network]) -> None:
    for before in old:
        space, prefix = before.space, before.prefix
        for places in _outside(prefix.places, [each.prefix.usable for each in new]):
            if found := tx.addresses.within(space, prefix.version, places, SHOWN + 1):
                raise in_use(before, found)


def _outside(places: range, kept: Iterable[range]) -> list[range]:
    """What is left of some places beside others."""
    left = [places]
    for each in kept:
        left = [
            piece
            for one in left
            for piece in (range(one.start, min(one.stop, each.start)), range(max(one.start, each.stop), one.stop))
            if piece
        ]
    return left


def in_use(network: Network, found: Sequence[Assignment]) -> Conflict:
    """Say who has addresses that would be lost."""
    listed = ", ".join(f"{each} ({whose(each)})" for each in found[:SHOWN])
    more = " and others" if len(found) > SHOWN else ""
    return Conflict(
        f"network '{network.name}' would lose addresses that somebody has: {listed}{more}",
        remedy="release them first: ads address release ALLOCATION …",
        code="in-use",
    )


def _move(tx: Transaction, old: Sequence[Network], new: Sequence[Network]) -> None:
    """Let addresses and blocks go where they belong now; blocks at a border are written anew."""
    borders = {start_of(number) for each in (*old, *new) for number in (each.prefix.number, each.prefix.last.number)}
    made: set[int] = set()
    for before in old:
        mine = {start for start in borders if tx.blocks.made(before.id, range(start, start + PLACES))}
        tx.blocks.drop(before.id, mine)
        made |= mine
    for before, after in product(old, new):
        shared = _shared(before, after)
        if shared and before.id != after.id:
            tx.addresses.move(before.id, after.id, before.space, before.prefix.version, shared)
            tx.blocks.move(
                before.id, strip_of(after), range(start_of(shared.start + PLACES - 1), start_of(shared.stop))
            )
        if shared:
            made |= {start for each in _closed_anew(before, after) for start in tx.blocks.made(after.id, each)}
    for after in new:
        strip = strip_of(after)
        tx.blocks.begin(strip)
        tx.blocks.cut(strip.id, range(start_of(strip.usable.start), strip.usable.stop))
        for start in sorted(made):
            if places := _overlap(range(start, start + PLACES), after.prefix.places):
                numbers = tx.addresses.numbers(after.space, after.prefix.version, places)
                tx.blocks.rebuild(strip, start, *numbers)


def _shared(before: Network, after: Network) -> range:
    return _overlap(before.prefix.places, after.prefix.places)


def _overlap(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _closed_anew(before: Network, after: Network) -> set[range]:
    """Where places are closed in only one of them."""
    shared = _shared(before, after)
    sides = ({_overlap(shared, each) for each in network.closed} for network in (before, after))
    return {each for each in set.symmetric_difference(*sides) if each}
