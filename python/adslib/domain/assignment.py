"""Who has an address, a name, or both: what is asked for, and what is given (I2, I4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from adslib.domain.errors import Problem
from adslib.domain.names import text_problem
from adslib.domain.network import VLANS
from adslib.domain.prefix import WIDTHS, Address, written

MOST = 1 << 16
"""Addresses in one ask; more is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """One ask for addresses, names, or both.

    Args:
        vlan: in which VLAN of `datacenter`; or network: by its name; or space. One of the three.
        version: 4 or 6; None: that of `addresses`, else 4, or 6 where no network there gives the other.
        count: how many.
        address, name: what is asked for. addresses, names: these ones and no others; as many as `count`, or none.
        service, environment, machine, why: for whom; the first two are words of the names' pattern.
        key: a request with the same key gets the same answer and takes nothing more; empty: none.
    """

    datacenter: str = ""
    vlan: int | None = None
    network: str = ""
    space: str = ""
    version: int | None = None
    count: int = 1
    address: bool = True
    name: bool = False
    addresses: tuple[Address, ...] = ()
    names: tuple[str, ...] = ()
    service: str = ""
    environment: str = ""
    machine: str = ""
    why: str = ""
    key: str = ""

    @property
    def where(self) -> str:
        """In words where it asks."""
        if self.vlan is not None:
            return f"VLAN {self.vlan} of data centre '{self.datacenter}'" if self.datacenter else f"VLAN {self.vlan}"
        return f"network '{self.network}'" if self.network else f"space '{self.space}'"


def problems_of(request: AddressRequest, *, keep: bool = False) -> list[Problem]:
    """Everything that is wrong with an ask by itself.

    Args:
        keep: what its holder has already counts, so it must say who that is, or have a key.
    """
    wrong = list(_wrong(request))
    if keep and not (request.machine or request.key):
        wrong.append(("it does not say for whom", "name the machine, or give a key, so that a second run finds it"))
    texts = {word: getattr(request, word) for word in ("service", "environment", "machine", "why", "key")}
    unreadable = [problem for word, text in texts.items() if (problem := text_problem(text, word, "the request"))]
    return [*(Problem(message, "the request", remedy) for message, remedy in wrong), *unreadable]


def _wrong(request: AddressRequest) -> Iterator[tuple[str, str]]:
    places = [bool(request.network), bool(request.space), request.vlan is not None]
    if sum(places) != 1:
        yield "it does not say where, once", "name a VLAN and its data centre, or a network, or a space"
    if request.vlan is not None and request.vlan not in VLANS:
        yield f"{request.vlan} is no VLAN", f"use {VLANS.start} to {VLANS.stop - 1}"
    if request.version not in (None, *WIDTHS):
        yield f"IPv{request.version} is no version", "use 4 or 6"
    if request.addresses and not request.address:
        yield "it gives addresses and asks for none", "ask for addresses, or give none"
    elif not (request.address or request.name or request.names):
        yield "it asks for nothing", "ask for an address, a name, or both"
    if not 1 <= request.count <= MOST:
        yield f"{request.count} is too {'many' if request.count > MOST else 'few'}", f"ask for 1 to {MOST} at a time"
    for what, given in (("addresses", request.addresses), ("names", request.names)):
        if given and len(given) != request.count:
            yield f"it gives {len(given)} {what} for {request.count}", f"give as many {what} as you ask for, or none"
        if len(set(given)) != len(given):
            yield f"it gives one of its {what} twice", "give each once"
    version = request.version or next((address.version for address in request.addresses), None)
    for address in request.addresses:
        if address.version != version:
            yield f"{address} is no IPv{version} address", f"ask with version {address.version}"


class Assignment(NamedTuple):
    """An address, a name, or both, and who has it.

    Args:
        id: names this assignment and no later one of the same address.
        network: id of the network that gave it. space, version, number: the address; number is None: a name alone.
        zone, label: the name; label is None: an address alone. stem, place: of a generated name its pattern and number.
        link: which link of the chain served it. given: when. actor: who asked.
        seen: when it was last seen in use, None: never.
    """

    id: str
    network: str
    space: str
    version: int
    number: int | None
    zone: str
    label: str | None
    stem: str
    place: int | None
    link: str
    service: str
    environment: str
    machine: str
    why: str
    tenant: str
    given: datetime
    actor: str
    seen: datetime | None = None

    @property
    def address(self) -> Address | None:
        """Its address, if it has one."""
        return None if self.number is None else Address(self.version, self.number)

    @property
    def host(self) -> str:
        """Its address as people write it, empty if it has none."""
        return "" if self.number is None else written(self.version, self.number)

    @property
    def name(self) -> str:
        """Its full name, empty if it has none."""
        return f"{self.label}.{self.zone}" if self.label is not None else ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.host, self.name)))
