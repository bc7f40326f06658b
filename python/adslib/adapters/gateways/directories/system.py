"""Which operating system there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def release(root: Path = Path("/")) -> Mapping[str, str]:
    """What the file os-release below a directory says; empty if there is none."""
    known = {}
    for place in (root / "etc/os-release", root / "usr/lib/os-release"):
        if place.is_file():
            for line in place.read_text(errors="replace").splitlines():
                name, _, value = line.partition("=")
                known[name.strip()] = value.strip().strip("\"'")
            break
    return known


def system_of(root: Path = Path("/")) -> str:
    """The operating system below a directory as definitions name it, like `debian-12`."""
    known = release(root)
    return "-".join(filter(None, (known.get("ID", "linux"), known.get("VERSION_ID"))))
