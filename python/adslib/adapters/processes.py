"""Processes of this host: who owns a job, whether it lives, and what a job left running.

A job's processes carry the marker `ADS_JOB=<id>` in their environment; process groups are no help, since each
worker of ansible-core 2.19 has a session of its own.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from adslib.domain.job import JOB_MARKER, Owner

PROC = Path("/proc")
LONGEST_BEGINNING = 5.0
"""Seconds to wait for a process that is just being started; an instant, but where the host is very busy."""
ASKED = 5.0
"""Seconds that what is asked to end has for it."""
KILLED = 30.0
"""Seconds until what was killed has ended: an instant, but where the host is very busy, or its disk."""


def started(pid: int) -> int:
    """Start time of a process in clock ticks since boot; 0: there is none."""
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return 0
    fields = stat.rpartition(b")")[2].split()
    return 0 if fields[0] == b"Z" else int(fields[19])


def owner_of(pid: int, *, person: bool = False) -> Owner:
    """A process of this host as the owner of a job."""
    return Owner(socket.gethostname(), pid, started(pid), person)


def this_process() -> Owner:
    """The calling process as the owner of a job."""
    return owner_of(os.getpid())


def alive(owner: Owner) -> bool | None:
    """Whether the owner still runs; None: it is on another host, only its lease can tell."""
    if owner.host != socket.gethostname():
        return None
    return started(owner.pid) == owner.started != 0


def gone(owner: Owner | None, lease: datetime | None, at: datetime) -> bool:
    """Whether the owner of something is gone: dead on this host, or silent beyond its lease on another."""
    living = alive(owner) if owner else None
    return (lease is None or lease < at) if living is None else not living


def marked(job_id: str) -> list[int]:
    """Processes of this host that carry the marker of a job, without the calling one."""
    wanted = f"{JOB_MARKER}={job_id}".encode()
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in _environment(entry).split(b"\0") and started(int(entry.name)):
                    found.append(int(entry.name))
    return sorted(found)


def _environment(entry: Path) -> bytes:
    """The environment of a process.

    While the kernel loads its program, a process that is being started shows no environment at all, though it has one:
    whoever believed that would leave it running. It has no words yet either, but a program, as no kernel thread has.
    """
    until = time.monotonic() + LONGEST_BEGINNING
    while not (variables := (entry / "environ").read_bytes()):
        if (entry / "cmdline").read_bytes() or time.monotonic() > until:
            # The kernel notes the environment right after the words.
            return (entry / "environ").read_bytes()
        (entry / "exe").readlink()
        time.sleep(0.001)
    return variables


def end_marked(job_id: str, asked: float | None = None) -> bool:
    """End every process that carries a job's marker: ask, wait, then kill.

    Args:
        asked: seconds from asking to killing; None: `ASKED`.

    Returns:
        Whether all are gone; False only after they were killed, and `KILLED` seconds more.
    """
    to_kill = time.monotonic() + (ASKED if asked is None else asked)
    to_give_up = math.inf
    told: set[int] = set()
    while True:
        # Before it looks: whoever stands still while it looks, on a very busy host, knows nothing new afterwards.
        now = time.monotonic()
        pids = marked(job_id)
        if not pids:
            return True
        if now > to_give_up:
            return False
        hard = now > to_kill
        for pid in pids:
            if hard or pid not in told:
                told.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if hard else signal.SIGTERM)
        if hard:
            to_give_up = min(to_give_up, time.monotonic() + KILLED)
        time.sleep(0.05)


def hold(job_id: str, attempt: int, pid: int, environ: Mapping[str, str]) -> None:
    """Start the detached process that keeps a job alive while another process lives.

    Args:
        pid: the process that carries the job out. environ: settings of ads, laid over this process's environment.
    """
    words = [job_id, str(attempt), str(pid), str(started(pid))]
    subprocess.Popen(
        [sys.executable, "-m", "adslib.entrypoints.holder", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env={**os.environ, **environ},
    )
