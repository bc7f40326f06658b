"""Allocating within one transaction: from a request to assignments that are written (I2, I3, I4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.assignment import AddressRequest, Assignment
from adslib.domain.block import Strip, spread_over
from adslib.domain.chain import Link, Step, chain
from adslib.domain.errors import Blocked, Conflict, Forbidden, Invalid, NotFound
from adslib.domain.network import Network, Role
from adslib.domain.prefix import Address
from adslib.domain.zone import read_label, stem
from adslib.usecases.viewing import may_see, refuse_foreign

NAME_NUMBERS = range(1, 1 << 31)
AT_ONCE = 256
"""Addresses whose cool-down is over that one request looks after, at least."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is given: from which link and network, and the number of its address, if it has one."""

    step: Step
    number: int | None = None


def strip_of(network: Network) -> Strip:
    """The addresses of a network as places."""
    usable = network.prefix.usable
    return Strip(network.id, usable, tuple(network.closed), spread_over(usable))


def names_strip(zone: str, stem: str) -> Strip:
    """The numbers of a kind of name as places."""
    return Strip(f"{zone}/{stem}", NAME_NUMBERS)


def allocate(
    tx: Transaction, actor: Actor, request: AddressRequest, at: datetime, id: str, *, patient: bool
) -> list[tuple[Assignment, Network]]:
    """Give what is asked for, and write it; all of it or nothing.

    Args:
        at: now. id: of the whole; each assignment gets one that begins with it. patient: see `Blocks.take`.

    Raises:
        NotFound, Forbidden, Blocked, Conflict, Invalid: see `Addresses.allocate`. Crossed: begin again.
    """
    environment = tx.environments.find(request.environment) if request.environment else None
    if environment:
        # Its roles would be told of these as the addresses of their hosts.
        refuse_foreign(actor, environment.tenant, f"environment '{environment.name}'", "name your own")
    steps = Steps(tx, actor, request)
    items = _addresses(tx, steps, at, patient=patient) if request.address else [Item(steps.first)] * request.count
    names = (
        _names(tx, steps, patient=patient) if request.name or request.names else [("", None, "", None)] * request.count
    )
    given = [
        Assignment(
            id if request.count == 1 else f"{id}.{number}",
            *(item.step.network.id, item.step.network.space, request.version, item.number),
            *name,
            str(item.step.link),
            *(request.service, request.environment, request.machine, request.why),
            *(item.step.network.tenant, at, actor.name),
        )
        for number, (item, name) in enumerate(zip(items, names, strict=True), 1)
    ]
    tx.addresses.add(given)
    tx.zones.changed(given, at)
    return [(assignment, item.step.network) for assignment, item in zip(given, items, strict=True)]


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


class Steps:
    """The chain of networks that may serve a request; a link is looked up when those before it are full."""

    def __init__(self, tx: Transaction, actor: Actor, request: AddressRequest) -> None:
        self._tx = tx
        self._actor = actor
        self.request = request
        self._version = request.version if request.address else None
        self.asked = self._asked()
        if not self.near:
            kinds = ", ".join(sorted({f"{each.name} ({each.prefix}, {each.role})" for each in self.asked}))
            raise NotFound(
                f"{request.where} has no network that gives IPv{request.version} addresses: there is {kinds}",
                remedy="ask for the other version, or add a network",
                code="no-network",
            )
        self.first = self.near[0]

    def __iter__(self) -> Iterator[Step]:
        """The steps in order."""
        yield from self.near
        yield from self.all[len(self.near) :]

    @cached_property
    def near(self) -> list[Step]:
        """The networks that were asked: those of the VLAN, or of the space, or the one."""
        asked, request = self.asked, self.request
        # One of the reserve serves, too, whoever names it.
        named = [each for each in asked if request.network and each.role is Role.RESERVE]
        return chain(asked, (), named, self._version, request.datacenter)

    @cached_property
    def all(self) -> list[Step]:
        """The whole chain; behind a network that was asked for by its name stands no other."""
        if self.request.network:
            return self.near
        first, networks = self.first.network, self._tx.networks
        owned = networks.of_owner(first.owner, first.tenant) if first.owner else []
        reserve = networks.reserve(first.tenant)
        return chain(self.asked, owned, reserve, self._version, self.request.datacenter)

    def named(self) -> Network:
        """The network whose zone and pattern names are made of: the first that has a zone.

        Raises:
            Invalid: none has.
        """
        found = next((step.network for step in self.near if step.network.zone), None)
        if found is None:
            raise Invalid(
                f"no network of {self.request.where} has a zone, so it can give no names",
                remedy=f"set one: ads network edit {self.first.network.name} --zone west.example.com",
                code="no-zone",
            )
        return found

    def whose(self, assignment: Assignment) -> str:
        """In words who has an assignment, as far as the actor may know."""
        return whose(assignment) if may_see(self._actor, assignment.tenant) else "of another tenant"

    def _asked(self) -> list[Network]:
        request, networks = self.request, self._tx.networks
        if request.vlan is not None:
            found = networks.of_vlan(request.datacenter, request.vlan)
            missing = NotFound(
                f"no network is tagged with {request.where}",
                remedy=f"tag one: ads network edit NAME --vlan {request.vlan} --datacenter …",
                code="unknown-vlan",
            )
        elif request.network:
            found = networks.named(request.network)
            missing = NotFound(f"there is no {request.where}", remedy="list them with: ads network list")
        else:
            found = networks.of_space(request.space)
            missing = NotFound(f"there is no {request.where}", remedy="list them with: ads network list")
        if not found:
            raise missing
        seen = [each for each in found if may_see(self._actor, each.tenant)]
        if not seen:
            raise Forbidden(
                f"{request.where} belongs to another tenant than {self._actor.name}",
                remedy="ask an administrator of ads",
                code="not-yours",
            )
        where = sorted({each.datacenter for each in seen})
        if request.vlan is not None and len(where) > 1:
            raise Invalid(
                f"VLAN {request.vlan} is in several data centres: {', '.join(map(repr, where))}",
                remedy="name the data centre",
            )
        return seen


