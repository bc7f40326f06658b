"""Giving back within one transaction: addresses and numbers are free again, at once or after their rest (I5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.assignment import Assignment
from adslib.domain.network import Network
from adslib.usecases.strips import names_strip, strip_of


def give_back(tx: Transaction, given: Sequence[Assignment], at: datetime, actor: Actor) -> list[Assignment]:
    """Nobody has these any more: addresses and numbers of names are free again, unless the network lets them rest.

    Returns:
        What was given back; somebody else may have been faster with the rest.
    """
    networks: dict[str, Network] = {}
    looked_for: set[str] = set()
    # They may be released or moved by a split until networks and assignments are ours, in the order of all others.
    while missing := {each.network for each in given} - looked_for:
        looked_for |= missing
        networks |= tx.networks.giving_back(missing)
        given = tx.addresses.locked(each.id for each in given)
    # The database keeps no network for its addresses: where one is gone, only they are left to end.
    cooling = {network.id for network in networks.values() if network.cooldown}
    rest = [each for each in given if each.number is not None and each.network in cooling]
    for network in sorted({each.network for each in given} & networks.keys()):
        closed = networks[network].closed
        numbers = [each.number for each in given if each.network == network and each.number is not None]
        # What was held back meanwhile stays closed.
        stay = [number for number in numbers if network in cooling or any(number in places for places in closed)]
        tx.blocks.rest(network, stay)
        tx.blocks.give_back(network, set(numbers) - set(stay))
    stems: dict[str, list[int]] = {}
    for each in given:
        if each.place is not None:
            stems.setdefault(names_strip(each.zone, each.stem).id, []).append(each.place)
    for strip, places in sorted(stems.items()):
        tx.blocks.give_back(strip, places)
    tx.addresses.end([each.id for each in given], at, actor.name, resting=[each.id for each in rest])
    tx.zones.changed(given, at)
    return list(given)


def wake(tx: Transaction, network: Network, at: datetime, count: int | None) -> None:
    """Let addresses be free again whose cool-down is over.

    Args:
        count: as many as are looked after, at most; None: all.
    """
    rested = tx.addresses.resting(network.id, at - timedelta(seconds=network.cooldown), count)
    # What was split off since may have become the first or last address of its part.
    strip = strip_of(network)
    tx.blocks.wake(network.id, [number for _, number in rested if strip.gives(number)])
    tx.addresses.woke(id for id, _ in rested)
