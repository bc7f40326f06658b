"""Prefixes and addresses of both families, as numbers: what holds what, and what a host may have (I9)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from adslib.domain.errors import Invalid

WIDTHS = {4: 32, 6: 128}
MOST_PARTS = 1 << 12
"""Prefixes that one split may make; more is a slip of the finger."""


class Address(NamedTuple):
    """One address: 4 or 6, and its number. Ordered, IPv4 first."""

    version: int
    number: int

    def __str__(self) -> str:
        return written(self.version, self.number)

    @property
    def packed(self) -> bytes:
        """Its number in 16 bytes, which sort like the numbers."""
        return self.number.to_bytes(16, "big")


def written(version: int, number: int) -> str:
    """An address as people write it."""
    if version == 6:
        return str(ipaddress.IPv6Address(number))
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass(frozen=True, slots=True, order=True)
class Prefix:
    """A prefix without host bits.

    Args:
        version: 4 or 6. number: of its first address. length: leading bits that its addresses share.
    """

    version: int
    number: int
    length: int

    def __str__(self) -> str:
        return f"{self.first}/{self.length}"

    @property
    def size(self) -> int:
        """How many addresses it has."""
        return 1 << (WIDTHS[self.version] - self.length)

    @property
    def first(self) -> Address:
        """Its first address."""
        return Address(self.version, self.number)

    @property
    def last(self) -> Address:
        """Its last address."""
        return Address(self.version, self.number + self.size - 1)

    @property
    def mask(self) -> Address:
        """Its mask: the leading bits that its addresses share."""
        width = WIDTHS[self.version]
        return Address(self.version, ((1 << self.length) - 1) << (width - self.length))

    @property
    def places(self) -> range:
        """The numbers of all its addresses."""
        return range(self.number, self.number + self.size)

    @property
    def usable(self) -> range:
        """The numbers that hosts may have.

        IPv4 keeps the network and the broadcast address, except in /31 (RFC 3021) and /32. IPv6 keeps the anycast
        address of the subnet's routers, its first (RFC 4291), except in /127 (RFC 6164) and /128.
        """
        if self.size <= 2:
            return self.places
        return self.places[1:-1] if self.version == 4 else self.places[1:]

    def holds(self, address: Address) -> bool:
        """Whether an address lies in it."""
        return address.version == self.version and self.number <= address.number < self.number + self.size

    def covers(self, other: Prefix) -> bool:
        """Whether all of another prefix lies in it."""
        return self.length <= other.length and self.holds(other.first)

    def overlaps(self, other: Prefix) -> bool:
        """Whether they share an address."""
        return self.covers(other) or other.covers(self)

    def split(self, length: int) -> Iterator[Prefix]:
        """Its parts of a greater length, in order.

        Raises:
            Invalid: it has no parts of this length, or too many.
        """
        width = WIDTHS[self.version]
        if not self.length < length <= width:
            raise Invalid(f"{self} has no parts of length {length}", remedy=f"use {self.length + 1} to {width}")
        if length - self.length > MOST_PARTS.bit_length() - 1:
            raise Invalid(
                f"{self} has {1 << (length - self.length)} parts of length {length}",
                remedy=f"ask for at most {MOST_PARTS}: a length up to {self.length + MOST_PARTS.bit_length() - 1}",
            )
        step = 1 << (width - length)
        return (Prefix(self.version, number, length) for number in range(self.number, self.last.number + 1, step))

    def around(self, part: Prefix) -> list[Prefix]:
        """What is left of it beside one part, as few prefixes as there can be, in order.

        Raises:
            Invalid: it is no part of this prefix.
        """
        if not self.covers(part):
            raise Invalid(f"{part} lies outside {self}", remedy="name a prefix within it")
        return list(self.vacant([part]))

    def vacant(self, taken: Iterable[Prefix]) -> Iterator[Prefix]:
        """What is left of it, as few prefixes as there can be, in order.

        Args:
            taken: whatever lies in it; they may hold one another.
        """
        width = WIDTHS[self.version]
        for first, end in self._gaps(taken):
            while first < end:
                # The largest that begins here: it is aligned to its size, and ends in the gap.
                aligned = (first & -first).bit_length() - 1 if first else width
                bits = min(aligned, (end - first).bit_length() - 1)
                yield Prefix(self.version, first, width - bits)
                first += 1 << bits

    def next_vacant(self, taken: Iterable[Prefix], length: int) -> Prefix | None:
        """The first vacant part of a length; None: there is none."""
        found = next((part for part in self.vacant(taken) if part.length <= length), None)
        return Prefix(found.version, found.number, length) if found else None

    def _gaps(self, taken: Iterable[Prefix]) -> Iterator[tuple[int, int]]:
        """Where nothing is taken: the first number, and the one after the last."""
        at = self.number
        for part in sorted(taken):
            if at < part.number:
                yield at, part.number
            at = max(at, part.number + part.size)
        if at < self.number + self.size:
            yield at, self.number + self.size


def read_prefix(text: str, place: str = "") -> Prefix:
    """A prefix as people write it: `10.1.0.0/16`, `2001:db8::/64`.

    Args:
        place: where it was written.

    Raises:
        Invalid: it is no prefix, has no length, or has host bits.
    """
    if "/" not in text:
        raise Invalid(f"'{text}' has no length", place=place, remedy="write a prefix, like 10.1.0.0/16")
    try:
        found = ipaddress.ip_network(text, strict=False)
        written = ipaddress.ip_address(text.partition("/")[0])
    except ValueError:
        raise Invalid(f"'{text}' is no prefix", place=place, remedy="write it like 10.1.0.0/16") from None
    if written != found.network_address:
        raise Invalid(f"'{text}' has host bits", place=place, remedy=f"did you mean {found}?")
    return Prefix(found.version, int(found.network_address), found.prefixlen)


def read_address(text: str, place: str = "") -> Address:
    """An address as people write it.

    Raises:
        Invalid: it is none.
    """
    try:
        # A scope, as in fe80::1%eth0, belongs to one host and not to the address.
        found = ipaddress.ip_address(text.replace("%", " "))
    except ValueError:
        remedy = "write it like 10.1.0.7, without a length" if "/" in text else "write it like 10.1.0.7 or 2001:db8::7"
        raise Invalid(f"'{text}' is no address", place=place, remedy=remedy) from None
    return Address(found.version, int(found))


def joined(prefixes: Sequence[Prefix]) -> Prefix:
    """The one prefix that some adjacent ones make together.

    Raises:
        Invalid: they are of two families, overlap, leave a gap, or make no prefix.
    """
    ordered = sorted(prefixes)
    names = ", ".join(str(prefix) for prefix in ordered)
    if len(ordered) < 2:
        raise Invalid("there is nothing to join", remedy="name two prefixes or more")
    for one, other in pairwise(ordered):
        if one.version != other.version or one.last.number + 1 != other.number:
            trouble = "overlap" if one.overlaps(other) else "are not adjacent"
            raise Invalid(f"{one} and {other} {trouble}", remedy="join neighbours of one family only")
    size = sum(prefix.size for prefix in ordered)
    first = ordered[0]
    if size & (size - 1) or first.number % size:
        raise Invalid(
            f"{names} make no prefix together", remedy="join the halves of one, such as 10.0.0.0/25 and 10.0.0.128/25"
        )
    return Prefix(first.version, first.number, WIDTHS[first.version] - size.bit_length() + 1)
