"""Starting and stopping containers, by the programs of lxc; what runs is asked of them, never remembered."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore

from adslib.adapters.gateways.directories.directory import Directory
from adslib.adapters.gateways.lxc.limits import remove_groups
from adslib.adapters.gateways.lxc.network import Bridge
from adslib.adapters.gateways.lxc.programs import processes_with, run
from adslib.adapters.gateways.lxc.reaching import connected
from adslib.domain.errors import Failed

STOPPED, RUNNING = "STOPPED", "RUNNING"
LOOK_EVERY = 0.05
LAST_SECONDS = 60.0
TAKING_SECONDS, GREETING_SECONDS = 1.0, 15.0
"""Until nobody takes a connection, and until whoever took it says nothing."""


@dataclass(frozen=True, slots=True)
class Containers:
    """The containers of one gateway.

    Args:
        bridge: that they are on. mark: what the names of their control groups begin with.
        patience: seconds until sshd of one that was started answers. grace: seconds to shut down in, then it is killed.
        turns: how many of them boot at a time.
    """

    bridge: Bridge
    mark: str
    patience: float
    grace: float
    turns: BoundedSemaphore

    def state(self, machine: Directory) -> str:
        """What lxc says of a container, like `RUNNING`; one that it does not know is stopped."""
        said = run("lxc-info", *_named(machine), "-s", "-H", fine=(0, 1))
        return said.strip() or STOPPED

    def runs(self, machine: Directory) -> bool:
        """Whether anything of it runs."""
        return self.state(machine) != STOPPED

    def answers(self, machine: Directory) -> bool:
        """Whether it runs and is not frozen or on its way to an end."""
        return self.state(machine) == RUNNING

    def start(self, machine: Directory) -> None:
        """Boot it, and wait until its sshd answers.

        Raises:
            Failed: it does not start, or not in time.
        """
        with self.turns:
            self._boot(machine)

    def _boot(self, machine: Directory) -> None:
        self.bridge.use(machine)
        _end_starting(machine)
        remove_groups(self.group(machine))
        (machine.init / "console").unlink(missing_ok=True)
        run("lxc-start", *_named(machine), "-d", "-l", "WARN", "-o", str(machine.init / "log"))
        address, until = machine.read().address, time.monotonic() + self.patience
        while not greets(address, self.bridge.name):
            if not self.runs(machine):
                raise self._dead(machine, "it ended while it booted")
            if time.monotonic() > until:
                raise self._dead(machine, f"its sshd did not answer on {address} within {self.patience:g} s")
            time.sleep(LOOK_EVERY)

    def stop(self, machine: Directory) -> None:
        """Shut it down; what takes too long is killed. What this host had for it is taken away.

        Raises:
            Failed: it does not end.
        """
        _end_starting(machine)
        if self.runs(machine):
            run("lxc-stop", *_named(machine), "-t", f"{max(1, self.grace):.0f}", fine=(0, 1, 2))
        until = time.monotonic() + LAST_SECONDS
        while self.runs(machine):
            if time.monotonic() > until:
                raise Failed(f"container '{machine.path.name}' cannot be stopped", place=str(machine.path))
            run("lxc-stop", *_named(machine), "-k", fine=(0, 1, 2))
        _await_end(machine)
        remove_groups(self.group(machine))
        self.bridge.leave(machine)

    def group(self, machine: Directory) -> str:
        """The name of its control groups."""
        return group(self.mark, machine.path.name)

    def _dead(self, machine: Directory, what: str) -> Failed:
        said = "".join(
            path.read_text(errors="replace")[-600:].strip() + "; "
            for path in (machine.init / "log", machine.init / "console")
            if path.exists()
        )
        where = str(machine.path)
        return Failed(f"container '{machine.path.name}' does not start: {what}; {said}".rstrip("; "), place=where)


def group(mark: str, machine_id: str) -> str:
    """The name of a container's control groups, which no other gateway's has."""
    return f"ads-{mark}-{machine_id}"


def greets(address: str, bridge: str) -> bool:
    """Whether an sshd answers at an address of a bridge."""
    with suppress(OSError), connected(bridge, address, 22, TAKING_SECONDS) as asking:
        # Where a host is busy sshd is slow to speak, and would be slower if each connection were given up for another.
        asking.settimeout(GREETING_SECONDS)
        return asking.recv(4) == b"SSH-"
    return False


def _end_starting(machine: Directory) -> None:
    """End a program that is still starting a container though whoever called it was killed."""
    for pid in processes_with(b"\0".join(map(os.fsencode, ("lxc-start", *_named(machine), "")))):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _await_end(machine: Directory) -> None:
    """Wait for the process that watched over a container that has ended: it clears up, and is the last to go."""
    until = time.monotonic() + LAST_SECONDS
    while watching := processes_with(os.fsencode(f"[lxc monitor] {machine.path.parent} {machine.path.name}\0")):
        if time.monotonic() > until:
            raise Failed(f"container '{machine.path.name}' ended, but its monitor (process {watching[0]}) does not")
        time.sleep(LOOK_EVERY)


def _named(machine: Directory) -> tuple[str, ...]:
    return ("-P", str(machine.path.parent), "-n", machine.path.name)
