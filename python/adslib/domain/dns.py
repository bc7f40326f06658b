"""Records of names: which ones the store wants in a zone, and how what a server has differs from them (I4).

A name of a zone has one A or AAAA record, its address. A reverse zone has a PTR record for every name of an address:
several, where address spaces overlap.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from adslib.domain.prefix import WIDTHS, Address

FORWARD = {4: "A", 6: "AAAA"}
REVERSE = "PTR"
UNREACHABLE = "dns-unreachable"
"""The code of the error that a server does not answer."""
FORBIDDEN = "dns-forbidden"
"""That it does not let the key do it, which may be about one name alone."""
TAKEN = "dns-taken"
"""That somebody else has a name there."""
AT_ONCE = 250
"""Sets and records in one message: far below the 64 KiB that it may have."""
ROOTS = {"in-addr.arpa": (4, 10, 8), "ip6.arpa": (6, 16, 4)}
"""Where reverse names stand: the version, the base of a label, and the bits that it stands for."""


class Given(NamedTuple):
    """A name, the address that it stands for, and how long its records may be kept: the ttl of its zone, in seconds."""

    zone: str
    label: str
    address: Address
    ttl: int

    @property
    def name(self) -> str:
        """The name, absolute."""
        return f"{self.label}.{self.zone}."

    @property
    def pointer(self) -> str:
        """The reverse name of its address, absolute."""
        return pointer_of(self.address)


@dataclass(frozen=True, slots=True, order=True)
class RecordSet:
    """All records of one type that a name has; without data: there are none.

    Args:
        name: absolute, in lower case. ttl: in seconds. data: sorted; addresses, or absolute names.
    """

    name: str
    type: str
    ttl: int = 0
    data: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} {self.type} {' '.join(self.data)}" if self.data else f"{self.name} {self.type}"


def pointer_of(address: Address) -> str:
    """The reverse name of an address, absolute."""
    return f"{ipaddress.ip_address(str(address)).reverse_pointer}."


def address_of(pointer: str) -> Address | None:
    """The address that an absolute reverse name stands for; None: it stands for none, or for a range."""
    for root, (version, base, bits) in ROOTS.items():
        labels = pointer.removesuffix(f".{root}.").split(".")
        if pointer.endswith(f".{root}.") and len(labels) == WIDTHS[version] // bits:
            try:
                number = sum(int(label, base) << bits * place for place, label in enumerate(labels))
                address = Address(version, number)
                return address if pointer_of(address) == pointer else None
            except ValueError:
                return None
    return None


def types_of(name: str) -> Sequence[str]:
    """The types of the records that ads writes for an absolute name; it looks at no others."""
    return [REVERSE] if address_of(name) else list(FORWARD.values())


def lies_in(name: str, zone: str) -> bool:
    """Whether an absolute name lies in a zone."""
    return name.endswith(f".{zone}.")


def zone_of(name: str, zones: Iterable[str]) -> str:
    """The zone that carries an absolute name: the longest that it lies in; empty: none."""
    return max((zone for zone in zones if lies_in(name, zone)), key=len, default="")


def wanted(names: Iterable[str], given: Iterable[Given]) -> list[RecordSet]:
    """What certain names are to have, in order; a set without data says that a name is to have nothing of that type.

    Args:
        names: absolute. given: all that has one of these names, or an address that one of them stands for.
    """
    data: dict[tuple[str, str], dict[str, int]] = {(name, type): {} for name in names for type in types_of(name)}
    for each in given:
        for key, value in (
            ((each.name, FORWARD[each.address.version]), str(each.address)),
            ((each.pointer, REVERSE), each.name),
        ):
            if key in data:
                data[key][value] = each.ttl
    return [
        RecordSet(name, type, min(values.values(), default=0), tuple(sorted(values)))
        for (name, type), values in sorted(data.items())
    ]


def records(zone: str, carried: Sequence[str], given: Sequence[Given]) -> list[RecordSet]:
    """The records that a whole zone is to have of what is given, in order.

    Args:
        zone: forward or reverse. carried: all zones of its server; a name belongs to the longest that it lies in.
    """
    names = {name for each in given for name in (each.name, each.pointer) if zone_of(name, carried) == zone}
    return [each for each in wanted(names, given) if each.data]


def messages(sets: Iterable[RecordSet]) -> Iterator[list[str]]:
    """The names of some sets, in lists whose sets fit into one message; those of one name are never parted."""
    weights: dict[str, int] = {}
    for each in sets:
        weights[each.name] = weights.get(each.name, 0) + 1 + len(each.data)
    part: list[str] = []
    size = 0
    for name, weight in weights.items():
        if part and size + weight > AT_ONCE:
            yield part
            part, size = [], 0
        part.append(name)
        size += weight
    if part:
        yield part


def standing(names: Iterable[str], found: Iterable[RecordSet] = ()) -> list[RecordSet]:
    """What names have at a server of the types that ads writes; a set without data says that there is nothing.

    Args:
        found: what is there.
    """
    there = {(each.name, each.type): each for each in found}
    return [there.get((name, type), RecordSet(name, type)) for name in names for type in types_of(name)]


def foreign(found: Iterable[RecordSet], said: Iterable[RecordSet]) -> list[RecordSet]:
    """Those of some records at a server that ads did not write: some of their data it never said of the name.

    Args:
        said: all that ads says of these names, or said. How long records may be kept does not matter.
    """
    known = {(each.name, each.type): set(each.data) for each in said}
    return [each for each in found if not known.get((each.name, each.type), set()).issuperset(each.data)]


class Kind(StrEnum):
    """How a server differs from the store: it lacks records, has too many, or has others."""

    MISSING = "missing"
    SURPLUS = "surplus"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a name is to have of one type, and what it has."""

    wanted: RecordSet
    found: RecordSet

    @property
    def kind(self) -> Kind:
        """How they differ."""
        if not self.found.data:
            return Kind.MISSING
        return Kind.WRONG if self.wanted.data else Kind.SURPLUS

    @property
    def names(self) -> set[str]:
        """The names that it is about, absolute; of reverse names, those they lead to."""
        sides = (self.wanted, self.found)
        return {name for side in sides for name in (side.data if side.type == REVERSE else (side.name,))}


