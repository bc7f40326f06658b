"""The network that addresses of orders come from, where ads gives them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from adslib.adapters.gateways.options import Options
from adslib.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Prefix:
    """Where given addresses come from.

    Args:
        router: the way out. resolvers: DNS servers.
    """

    network: IPv4Network | IPv6Network
    router: IPv4Address | IPv6Address
    resolvers: tuple[str, ...]


def read_prefix(read: Options) -> Prefix | None:
    """Read the options `network`, `router` and `resolvers` among those of a connector; None: no addresses are given."""
    given, router, resolvers = read.text("network"), read.text("router"), read.names("resolvers")
    if not given:
        if router or resolvers:
            read.refuse("network", "it is missing", "name the network that 'router' and 'resolvers' belong to")
        return None
    try:
        network = ipaddress.ip_network(given)
        way_out = ipaddress.ip_address(router) if router else network[1]
        if way_out not in network:
            raise ValueError(f"'{way_out}' is not in it")
        servers = tuple(str(ipaddress.ip_address(each)) for each in resolvers) or (str(way_out),)
        return Prefix(network, way_out, servers)
    except (ValueError, IndexError) as error:
        read.refuse("network", f"'{given}' will not do: {error}", "use a network like 10.1.2.0/24 and addresses")
        return None


def check_address(address: str, prefix: Prefix | None) -> None:
    """Make sure that a machine may have the address of its order, if it has one.

    Raises:
        Invalid: it may not.
    """
    if not address:
        return
    if prefix is None:
        raise Invalid(f"this gateway gives no addresses: '{address}'", remedy="set its option 'network'")
    try:
        fits = ipaddress.ip_address(address) in prefix.network
    except ValueError:
        fits = False
    if not fits:
        raise Invalid(f"'{address}' will not do as an address", remedy=f"use one of {prefix.network}")
