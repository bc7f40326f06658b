"""A zone as an operations team set it up: which server carries it, and with which key it may be changed (I4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adslib.domain.dns import ROOTS, zone_of
from adslib.domain.errors import Invalid, Problem
from adslib.domain.prefix import WIDTHS, Prefix, read_prefix
from adslib.domain.zone import read_zone, zone_problem

PORTS = range(1, 1 << 16)
TTLS = range(1 << 31)
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1", "hmac-md5")
SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+")
SERVER = re.compile(r"[A-Za-z0-9.:-]+")


@dataclass(frozen=True, slots=True)
class ZoneSetting:
    """What is needed to publish a zone.

    Args:
        name: of the zone. server, port: who carries it and takes changes: an address or a name.
        key_name, algorithm: of the TSIG key. secret: where it lies: `env:NAME` or `file:/path`; never the secret.
        reverse: reverse zones that the same server carries; names whose address lies in none get no PTR record.
        ttl: of its records, in seconds.
    """

    name: str
    server: str
    key_name: str
    secret: str
    port: int = 53
    algorithm: str = ALGORITHMS[0]
    reverse: tuple[str, ...] = ()
    ttl: int = 300
    tenant: str = "default"

    @property
    def carried(self) -> Sequence[str]:
        """The zone and its reverse zones."""
        return (self.name, *self.reverse)


def read_reverse(text: str) -> str:
    """A reverse zone as people write it: `10.1.0.0/16`, `2001:db8::/32`, or its own name, `1.10.in-addr.arpa`.

    Raises:
        Invalid: it is none, or the prefix has no reverse zone of its own.
    """
    if "/" in text:
        return _reverse_of(read_prefix(text, "reverse"))
    zone = read_zone(text, "reverse")
    if not zone_of(f"{zone}.", ROOTS):
        raise Invalid(f"'{text}' is no reverse zone", remedy="write a prefix, like 10.1.0.0/16, or 1.10.in-addr.arpa")
    return zone


def _reverse_of(prefix: Prefix) -> str:
    root, (_, base, bits) = next((root, how) for root, how in ROOTS.items() if how[0] == prefix.version)
    if not prefix.length or prefix.length % bits:
        raise Invalid(
            f"{prefix} has no reverse zone of its own",
            remedy=f"use a prefix whose length is a multiple of {bits}, or the name of the zone",
        )
    number = prefix.number >> (WIDTHS[prefix.version] - prefix.length)
    labels = [number >> bits * place & ((1 << bits) - 1) for place in range(prefix.length // bits)]
    return ".".join([*(f"{label:x}" if base == 16 else str(label) for label in labels), root])


def problems_of(setting: ZoneSetting) -> list[Problem]:
    """Everything that is wrong with a zone by itself. What was given as the secret is not repeated."""
    return [Problem(message, f"zone '{setting.name}'", remedy) for message, remedy in _wrong(setting)]


def _wrong(setting: ZoneSetting) -> Iterator[tuple[str, str]]:
    if not SERVER.fullmatch(setting.server):
        yield f"'{setting.server}' is no server", "write its address or name, like 192.0.2.53 or ns1.example.com"
    for what, value, allowed in (("port", setting.port, PORTS), ("time to live", setting.ttl, TTLS)):
        if value not in allowed:
            yield f"{value} is no {what}", f"use {allowed.start} to {allowed.stop - 1}"
    if zone_problem(setting.key_name.lower()):
        yield f"'{setting.key_name}' is no name of a key", "write it as the server has it, like ads-key"
    if setting.algorithm not in ALGORITHMS:
        yield f"'{setting.algorithm}' is no algorithm", f"use one of: {', '.join(ALGORITHMS)}"
    if not SECRET.fullmatch(setting.secret):
        yield "the store keeps no secrets, only where they lie", "write env:NAME or file:/path"
