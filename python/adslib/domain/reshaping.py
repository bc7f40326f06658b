"""Reshaping networks: split, joined and resized, with what each part keeps (I7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from adslib.domain.errors import Conflict, Invalid
from adslib.domain.network import Held, Network
from adslib.domain.prefix import Address, Prefix, joined


def part_of(network: Network, prefix: Prefix, *, id: str = "", name: str = "") -> Network:
    """A network of which only a part is left: it keeps what it holds back there, and its gateway if that is there.

    Args:
        id, name: of a new network; empty: it stays the one that it is.
    """
    return replace(
        network,
        id=id or network.id,
        name=name or network.name,
        prefix=prefix,
        gateway=network.gateway if network.gateway and prefix.holds(network.gateway) else None,
        held=tuple(_held_within(network, prefix)),
        generation=0 if id else network.generation,
    )


def _held_within(network: Network, prefix: Prefix) -> Iterator[Held]:
    for held in network.held:
        first = max(held.first.number, prefix.number)
        last = min(held.last.number, prefix.last.number)
        if first <= last:
            yield Held(Address(prefix.version, first), Address(prefix.version, last), held.why)


def parts(network: Network, *, length: int | None = None, at: Prefix | None = None) -> list[Prefix]:
    """The prefixes that a network is split into, in order: equal parts of a length, or one part and what is around it.

    Raises:
        Invalid: it has no such parts, or not one of the two was said.
    """
    if (length is None) == (at is None):
        raise Invalid("say how to split, once", remedy="give a length for equal parts, or a prefix to cut out")
    if length is not None:
        return list(network.prefix.split(length))
    assert at is not None
    if at == network.prefix:
        raise Invalid(f"{at} is all of network '{network.name}'", remedy="name a smaller prefix")
    return sorted([at, *network.prefix.around(at)])


def merged(networks: Sequence[Network]) -> Network:
    """The one network that adjacent ones make: the first with the others' addresses.

    The others' gateways are held back, since routers may still have them.

    Raises:
        Invalid: their prefixes make none together. Conflict: they are of several spaces or tenants.
    """
    first, *others = networks
    for what in ("space", "tenant", "role"):
        if differing := next((each for each in others if getattr(each, what) != getattr(first, what)), None):
            raise Conflict(
                f"network '{first.name}' has {what} '{getattr(first, what)}' "
                f"and network '{differing.name}' '{getattr(differing, what)}'",
                remedy=f"merge networks of one {what}",
            )
    held = [
        *(held for each in networks for held in each.held),
        *(Held(each.gateway, each.gateway, f"gateway of {each.name}") for each in others if each.gateway),
    ]
    tags = {key: value for each in reversed(networks) for key, value in each.tags.items()}
    return replace(
        first,
        prefix=joined([each.prefix for each in networks]),
        gateway=first.gateway,
        held=tuple(sorted(held, key=lambda each: each.first)),
        tags=tags,
    )
