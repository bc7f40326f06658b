"""Secrets: read where they lie when they are needed, and kept nowhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from adslib.domain.errors import Failed

LONGEST = 65536


def read_secret(reference: str, place: str) -> str:
    """The secret that `env:NAME` or `file:/path` leads to, without blanks around it.

    Args:
        place: what it is for, named in errors.

    Raises:
        Failed: it is not there, or anybody may read it; the message never has it.
    """
    kind, _, where = reference.partition(":")
    text = os.environ.get(where, "") if kind == "env" else _of_file(Path(where), place)
    if not text.strip():
        told = f"{reference} is not set" if kind == "env" else f"{where} is empty"
        raise Failed(told, place=place, remedy="put the secret there")
    return text.strip()


def _of_file(path: Path, place: str) -> str:
    try:
        # Looked at when open, so that nobody puts another one in its place meanwhile; a pipe would let us wait.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            mode = os.fstat(file).st_mode
            if not stat.S_ISREG(mode):
                raise Failed(f"{path} is no file", place=place, remedy="name a file that holds the secret")
            if mode & stat.S_IRWXO:
                told = f"anybody on this host may read or change {path}"
                raise Failed(told, place=place, remedy=f"run: chmod 600 {path}")
            return os.read(file, LONGEST).decode("utf-8", errors="replace")
        finally:
            os.close(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Failed(f"{path} cannot be read: {reason}", place=place, remedy="say where the secret lies") from None
