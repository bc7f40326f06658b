"""What `Capability.NOTIFY` means: the gateway tells what changed, so that nobody has to read all its machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from adslib.domain.gateway import Sighting


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed up to a mark: machines as they are now, and the refs of those that are gone."""

    mark: str
    machines: tuple[Sighting, ...] = ()
    gone: tuple[str, ...] = ()


class Notifying(Protocol):
    """A gateway that declares NOTIFY has this method beside those of `Gateway` (A10)."""

    def changes(self, since: str = "") -> Changes:
        """Tell what changed after a mark that an earlier call gave; without one: everything."""
