"""How full networks are, and what is free next, within one transaction (I6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from adslib.adapters.store import Transaction
from adslib.domain.network import Network, Role
from adslib.domain.prefix import Address
from adslib.usecases.strips import strip_of

SUMMED = ("size", "taken", "resting", "free")


def fills(tx: Transaction, networks: Sequence[Network], at: datetime) -> dict[str, dict[str, Any]]:
    """How full networks are, by id; containers, as those within them are together.

    `size` addresses are given out; `taken` are somebody's, also of those that were held back later; `resting` wait for
    their cool-down; `free` can be had now; `used` is the part of `size` that is not free, in percent.

    Args:
        at: now.
    """
    within = {each.id: _within(tx, each) for each in networks if each.role is Role.CONTAINER}
    giving = {each.id: each for each in chain(networks, *within.values()) if each.role is not Role.CONTAINER}
    taken = tx.blocks.taken(giving)
    filled = {id: _fill(tx, network, taken.get(id, 0), at) for id, network in giving.items()}
    return filled | {id: together([filled[each.id] for each in inner]) for id, inner in within.items()}


def _within(tx: Transaction, container: Network) -> list[Network]:
    """The networks within a container that give addresses."""
    beside = tx.networks.beside(container.space, container.prefix)
    return [each for each in beside if each.role is not Role.CONTAINER and container.prefix.covers(each.prefix)]


def together(filled: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How full several networks are as one."""
    sums = {what: sum(each[what] for each in filled) for what in SUMMED}
    return {**sums, "used": _percent(sums["size"] - sums["free"], sums["size"])}


def _fill(tx: Transaction, network: Network, taken: int, at: datetime) -> dict[str, Any]:
    strip = strip_of(network)
    # Nobody has a gateway's address, so there is something to count only where ranges are held back.
    within = strip.kept if network.held else ()
    apart = sum(tx.addresses.taken_in(network.space, network.prefix.version, run) for run in within)
    resting = 0
    if network.cooldown:
        since = at - timedelta(seconds=network.cooldown)
        resting = tx.addresses.resting_in(network.id, since, strip.usable) - sum(
            tx.addresses.resting_in(network.id, since, run) for run in strip.kept
        )
    free = strip.size - (taken - apart) - resting
    used = _percent(strip.size - free, strip.size)
    return {"size": strip.size, "taken": taken, "resting": resting, "free": free, "used": used}


def _percent(part: int, whole: int) -> float:
    """A part in percent."""
    return round(100 * part / whole, 1) if whole else 0.0


def next_free(tx: Transaction, network: Network, count: int, at: datetime) -> list[Address]:
    """The lowest free addresses of a network, or of those within a container; nobody takes them by this.

    Args:
        count: this many at most. at: now.
    """
    if network.role is Role.CONTAINER:
        inner = sorted(_within(tx, network), key=lambda each: each.prefix)
        return list(islice((free for each in inner for free in next_free(tx, each, count, at)), count))
    strip = strip_of(network)
    numbers = set(tx.blocks.free(strip, count))
    if network.cooldown:
        rested = tx.addresses.resting(network.id, at - timedelta(seconds=network.cooldown), None)
        numbers |= {number for _, number in rested if strip.gives(number)}
    return [Address(network.prefix.version, number) for number in sorted(numbers)[:count]]
