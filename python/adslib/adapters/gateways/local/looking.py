"""Seeing what a local machine is right now, from facts alone: its directory, its processes, the answer of its init."""

from __future__ import annotations

import sys
from collections.abc import Collection

from adslib.adapters.gateways.local.control import Control
from adslib.adapters.gateways.local.directory import Directory
from adslib.adapters.gateways.local.machines import DELETING, MAKING, identity
from adslib.adapters.gateways.local.processes import Process
from adslib.domain.errors import Failed
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Connection, Reach

KIND = "process"


def sight(machine: Directory, control: Control, marked: Collection[Process]) -> Sighting:
    """Look at one machine.

    Args:
        marked: the processes of this host that carry its mark.
    """
    name = identity(machine.path)
    for prefix, state in ((MAKING, MachineState.CREATING), (DELETING, MachineState.DELETING)):
        if machine.path.name.startswith(prefix):
            return Sighting(ref=name, name=name, state=state, id=name, kind=KIND, reason="this was not completed yet")
    try:
        record = machine.read()
    except Failed as error:
        if not machine.path.exists():
            return Sighting(ref=name, name=name, state=MachineState.DELETING, id=name, kind=KIND)
        return Sighting(ref=name, name=name, state=MachineState.FAILED, id=name, kind=KIND, reason=str(error))
    state, reason = _state(machine, control, marked)
    return Sighting(
        ref=name,
        name=record.name,
        state=state,
        id=record.id,
        kind=KIND,
        size=record.size,
        os=record.os,
        location=record.location,
        image=record.image,
        reach=Reach(
            connection=Connection.LOCAL,
            address=record.address,
            root=str(machine.root),
            python=sys.executable,
            vars={
                "ads_init": str(machine.init / "supervisord.conf"),
                "ads_init_socket": str(control.socket_of(machine)),
            },
        ),
        reason=reason,
    )


def _state(machine: Directory, control: Control, marked: Collection[Process]) -> tuple[MachineState, str]:
    """The state of a machine that stands, and why, where that is not plain."""
    init = control.init_of(machine)
    if init:
        if control.answers(machine):
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
