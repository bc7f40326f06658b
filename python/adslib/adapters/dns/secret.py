"""Secrets of TSIG keys: read where they lie when they are needed, and kept nowhere."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path

from adslib.domain.errors import Failed

LONGEST = 4096


def read_secret(reference: str, place: str) -> str:
    """The secret, in base64, that `env:NAME` or `file:/path` leads to.

    Args:
        place: what it is for, named in errors.

    Raises:
        Failed: it is not there, anybody may read it, or it is no base64; the message never has it.
    """
    kind, _, where = reference.partition(":")
    text = os.environ.get(where, "") if kind == "env" else _of_file(Path(where), place)
    remedy = "put the secret of the TSIG key there, in base64 as the server has it"
    if not text.strip():
        raise Failed(f"{reference} is not set" if kind == "env" else f"{where} is empty", place=place, remedy=remedy)
    try:
        base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Failed(f"{reference} holds no secret: it is no base64", place=place, remedy=remedy) from None
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
            return os.read(file, LONGEST).decode("ascii", errors="replace")
        finally:
            os.close(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Failed(f"{path} cannot be read: {reason}", place=place, remedy="say where the secret lies") from None
