"""Seeing what local machines are right now: their processes, and the answers of their inits."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from adslib.adapters.gateways.directories.directory import Directory, Record
from adslib.adapters.gateways.directories.looking import State
from adslib.adapters.gateways.local import processes
from adslib.adapters.gateways.local.control import Control
from adslib.adapters.gateways.local.processes import Process
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Connection, Reach


@dataclass(frozen=True, slots=True)
class Eyes:
    """What this host shows of local machines."""

    control: Control
    kind: str = "process"
    capabilities: frozenset[str] = frozenset()

    def states(self, machines: Sequence[Directory]) -> Sequence[State]:
        """Their states, looked at side by side."""
        marked = processes.marked(processes.running().values())
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda machine: self._state(machine, marked.get(str(machine.path), ())), machines))

    def reach(self, machine: Directory, record: Record) -> Reach:
        """How one is reached: on this host, by its directory."""
        return Reach(
            connection=Connection.LOCAL,
            address=record.address,
            root=str(machine.root),
            python=sys.executable,
            vars={
                "ads_init": str(machine.init / "supervisord.conf"),
                "ads_init_socket": str(self.control.socket_of(machine)),
            },
        )

    def _state(self, machine: Directory, marked: Collection[Process]) -> State:
        """The state of one.

        Args:
            marked: the processes of this host that carry its mark.
        """
        init = self.control.init_of(machine)
        if init:
            if self.control.answers(machine):
                return MachineState.RUNNING, ""
            if init.lives():
                return MachineState.FAILED, f"its init (process {init.pid}) does not answer; a reboot brings it back"
        # The init may have ended, in order, since we looked for what carries its mark.
        left = sorted(process.pid for process in marked if process.lives() and process != init)
        if left:
            numbers = ", ".join(map(str, left))
            return MachineState.FAILED, f"its init is gone but process {numbers} is left; stopping it ends that"
        if machine.unstarted.exists():
            return MachineState.CREATING, "it was never started"
        if (machine.init / "pid").exists():
            return MachineState.STOPPED, "its init was killed, or this host was restarted"
        return MachineState.STOPPED, ""
