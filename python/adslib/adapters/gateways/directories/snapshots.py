"""Snapshots of a machine: tar files of its root, beside it.

Going back takes three steps, each safe to interrupt: the files are unpacked beside the root, the machine stops and
both change places, the old root goes. The next start finishes what was begun.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from adslib.adapters.gateways.directories.directory import Directory, remove, settle
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.gateway import Snapshot
from adslib.domain.names import checked_name

Pack = Callable[[Path, Path], None]
"""Writes a root to a tar file, which appears when it is complete."""

Unpack = Callable[[Path, Path], None]
"""Unpacks such a file into a new directory."""


def of(machine: Directory) -> Sequence[Snapshot]:
    """List them, oldest first."""
    return tuple(_snapshot(machine, file) for file in sorted(_files(machine), key=_time))


def create(machine: Directory, name: str, pack: Pack) -> Snapshot:
    """Save the root as it is now.

    Raises:
        Invalid: it is no name. Conflict: the name is taken. Failed: a file cannot be read or there is no room.
    """
    file = machine.snapshots / f"{checked_name(name, 'a snapshot')}.tar"
    if file.exists():
        message = f"machine '{machine.path.name}' has a snapshot '{name}' already"
        raise Conflict(message, remedy="choose another name, or delete it first")
    latest = max((_time(other) for other in _files(machine)), default=0)
    pack(machine.root, file)
    # The clock of a file system may stand still for some milliseconds, and any clock may be put back.
    if _time(file) <= latest:
        os.utime(file, ns=(latest + 1, latest + 1))
    settle(machine.snapshots)
    return _snapshot(machine, file)


def prepare(machine: Directory, name: str, unpack: Unpack, runs: bool) -> bool:
    """Unpack a snapshot beside the root.

    Returns:
        Whether the machine shall run afterwards: it runs now, or it ran before an attempt that was interrupted.

    Raises:
        NotFound: there is no such snapshot. Failed: there is no room.
    """
    file = _file(machine, name)
    if not file.is_file():
        known = ", ".join(snapshot.name for snapshot in of(machine)) or "none"
        raise NotFound(f"machine '{machine.path.name}' has no snapshot '{name}'", remedy=f"there are: {known}")
    if runs:
        _ran(machine).touch()
    half = machine.path / "unpacking"
    remove(half)
    remove(_restored(machine))
    try:
        unpack(file, half)
        half.rename(_restored(machine))
    finally:
        remove(half)
    return _ran(machine).exists()


def exchange(machine: Directory) -> None:
    """Put the unpacked snapshot, if there is one, in the place of the root of a stopped machine."""
    if not _restored(machine).exists():
        return
    remove(_replaced(machine))
    if machine.root.exists():
        machine.root.rename(_replaced(machine))
    _restored(machine).rename(machine.root)
    settle(machine.path)
    remove(_replaced(machine))


def finish(machine: Directory) -> None:
    """Note that a machine is as it shall be after going back."""
    _ran(machine).unlink(missing_ok=True)


def delete(machine: Directory, name: str) -> None:
    """Remove a snapshot; nothing happens if it is gone.

    Raises:
        NotFound: there can be no snapshot of such a name.
    """
    _file(machine, name).unlink(missing_ok=True)


def _files(machine: Directory) -> Iterator[Path]:
    return machine.snapshots.glob("[!.]*.tar")


def _time(file: Path) -> int:
    """When a snapshot was taken, in nanoseconds; no two of a machine were at the same time."""
    return file.stat().st_mtime_ns


def _snapshot(machine: Directory, file: Path) -> Snapshot:
    taken = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return Snapshot(file.stem, machine.path.name, taken)


def _file(machine: Directory, name: str) -> Path:
    try:
        return machine.snapshots / f"{checked_name(name, 'a snapshot')}.tar"
    except Invalid as error:
        raise NotFound(f"machine '{machine.path.name}' has no snapshot {name!r}") from error


def _restored(machine: Directory) -> Path:
    return machine.path / "restored"


def _replaced(machine: Directory) -> Path:
    return machine.path / "replaced"


def _ran(machine: Directory) -> Path:
    return machine.init / "runs-after-restore"
