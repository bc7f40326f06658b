"""Zones of a test's own at BIND, and networks that give names in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adslib.domain.assignment import AddressRequest
from adslib.domain.prefix import read_address
from adslib.usecases.ads import Ads
from name_servers import KEY, Bind


@dataclass(frozen=True)
class Zone:
    """A zone that BIND carries with its reverse zones, and the prefixes that these stand for."""

    ads: Ads
    bind: Bind
    number: int

    @property
    def name(self) -> str:
        """Its name."""
        return f"t{self.number}.example"

    @property
    def prefix(self) -> str:
        """Its IPv4 addresses."""
        return f"10.{self.number}.0.0/16"

    @property
    def reverse(self) -> str:
        """The reverse zone of these."""
        return f"{self.number}.10.in-addr.arpa"

    @property
    def prefix6(self) -> str:
        """Its IPv6 addresses."""
        return f"2001:db8:{self.number:x}::/48"

    @property
    def setting(self) -> dict[str, Any]:
        """What `ads.zones.add` takes beside the name."""
        key = {"key_name": KEY, "secret": "env:ADS_TEST_DNS_KEY"}
        return {"server": "127.0.0.1", "port": self.bind.port, "reverse": [self.prefix, self.prefix6], **key}

    def carried(self) -> Zone:
        """Let BIND carry it."""
        groups = f"{self.number:04x}"
        v6 = ".".join([*reversed(groups), "8.b.d.0.1.0.0.2.ip6.arpa"])
        self.bind.carry(self.name, self.reverse, v6)
        return self

    def added(self) -> Zone:
        """Let ads publish it."""
        self.ads.zones.add(self.name, **self.setting)
        return self

    def with_network(self, name: str = "web", prefix: str = "", **values: Any) -> Zone:
        """Add a network that gives names of it."""
        self.ads.networks.add({"name": name, "prefix": prefix or self.prefix, "zone": self.name, **values})
        return self

    def give(self, label: str = "", address: str = "", network: str = "web", **asked: Any) -> str:
        """Give a name; returns the id of its allocation."""
        places = (read_address(address),) if address else ()
        names = (label,) if label else ()
        request = AddressRequest(
            network=network, name=True, names=names, addresses=places, **{"service": "web", **asked}
        )
        return str(self.ads.addresses.allocate(request).after["addresses"][0]["id"])

    def records(self, label: str, type: str = "A") -> list[str]:
        """The records that BIND has of a label."""
        return self.bind.ask(f"{label}.{self.name}", type)

    def pending(self) -> int:
        """How many names wait."""
        return next(int(row["pending"]) for row in self.ads.zones.list() if row["name"] == self.name)


def new_zone(ads: Ads, bind: Bind) -> Zone:
    """A zone that no other test has."""
    return Zone(ads, bind, next(bind.numbers))