def differences(wanted: Iterable[RecordSet], found: Iterable[RecordSet]) -> list[Difference]:
    """What differs between the records that a zone is to have and those that it has, in order of names."""
    here = {(each.name, each.type): each for each in wanted}
    there = {(each.name, each.type): each for each in found if each.type in types_of(each.name)}
    pairs = (
        Difference(here.get(key, RecordSet(*key)), there.get(key, RecordSet(*key))) for key in sorted({*here, *there})
    )
    return [pair for pair in pairs if pair.wanted != pair.found]


def zone_file(zone: str, records: Iterable[RecordSet], *, ttl: int, serial: int, server: str) -> str:
    """A zone as a file that DNS servers load (RFC 1035).

    Args:
        ttl: default, in seconds. serial: of this version of it. server: name of its name server, or its address; that
            gets the name `ns` then.
    """
    address = _literal(server)
    host = f"ns.{zone}." if address else f"{server.removesuffix('.')}."
    lines = [
        f"$ORIGIN {zone}.",
        f"$TTL {ttl}",
        f"@ IN SOA {host} hostmaster.{zone}. {serial} 3600 600 1209600 {ttl}",
        f"@ IN NS {host}",
    ]
    sets = list(records)
    if address and lies_in(host, zone) and host not in {each.name for each in sets}:
        lines.append(f"{host} IN {FORWARD[address.version]} {address}")
    lines += [f"{each.name} {each.ttl} IN {each.type} {value}" for each in sets for value in each.data]
    return "\n".join(lines) + "\n"


def _literal(server: str) -> Address | None:
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return None
    return Address(address.version, int(address))
