"""Seeing what containers are right now, and how they are reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from adslib.adapters.gateways.directories.directory import Directory, Record
from adslib.adapters.gateways.directories.looking import State
from adslib.adapters.gateways.lxc import reaching
from adslib.adapters.gateways.lxc.containers import RUNNING, STOPPED, Containers
from adslib.adapters.gateways.lxc.network import wanted
from adslib.adapters.gateways.surroundings import HostKeys
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Reach

SIDE_BY_SIDE = 8
ON_THE_WAY: Mapping[str, State] = {
    "STARTING": (MachineState.CREATING, "it boots"),
    "STOPPING": (MachineState.STOPPED, "it shuts down"),
    "ABORTING": (MachineState.STOPPED, "it shuts down"),
}


@dataclass(frozen=True, slots=True)
class Eyes:
    """What this host shows of containers.

    Args:
        key: the private key that lets in. host_keys: where theirs were pinned when they were made.
    """

    containers: Containers
    key: Path
    host_keys: HostKeys
    kind: str = "container"
    capabilities: frozenset[str] = frozenset({"packages", "systemd"})

    def states(self, machines: Sequence[Directory]) -> Sequence[State]:
        """Their states, looked at side by side."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(self._state, machines))

    def reach(self, machine: Directory, record: Record) -> Reach:
        """How one is reached: over SSH, and by its own bridge, as another may have the same addresses."""
        ways = (self.host_keys.arguments(record.id), reaching.arguments(self.containers.bridge.name))
        variables = {"ansible_ssh_common_args": " ".join(filter(None, ways))}
        return Reach(address=record.address, user="root", key=str(self.key), python="/usr/bin/python3", vars=variables)

    def _state(self, machine: Directory) -> State:
        said = self.containers.state(machine)
        if said == RUNNING:
            return MachineState.RUNNING, ""
        if said != STOPPED:
            return ON_THE_WAY.get(said, (MachineState.FAILED, f"it is {said.lower()}; a reboot brings it back"))
        if machine.unstarted.exists():
            return MachineState.CREATING, "it was never started"
        if wanted(machine).exists():
            return MachineState.STOPPED, "it was shut down from within, or this host was restarted"
        return MachineState.STOPPED, ""
