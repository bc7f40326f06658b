"""What is given out, as strips of places: the addresses of a network, and the numbers of names (I2, I4)."""

from __future__ import annotations

from adslib.domain.block import Strip, spread_over
from adslib.domain.network import Network

NAME_NUMBERS = range(1, 1 << 31)


def strip_of(network: Network) -> Strip:
    """The addresses of a network as places."""
    usable = network.prefix.usable
    return Strip(network.id, usable, tuple(network.closed), spread_over(usable))


def names_strip(zone: str, stem: str) -> Strip:
    """The numbers of a kind of name as places."""
    return Strip(f"{zone}/{stem}", NAME_NUMBERS)
