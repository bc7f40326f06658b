"""Locks between processes of one host, held by an open file and so given back when their process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adslib.domain.errors import Conflict


@contextmanager
def locked(path: Path, what: str, seconds: float) -> Iterator[None]:
    """Hold the lock of a file, made on the way, while the block runs.

    Raises:
        Conflict: somebody else held it all that time.
    """
    deadline = time.monotonic() + seconds
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            take(handle, what, max(0, deadline - time.monotonic()))
            # Its last holder may have removed the file while we waited: then the lock is worth nothing.
            if _same_file(handle, path):
                yield
                return
        finally:
            os.close(handle)


def take(handle: int, what: str, seconds: float) -> None:
    """Lock an open file or directory for this process.

    Raises:
        Conflict: somebody else held it all that time.
    """
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"{what}: another process has been busy with it for {seconds:.0f} s"
                raise Conflict(message, remedy="wait for it and try again") from None
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        else:
            return


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
