"""The init of a local machine: started as a script of its own, it becomes supervisord and outlives whoever started it.

It is the reaper of all its descendants: what daemonises itself becomes its child and ends with it. Nothing of adslib
is imported here, so that a machine starts fast and stays small.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
TERM_SECONDS = 1.5
KILL_SECONDS = 3.0


def main(library: str, machine: str) -> None:
    """Detach, record the process as the machine's init, and run supervisord until it is told to stop.

    Args:
        library: the folder that supervisor is installed in. machine: the machine's directory.
    """
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        os.read(reader, 1)  # returns when the child has written its record, or is gone
        os._exit(0)
    os.close(reader)
    os.setsid()
    give_signals_their_defaults()
    adopt_orphans()
    os.chdir(machine)
    os.umask(0o022)
    record = Path("init", "pid")
    record.with_name("pid.new").write_text(f"{os.getpid()} {start_time()}\n")
    record.with_name("pid.new").rename(record)
    os.close(writer)
    code = run_supervisord(library)
    end_children()
    sys.stdout.flush()
    sys.stderr.flush()
    record.unlink(missing_ok=True)
    os._exit(code)  # at once: a process without a record looks like something left behind


def give_signals_their_defaults() -> None:
    """Undo what a caller like nohup left ignored or blocked; programs would inherit it."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    # Python itself ignores these two and supervisord counts on it.
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) was refused")


def start_time() -> str:
    """When this process started, in clock ticks since boot: with the pid it names the process for good."""
    return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]


def run_supervisord(library: str) -> int:
    """Run supervisord in this very process; returns its exit code."""
    try:
        sys.path.append(library)
        from supervisor import supervisord

        supervisord.main(["-n", "-c", "init/supervisord.conf"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 – whatever it is, the children must end
        traceback.print_exc()
        return 1
    return 0


def end_children() -> None:
    """End what supervisord did not know of. As its children end, their children become ours in turn."""
    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        told: set[int] = set()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not reap():
                return
            for pid in children() - told:
                os.kill(pid, number)  # not reaped yet, so the number cannot belong to anybody else
                told.add(pid)
            time.sleep(0.02)


def reap() -> bool:
    """Collect the children that have ended; False when there are no others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def children() -> set[int]:
    """The processes whose parent is this one."""
    found = set()
    own = str(os.getpid())
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == own:
                found.add(int(entry.name))
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
