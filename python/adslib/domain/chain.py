"""The chain of networks that may serve a request: nobody goes without an address while one of them has some (I2, I3).

The first network of the VLAN, then the others with that VLAN, then the other networks of the same end user, then the
reserve.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from adslib.domain.network import Network, Role


class Link(StrEnum):
    """Why a network may serve a request."""

    ASKED = "network asked for"
    FIRST = "first network of the VLAN"
    SAME_VLAN = "another network of the VLAN"
    SAME_OWNER = "another network of the end user"
    RESERVE = "reserve"


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain, and its network."""

    link: Link
    network: Network


def chain(
    asked: Iterable[Network],
    owned: Iterable[Network],
    reserve: Iterable[Network],
    version: int | None,
    datacenter: str = "",
    *,
    tagged: bool = True,
) -> list[Step]:
    """The networks that may serve a request, in their order: by position and name, those of the data centre first.

    Args:
        asked: those of the VLAN, or of the space. owned: those of the end user of its first network.
        reserve: those kept in reserve. version: 4 or 6, since networks of the other family serve nobody here; None:
            any, where no address is asked for. tagged: a VLAN was asked for, not a network or a space.
    """
    steps: list[Step] = []
    seen: set[str] = set()
    for link, networks, role in (
        (Link.SAME_VLAN if tagged else Link.ASKED, asked, Role.USER),
        (Link.SAME_OWNER, owned, Role.USER),
        (Link.RESERVE, reserve, Role.RESERVE),
    ):
        for network in sorted(networks, key=lambda each: (each.datacenter != datacenter, each.position, each.name)):
            if network.id not in seen and network.role is role and version in (None, network.prefix.version):
                seen.add(network.id)
                steps.append(Step(Link.FIRST if link is Link.SAME_VLAN and not steps else link, network))
    return steps
