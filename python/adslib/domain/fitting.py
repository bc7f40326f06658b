"""What an instance asks of a machine, and whether one will do (A5, A7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from adslib.domain.definition import Need
from adslib.domain.machine import Machine, Size

OWN_SYSTEM = "system"
"""The capability of a machine that has its own `/`: any role may run there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A need made exact: what the machine of an instance must be.

    Args:
        above: sizes that are too large for it.
    """

    service: str
    need: Need
    size: Size
    location: str
    capabilities: frozenset[str]
    above: tuple[Size, ...] = ()

    def takes(self, size: Size) -> bool:
        """Whether a size is large enough, and not too large."""
        return size.holds(self.size) and not any(map(size.holds, self.above))

    def __str__(self) -> str:
        parts = [self.need.size or "any size", self.need.os, self.need.kind]
        text = " ".join(part for part in parts if part)
        if self.location:
            text += f" in {self.location}"
        if self.need.gateway:
            text += f" from gateway {self.need.gateway}"
        return text + (f" with {', '.join(sorted(self.capabilities))}" if self.capabilities else "")


@dataclass(slots=True)
class Load:
    """What stands on a machine so far."""

    services: set[str] = field(default_factory=set)
    exclusive: bool = False
    cpu: float = 0.0
    memory: int = 0

    def takes(self, wanted: Wanted, size: Size) -> bool:
        need = wanted.need
        alone = self.exclusive or not need.shared or (need.spread and wanted.service in self.services)
        if self.services and alone:
            return False
        # Cores are fractions: their sum depends on the order of adding, and what stands must fit in any order.
        enough = self.cpu + need.cpu <= size.cpu + 1e-9 and self.memory + need.memory <= size.memory
        return enough or not need.shared

    def add(self, wanted: Wanted) -> None:
        self.services.add(wanted.service)
        self.exclusive = not wanted.need.shared
        self.cpu += wanted.need.cpu
        self.memory += wanted.need.memory


Spec = tuple[str, str, str, str, Size, frozenset[str]]
"""Location, operating system, kind, gateway, size, capabilities: machines alike in these are one class."""


def fits(spec: Spec, wanted: Wanted) -> bool:
    """Whether a class of machines will do."""
    location, system, kind, gateway, size, capabilities = spec
    need = wanted.need
    return (
        (not wanted.location or location == wanted.location)
        and (not need.os or runs(system, need.os))
        and (not need.kind or kind == need.kind)
        and (not need.gateway or gateway == need.gateway)
        and wanted.takes(size)
        and wanted.capabilities <= capabilities
    )


def runs(system: str, wanted: str) -> bool:
    """Whether an operating system is the wanted one: `debian` means `debian-12` too."""
    return wanted in (system, system.partition("-")[0])


def spec_of(machine: Machine) -> Spec:
    """The class of a machine."""
    # A local machine that is not made yet has no root to tell it by.
    local = machine.reach.root or machine.kind == "process"
    own = machine.capabilities if local else machine.capabilities | {OWN_SYSTEM}
    return (machine.location, machine.os, machine.kind, machine.gateway, machine.size, own)


def lack(capabilities: frozenset[str]) -> str:
    return "packages of its own" if "packages" in capabilities else "roles that change the whole system"
