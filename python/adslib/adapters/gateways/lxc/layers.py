"""The layer of a container as a tar file: with owners, marks of the overlay, and the traces of what it deleted."""

from __future__ import annotations

from pathlib import Path

from adslib.adapters.gateways.lxc.programs import run

ALL = ("--numeric-owner", "--xattrs", "--xattrs-include=*")
SECONDS = 1800.0
CHANGED_MEANWHILE = 1


def pack(root: Path, target: Path) -> None:
    """Write a layer to a tar file, which appears when it is complete; nobody else may read it, see `archives.pack`.

    Raises:
        Failed: something cannot be read, or there is no room.
    """
    new = target.with_name(f".{target.name}.new")
    try:
        words = (
            "tar",
            "--create",
            "--sparse",
            "--warning=no-file-ignored",
            *ALL,
            "--file",
            str(new),
            "-C",
            str(root),
            ".",
        )
        new.touch(0o600)
        run(*words, seconds=SECONDS, fine=(0, CHANGED_MEANWHILE))
        new.rename(target)
    finally:
        new.unlink(missing_ok=True)


def unpack(source: Path, root: Path) -> None:
    """Unpack such a file into a new directory.

    Raises:
        Failed: there is no room.
    """
    root.mkdir()
    run("tar", "--extract", "--preserve-permissions", *ALL, "--file", str(source), "-C", str(root), seconds=SECONDS)