def _addresses(tx: Transaction, steps: Steps, at: datetime, *, patient: bool) -> list[Item]:
    if steps.request.addresses:
        return _these_addresses(tx, steps, at)
    count = steps.request.count
    items: list[Item] = []
    tried: list[Step] = []
    for step in steps:
        tried.append(step)
        if step.network.cooldown:
            wake(tx, step.network, at, max(AT_ONCE, count))
        numbers = tx.blocks.take(strip_of(step.network), count - len(items), patient=patient)
        items += [Item(step, number) for number in numbers]
        if len(items) == count:
            return items
    listed = ", ".join(f"{step.network.name} ({step.network.prefix}, {step.link})" for step in tried)
    free = f"only {len(items)} of {count} addresses are free" if items else "no address is free"
    raise Blocked(
        f"{free} in {listed}",
        place=steps.request.where,
        remedy="release what is not used (ads address list), or add a network to the VLAN or to the reserve",
        code="chain-full",
    )


def _these_addresses(tx: Transaction, steps: Steps, at: datetime) -> list[Item]:
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
    return [Item(step, address.number) for address, step in chosen]


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
    why = next(iter(_closed_because(held.network, address)), None)
    if why:
        raise Conflict(
            f"{address} is not given out: it is {why}",
            place=f"network '{held.network.name}'",
            remedy="ask for another one",
            code="address-closed",
        )
    return held


def _closed_because(network: Network, address: Address) -> Iterator[str]:
    if address.number not in network.prefix.usable:
        yield f"the first or last address of {network.prefix}"
    if address == network.gateway:
        yield "the gateway"
    for held in network.held:
        if address.number in held.places:
            yield f"held back{f' ({held.why})' if held.why else ''}"


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


def whose(assignment: Assignment) -> str:
    """In words who has an assignment."""
    parts = (assignment.machine, assignment.service, assignment.environment, assignment.why)
    return f"of {', '.join(part for part in parts if part) or assignment.actor}, allocation {assignment.id}"


def _names(tx: Transaction, steps: Steps, *, patient: bool) -> list[tuple[str, str | None, str, int | None]]:
    """Zone, label, stem and number of each name."""
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
    names: list[tuple[str, str | None, str, int | None]] = []
    while len(names) < request.count:
        places = tx.blocks.take(strip, request.count - len(names), patient=patient)
        # With more digits it may have become too long.
        labels_of = {place: read_label(kind.replace("{n}", str(place)), "the request") for place in places}
        # Somebody may have asked for such a name by itself; its number is then taken, and free when the name is.
        taken = tx.addresses.named(network.zone, labels_of.values())
        for place, label in labels_of.items():
            if label in taken:
                tx.addresses.remember_place(taken[label].id, kind, place)
            else:
                names.append((network.zone, label, kind, place))
    return names


# ── giving back ──────────────────────────────────────────────────────────────────────────────────────


def give_back(tx: Transaction, given: Sequence[Assignment], at: datetime, actor: Actor) -> list[Assignment]:
    """Nobody has these any more: addresses and numbers of names are free again, unless the network lets them rest.

    Returns:
        What was given back; somebody else may have been faster with the rest.
    """
    networks: dict[str, Network] = {}
    # They may be released or moved by a split until networks and assignments are ours, in the order of all others.
    while missing := {each.network for each in given} - networks.keys():
        networks |= tx.networks.giving_back(missing)
        given = tx.addresses.locked(each.id for each in given)
    rest = [each for each in given if each.number is not None and networks[each.network].cooldown]
    for network in sorted({each.network for each in given}):
        closed = networks[network].closed
        numbers = [each.number for each in given if each.network == network and each.number is not None]
        cool = bool(networks[network].cooldown)
        # What was held back meanwhile stays closed.
        stay = [number for number in numbers if cool or any(number in places for places in closed)]
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
