"""Run a program, and be the parent of all that it leaves, until told to end: then all of it ends.

Usage: keeper.py program [argument …]

Where the first process of a machine is slow to take note of those that ended, who waits for their end waits for it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

SUBREAPER = 36


def keep(words: list[str]) -> None:
    """Run a program until it and all that it left have ended, or until this process is told to end."""
    libc = ctypes.CDLL(None)
    libc.prctl(SUBREAPER, 1)

    def end(_number: int, _frame: object) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, end)
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        subprocess.Popen(words)
        while True:
            os.wait()
    except (ChildProcessError, SystemExit):
        pass
    finally:
        while left := children.read_text().split():
            for child in left:
                os.kill(int(child), signal.SIGKILL)
                os.waitpid(int(child), 0)


if __name__ == "__main__":
    keep(sys.argv[1:])
