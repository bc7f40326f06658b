"""Seeing what a machine is right now, from facts alone: its directory, and what its gateway sees of its processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adslib.adapters.gateways.directories.directory import Directory, Record
from adslib.adapters.gateways.directories.machines import DELETING, MAKING, identity
from adslib.domain.errors import Failed
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Reach

State = tuple[MachineState, str]
"""A state, and why, where that is not plain."""


class Eyes(Protocol):
    """What a gateway sees of its machines."""

    @property
    def kind(self) -> str:
        """The kind of its machines."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What roles may use there."""

    def states(self, machines: Sequence[Directory]) -> Sequence[State]:
        """The states of machines that stand, in the same order."""

    def reach(self, machine: Directory, record: Record) -> Reach:
        """How one is reached."""


def sights(machines: Sequence[Directory], eyes: Eyes) -> tuple[Sighting, ...]:
    """Look at machines, half made and half deleted ones too."""
    return tuple(_sight(machine, *seen, eyes) for machine, seen in zip(machines, eyes.states(machines), strict=True))


def _sight(machine: Directory, state: MachineState, reason: str, eyes: Eyes) -> Sighting:
    name = identity(machine.path)
    for prefix, half in ((MAKING, MachineState.CREATING), (DELETING, MachineState.DELETING)):
        if machine.path.name.startswith(prefix):
            return Sighting(name, name, half, id=name, kind=eyes.kind, reason="this was not completed yet")
    try:
        record = machine.read()
    except Failed as error:
        if not machine.path.exists():
            return Sighting(name, name, MachineState.DELETING, id=name, kind=eyes.kind)
        return Sighting(name, name, MachineState.FAILED, id=name, kind=eyes.kind, reason=str(error))
    return Sighting(
        ref=name,
        name=record.name,
        state=state,
        id=record.id,
        kind=eyes.kind,
        size=record.size,
        os=record.os,
        location=record.location,
        image=record.image,
        reach=eyes.reach(machine, record),
        capabilities=eyes.capabilities,
        reason=reason,
    )
