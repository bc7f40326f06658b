"""The processes of a machine, found by facts of /proc: by descent from its init, and by a mark in their environment."""

from __future__ import annotations

import math
import os
import select
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
INIT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process, named for good by its number and its start time in clock ticks since boot."""

    pid: int
    start: int
    parent: int = field(default=0, compare=False)

    def lives(self) -> bool:
        """Whether it still runs; one that only waits to be collected by its parent does not."""
        now = _read(self.pid)
        return now is not None and now.start == self.start

    def signal(self, number: int) -> None:
        """Send it a signal; nothing happens if it is gone or belongs to another user."""
        with suppress(ProcessLookupError, PermissionError):
            handle = os.pidfd_open(self.pid)
            try:
                # The handle pins the number, so the process that is checked is the one that gets the signal.
                if self.lives():
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    def wait(self, seconds: float) -> bool:
        """Wait until it is gone; False if it still runs after that time."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            waiting = select.poll()
            waiting.register(handle, select.POLLIN)
            if self.lives():
                waiting.poll(max(0, int(seconds * 1000)))
            return not self.lives()
        finally:
            os.close(handle)


def marks(machine_id: str, directory: Path) -> dict[str, str]:
    """The variables that every process of a machine carries; the directory tells equal ids of two homes apart."""
    return {"ADS_MACHINE": machine_id, "ADS_MACHINE_DIR": str(directory)}


def running() -> dict[int, Process]:
    """All processes of this host that run now."""
    found = (_read(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit())
    return {process.pid: process for process in found if process}


def marked(everyone: Iterable[Process]) -> dict[str, list[Process]]:
    """The processes that belong to local machines, by the directory of their machine."""
    found: dict[str, list[Process]] = {}
    for process in everyone:
        directory = _mark(process.pid)
        if directory:
            found.setdefault(directory, []).append(process)
    return found


def descendants(init: Process, everyone: Mapping[int, Process]) -> set[Process]:
    """All that an init started, directly or not."""
    children: dict[int, list[Process]] = {}
    for process in everyone.values():
        children.setdefault(process.parent, []).append(process)
    found: set[Process] = set()
    ahead = [init.pid]
    while ahead:
        for child in children.get(ahead.pop(), ()):
            if child not in found:
                found.add(child)
                ahead.append(child.pid)
    return found


def of_machine(directory: Path, init: Process | None) -> set[Process]:
    """All processes of a machine but its init."""
    everyone = running()
    found = set(marked(everyone.values()).get(str(directory), ()))
    if init and everyone.get(init.pid) == init:
        found |= descendants(init, everyone)
    return {process for process in found if init is None or process.pid != init.pid}


def end(directory: Path, init: Process | None, seconds: float) -> set[Process]:
    """Kill all processes of a machine, its init last, and return those that are left that time after they were killed.

    The init goes last because it is the parent of all that lost theirs: as long as it lives, nothing can hide. But
    what it starts anew again and again would keep it alive for ever.
    """
    killed = math.inf
    while True:
        # Before it looks: whoever stands still while it looks, on a very busy host, knows nothing new afterwards.
        since = time.monotonic() - killed
        left = of_machine(directory, init)
        alive = init is not None and init.lives()
        if not left and not alive:
            return set()
        if since > seconds:
            return left | ({init} if init and alive else set())
        if init is not None and alive and (not left or since > INIT_SECONDS):
            init.signal(signal.SIGKILL)
        for process in left:
            process.signal(signal.SIGKILL)
        killed = min(killed, time.monotonic())
        time.sleep(0.02)


def _read(pid: int) -> Process | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name of the program stands in parentheses and may itself hold blanks and parentheses.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else Process(pid, int(fields[19]), int(fields[1]))


def _mark(pid: int) -> str:
    """The machine directory in the environment of a process; empty if it has none or is another user's."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return ""
    if b"ADS_MACHINE=" not in environment:
        return ""
    for variable in environment.split(b"\0"):
        name, _, value = variable.partition(b"=")
        if name == b"ADS_MACHINE_DIR":
            return os.fsdecode(value)
    return ""
