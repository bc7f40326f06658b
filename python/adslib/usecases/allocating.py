"""Allocating within one transaction: from a request to assignments that are written (I2, I3, I4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.assignment import AddressRequest, Assignment
from adslib.domain.chain import Link, Step
from adslib.domain.errors import Blocked, Conflict, Invalid
from adslib.domain.network import Network
from adslib.domain.prefix import Address
from adslib.domain.zone import read_label, stem
from adslib.usecases.giving_back import wake
from adslib.usecases.steps import Steps, whose
from adslib.usecases.strips import names_strip, strip_of
from adslib.usecases.viewing import refuse_foreign

AT_ONCE = 256
"""Addresses whose cool-down is over that one request looks after, at least."""

Name = tuple[str, str | None, str, int | None]
"""Zone, label, stem and number of a name."""


class Share(NamedTuple):
    """What one step of the chain gives: numbers of addresses, or None for each name that comes without one."""

    step: Step
    numbers: Sequence[int | None]


def allocate(
    tx: Transaction, actor: Actor, request: AddressRequest, at: datetime, id: str, *, patient: bool
) -> list[tuple[Network, list[Assignment]]]:
    """Give what is asked for, and write it; all of it or nothing.

    Args:
        at: now. id: of the whole; each assignment gets one that begins with it. patient: see `Blocks.take`.

    Returns:
        What each network gives. Its assignments differ by nothing but their ids, addresses and names.

    Raises:
        NotFound, Forbidden, Blocked, Conflict, Invalid: see `Addresses.allocate`. Crossed: begin again.
    """
    environment = tx.environments.find(request.environment) if request.environment else None
    if environment:
        # Its roles would be told of these as the addresses of their hosts.
        refuse_foreign(actor, environment.tenant, f"environment '{environment.name}'", "name your own")
    steps = Steps(tx, actor, request)
    alone: list[int | None] = [None] * request.count
    shares = _addresses(tx, steps, at, patient=patient) if request.address else [Share(steps.first, alone)]
    names = (
        _names(tx, steps, patient=patient) if request.name or request.names else [("", None, "", None)] * request.count
    )
    ids = [id] if request.count == 1 else [f"{id}.{number}" for number in range(1, request.count + 1)]
    each = zip(ids, names, strict=True)
    given = [(share.step.network, _assigned(share, each, request, at, actor)) for share in shares]
    new = [assignment for _, assignments in given for assignment in assignments]
    tx.addresses.add(new)
    tx.zones.changed(new, at)
    return given


def _assigned(
    share: Share, each: Iterator[tuple[str, Name]], request: AddressRequest, at: datetime, actor: Actor
) -> list[Assignment]:
    """The assignments of a share, which take as many ids and names as they need."""
    network = share.step.network
    where = (network.id, network.space, network.prefix.version)
    whose = (request.service, request.environment, request.machine, request.why, network.tenant, at, actor.name)
    link = str(share.step.link)
    # Numbers first: where they end, no id is taken any more.
    pairs = zip(share.numbers, each, strict=False)
    return [Assignment._make((id, *where, number, *name, link, *whose, None)) for number, (id, name) in pairs]


def held_before(tx: Transaction, actor: Actor, request: AddressRequest, *, alike: bool) -> list[Assignment]:
    """What was given already where a request asks, to whom it names.

    What the end user's other networks or the reserve gave counts where the chain of the request has them.

    Args:
        alike: only what the request itself could have got; otherwise what it does not say may be anything.
    """
    steps = Steps(tx, actor, request)
    near = {step.network.id for step in steps.near}
    networks = {step.network.id for step in steps.all}
    holder = {"machine": request.machine, "service": request.service, "environment": request.environment}
    held = tx.addresses.list(**(holder if alike else {key: word or None for key, word in holder.items()}))
    labels = [read_label(name, "the request") for name in request.names]
    kind = (request.address, request.name or bool(labels))
    return [
        each
        for each in held
        if each.network in networks
        and (each.network in near or each.link in (Link.SAME_OWNER, Link.RESERVE))
        and (not alike or (each.number is not None, each.label is not None) == kind)
        and (not request.addresses or each.address in request.addresses)
        and (not labels or each.label in labels)
    ]


def without(request: AddressRequest, known: Sequence[Mapping[str, Any]]) -> AddressRequest:
    """A request without what is there already.

    Args:
        known: assignments as plain data, with `address` and `name`.
    """
    if not known:
        return request
    addresses = {row["address"] for row in known}
    labels = {row["name"].partition(".")[0] for row in known}
    return replace(
        request,
        count=request.count - len(known),
        addresses=tuple(each for each in request.addresses if str(each) not in addresses),
        names=tuple(each for each in request.names if read_label(each) not in labels),
    )


def _addresses(tx: Transaction, steps: Steps, at: datetime, *, patient: bool) -> list[Share]:
    if steps.request.addresses:
        return _these_addresses(tx, steps, at)
    count = steps.request.count
    shares: list[Share] = []
    found = 0
    for step in steps:
        if step.network.cooldown:
            wake(tx, step.network, at, max(AT_ONCE, count))
        numbers = tx.blocks.take(strip_of(step.network), count - found, patient=patient)
        shares.append(Share(step, numbers))
        found += len(numbers)
        if found == count:
            return shares
    listed = ", ".join(f"{step.network.name} ({step.network.prefix}, {step.link})" for step, _ in shares)
    free = f"only {found} of {count} addresses are free" if found else "no address is free"
    raise Blocked(
        f"{free} in {listed}",
        place=steps.request.where,
        remedy=f"release what is not used (ads address list), or {_more(steps.request)}",
        code="chain-full",
    )


def _more(request: AddressRequest) -> str:
    """What gives a request more addresses."""
    if request.network:
        return f"give it a larger prefix: ads network resize {request.network} PREFIX"
    return f"add a network to the {'space' if request.vlan is None else 'VLAN'} or to the reserve"


def _these_addresses(tx: Transaction, steps: Steps, at: datetime) -> list[Share]:
    chosen = [(address, _holding(steps, address)) for address in steps.request.addresses]
    by_network: dict[str, list[Address]] = {}
    networks = {step.network.id: step.network for _, step in chosen}
    for address, step in chosen:
        by_network.setdefault(step.network.id, []).append(address)
    for id, wanted in sorted(by_network.items()):
        network = networks[id]
        if network.cooldown:
            wake(tx, network, at, None)
        refused = tx.blocks.take_these(strip_of(network), [address.number for address in wanted])
        if refused:
            taken = [address for address in wanted if address.number in refused]
            raise _taken(tx, network, taken)
    return [Share(step, [address.number]) for address, step in chosen]


def _holding(steps: Steps, address: Address) -> Step:
    """The step whose network holds an address that hosts may have.

    Raises:
        Invalid: it lies outside, or nobody may have it there.
    """
    held = next((step for step in steps.all if step.network.prefix.holds(address)), None)
    if held is None:
        listed = ", ".join(f"{step.network.name} ({step.network.prefix})" for step in steps.all)
        raise Invalid(
            f"{address} lies outside {listed}",
            place=steps.request.where,
            remedy="ask for an address within",
            code="outside-network",
        )
    if why := held.network.why_closed(address):
        raise Conflict(
            f"{address} is not given out: it is {why}",
            place=f"network '{held.network.name}'",
            remedy="ask for another one",
            code="address-closed",
        )
    return held


def _taken(tx: Transaction, network: Network, taken: Sequence[Address]) -> Conflict:
    holders = tx.addresses.at(network.space, taken)
    listed = ", ".join(
        f"{address} ({whose(holders[address])})" if address in holders else f"{address} (it rests after its release)"
        for address in taken
    )
    return Conflict(
        f"already taken: {listed}",
        place=f"network '{network.name}'",
        remedy="ask for another address, or for any",
        code="address-taken",
    )


def _names(tx: Transaction, steps: Steps, *, patient: bool) -> list[Name]:
    network, request = steps.named(), steps.request
    if request.names:
        labels = [read_label(name, "the request") for name in request.names]
        if taken := tx.addresses.named(network.zone, labels):
            listed = ", ".join(f"{label}.{network.zone} ({steps.whose(each)})" for label, each in sorted(taken.items()))
            raise Conflict(
                f"already taken: {listed}",
                place=f"zone '{network.zone}'",
                remedy="ask for another name, or for any",
                code="name-taken",
            )
        return [(network.zone, label, "", None) for label in labels]
    words = {"service": request.service, "environment": request.environment, "datacenter": network.datacenter}
    kind = stem(network.pattern, words)
    strip = names_strip(network.zone, kind)
    names: list[Name] = []
    passed: list[int] = []
    while len(names) < request.count:
        places = tx.blocks.take(strip, request.count - len(names), patient=patient)
        # With more digits it may have become too long.
        labels_of = {place: read_label(kind.replace("{n}", str(place)), "the request") for place in places}
        # Somebody may have asked for such a name by itself, or another pattern makes it, too.
        taken = tx.addresses.named(network.zone, labels_of.values())
        for place, label in labels_of.items():
            if label not in taken:
                names.append((network.zone, label, kind, place))
            elif not tx.addresses.adopt(taken[label].id, kind, place):
                passed.append(place)
    # Only now: the search would find them again.
    tx.blocks.give_back(strip.id, passed)
    return names
