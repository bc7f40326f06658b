"""Machines that somebody else makes and runs, added by hand (A9, A10).

There is nobody to ask: what this gateway sees is what the store knows, and it offers no operation on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.refusal import Refusal
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.errors import NotFound
from adslib.domain.gateway import Capability, Gateway, Offer, Sighting


class StaticGateway(Refusal):
    """The gateway of machines added by hand.

    Args:
        name: its name. around: its `known` lists the machines of this gateway in the store.
    """

    kind = "static"
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, name: str, around: Surroundings) -> None:
        self.name = name
        self._known = around.known

    def look(self, ref: str) -> Sighting:
        """Say what is known about one machine; nothing is asked of the machine itself."""
        for sighting in self._known():
            if sighting.ref == ref:
                return sighting
        raise NotFound(f"gateway '{self.name}' knows no machine '{ref}'", remedy="add it with: ads machine add")

    def machines(self) -> Sequence[Sighting]:
        """List the machines that were added."""
        return tuple(self._known())

    def offer(self) -> Offer:
        """Offer nothing: what there is was added already."""
        return Offer(gateway=self.name, kind="", sizes=(), room=0)


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway; it has no options."""
    Options(name, options).finish()
    return StaticGateway(name, around)
