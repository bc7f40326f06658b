"""Networks: prefixes in an address space, with what ties them to VLANs, data centres and their users (I1, I7, I9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from adslib.domain.errors import Conflict, Problem
from adslib.domain.names import text_problem
from adslib.domain.prefix import Address, Prefix
from adslib.domain.zone import pattern_problem, zone_problem

VLANS = range(1, 4095)
VXLANS = range(1, 1 << 24)
POSITIONS = COOLDOWNS = range(1 << 31)
SMALLEST_MTU = {4: 68, 6: 1280}
LARGEST_MTU = 65535
PATTERN = "{service}-{n}"


class Role(StrEnum):
    """What a network is for.

    `USER` gives addresses; `RESERVE` gives them when those of an end user are full; `CONTAINER` gives none: it holds
    smaller networks.
    """

    USER = "user"
    RESERVE = "reserve"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Held:
    """Addresses of a network that are not given out, and why."""

    first: Address
    last: Address
    why: str = ""

    @property
    def places(self) -> range:
        """Their numbers."""
        return range(self.first.number, self.last.number + 1)

    def covers(self, other: Held) -> bool:
        """Whether all of another range lies in it."""
        return self.first <= other.first and other.last <= self.last

    def besides(self, other: Held) -> list[Held]:
        """What is left of it beside another range."""
        version, first, last = self.first.version, self.first.number, self.last.number
        if other.first.version != version:
            return [self]
        ends = ((first, min(last, other.first.number - 1)), (max(first, other.last.number + 1), last))
        return [Held(Address(version, low), Address(version, high), self.why) for low, high in ends if low <= high]


@dataclass(frozen=True, slots=True)
class Network:
    """A prefix in an address space.

    Args:
        id: stable identity. name: unique in the store.
        space: name of the private network; prefixes of different spaces overlap freely.
        vlan: 1 to 4094, unique in its data centre; one VLAN may have several networks. vxlan: 1 to 16777215.
        lan: any other attribute of the LAN. owner: the end user that it is for.
        position: among the networks of its VLAN; the lowest is the first.
        gateway: never given out. zone: where its names stand. pattern: of generated names.
        cooldown: seconds for which a released address rests.
        generation: matched in every UPDATE.
    """

    id: str
    name: str
    space: str
    prefix: Prefix
    role: Role = Role.USER
    vlan: int | None = None
    vxlan: int | None = None
    lan: str = ""
    datacenter: str = ""
    owner: str = ""
    tenant: str = "default"
    position: int = 0
    gateway: Address | None = None
    resolvers: tuple[Address, ...] = ()
    mtu: int | None = None
    zone: str = ""
    pattern: str = PATTERN
    cooldown: int = 0
    held: tuple[Held, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0

    @property
    def closed(self) -> list[range]:
        """Numbers that are not given out: held back, and the gateway's own."""
        own = [range(self.gateway.number, self.gateway.number + 1)] if self.gateway else []
        return [*(held.places for held in self.held), *own]

    def why_closed(self, address: Address) -> str:
        """Why nobody gets one of its addresses; empty: somebody may."""
        if address.number not in self.prefix.usable:
            return f"the first or last address of {self.prefix}"
        if address == self.gateway:
            return "the gateway"
        held = next((each for each in self.held if address.number in each.places), None)
        return (f"held back ({held.why})" if held.why else "held back") if held else ""


def problems_of(network: Network) -> list[Problem]:
    """Everything that is wrong with a network by itself."""
    place = f"network '{network.name}'"
    texts = [
        ("LAN", network.lan),
        *((f"{held.first}", held.why) for held in network.held),
        *(("tag", f"{key}={value}") for key, value in network.tags.items()),
    ]
    unreadable = [problem for what, text in texts if (problem := text_problem(text, what, place))]
    return [*(Problem(message, place, remedy) for message, remedy in _wrong(network)), *unreadable]


def _wrong(network: Network) -> Iterator[tuple[str, str]]:
    prefix = network.prefix
    for what, value, allowed in (
        ("VLAN", network.vlan, VLANS),
        ("VXLAN", network.vxlan, VXLANS),
        ("position", network.position, POSITIONS),
        ("cool-down in seconds", network.cooldown, COOLDOWNS),
    ):
        if value is not None and value not in allowed:
            yield f"{value} is no {what}", f"use {allowed.start} to {allowed.stop - 1}"
    if network.gateway is not None:
        if network.gateway.version != prefix.version:
            yield f"gateway {network.gateway} is of another family than {prefix}", f"use an IPv{prefix.version} address"
        elif not prefix.holds(network.gateway):
            yield f"gateway {network.gateway} lies outside {prefix}", f"use {prefix.first} to {prefix.last}"
    smallest = SMALLEST_MTU[prefix.version]
    if network.mtu is not None and not smallest <= network.mtu <= LARGEST_MTU:
        yield f"{network.mtu} is no MTU for IPv{prefix.version}", f"use {smallest} to {LARGEST_MTU}"
    for held in network.held:
        if not (prefix.holds(held.first) and prefix.holds(held.last) and held.first <= held.last):
            yield f"{held.first} to {held.last} is no range of {prefix}", f"use {prefix.first} to {prefix.last}"
    for trouble in (zone_problem(network.zone) if network.zone else None, pattern_problem(network.pattern)):
        if trouble:
            yield trouble


def refuse_overlap(network: Network, others: Iterable[Network]) -> None:
    """Let a network pass that fits beside the others of its space: apart from them, or as a part of a container.

    Raises:
        Conflict: another one is in the way, named.
    """
    for other in others:
        if other.id == network.id or other.space != network.space or not network.prefix.overlaps(other.prefix):
            continue
        inside = other.role is Role.CONTAINER and other.prefix.covers(network.prefix)
        around = network.role is Role.CONTAINER and network.prefix.covers(other.prefix)
        if network.prefix == other.prefix or not (inside or around):
            raise Conflict(
                f"{network.prefix} overlaps network '{other.name}' ({other.prefix}) in space '{network.space}'",
                place=f"network '{network.name}'",
                remedy="choose another prefix, or another space",
            )
