"""The directory of one machine: what lies where, and what is recorded about it.

<id>/machine.json    what is known about it, written once
     root/           its file system, or what differs in it from the one that it stands on
     init/           configuration, record and logs of its init
     snapshots/      <name>.tar of root/
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from adslib.domain.errors import Failed
from adslib.domain.machine import Size


@dataclass(frozen=True, slots=True)
class Record:
    """What stays true of a machine from its making to its end; `created` is ISO 8601 in UTC."""

    id: str
    name: str
    size: Size
    os: str
    location: str
    image: str
    address: str
    created: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Directory:
    """The paths of a machine that stands, or of one that is half made or half deleted."""

    path: Path

    @property
    def root(self) -> Path:
        return self.path / "root"

    @property
    def init(self) -> Path:
        return self.path / "init"

    @property
    def snapshots(self) -> Path:
        return self.path / "snapshots"

    @property
    def record_file(self) -> Path:
        return self.path / "machine.json"

    @property
    def unstarted(self) -> Path:
        """A mark that stands from the making of a machine to the end of its first start."""
        return self.init / "unstarted"

    def read(self) -> Record:
        """Read what is recorded.

        Raises:
            Failed: it cannot be read, or is no record.
        """
        try:
            text = json.loads(self.record_file.read_text(encoding="utf-8"))
            return Record(**{**text, "size": Size(**text["size"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Failed(
                f"the record of a machine cannot be read ({error})",
                place=str(self.record_file),
                remedy="delete the machine, or put the file back from a backup",
            ) from error

    def write(self, record: Record) -> None:
        """Record a machine, for good: the data has reached the disk when this returns."""
        write(self.record_file, json.dumps(asdict(record), indent=2, sort_keys=True) + "\n")


def write(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader sees the old or the new text, also after a power cut."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    settle(path.parent)


def settle(directory: Path) -> None:
    """Have the names in a directory reach the disk."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(tree: Path) -> None:
    """Remove a directory with all that is in it, also what lies in directories without write permission.

    Raises:
        Failed: something in it cannot be removed.
    """
    for _attempt in range(3):
        if not tree.exists():
            return
        try:
            shutil.rmtree(tree)
        except PermissionError as error:
            problem: OSError = error
            _unlock(tree)
        except OSError as error:  # a file may vanish or appear while its program ends
            problem = error
        else:
            return
    raise Failed(f"it cannot be removed ({problem})", place=str(tree), remedy="remove it as its owner, then try again")


def _unlock(tree: Path) -> None:
    """Give ourselves access to all directories of a tree, where they are ours."""
    with suppress(OSError):
        tree.chmod(stat.S_IRWXU)
    for parent, names, _files in os.walk(tree):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(stat.S_IRWXU)
