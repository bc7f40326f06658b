"""Instance templates of local machines: tar files, and a minimal one that is made in code."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from adslib.adapters.gateways.directories import archives
from adslib.adapters.gateways.directories.directory import settle
from adslib.adapters.gateways.orders import check_choice
from adslib.domain.errors import Conflict, Failed, Invalid, NotFound
from adslib.domain.gateway import InstanceTemplate
from adslib.domain.names import checked_name

MINIMAL = "minimal"
KINDS = UPLOADED, CAPTURED = ".tar", ".machine"
"""How the files are called of those that came from elsewhere, and of those that ads packed itself."""
MINIMAL_TREE = ("etc/supervisor/conf.d", "opt", "run", "srv", "tmp", "var/lib", "var/log")


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates in a directory, one tar file each. Machines are copies: a template can go at any time.

    Args:
        directory: where they lie. os: the operating system of this host, which is that of all its local machines.
    """

    directory: Path
    os: str

    def all(self) -> Sequence[InstanceTemplate]:
        """List them by name."""
        files = [file for kind in KINDS for file in self.directory.glob(f"[!.]*{kind}")]
        found = [InstanceTemplate(file.stem, self.os, file.stat().st_size) for file in files]
        return tuple(sorted([*found, InstanceTemplate(MINIMAL, self.os)], key=lambda template: template.name))

    def check(self, name: str) -> None:
        """Make sure that there is such a template.

        Raises:
            Invalid: there is none; the message says which there are.
        """
        check_choice("instance template", name, [template.name for template in self.all()])

    def unfold(self, name: str, root: Path) -> None:
        """Make the file system of a new machine."""
        if name == MINIMAL:
            root.mkdir()
        else:
            file = self._file(name)
            archives.unpack(file, root, own=file.suffix == CAPTURED)
        # A program's configuration must always find its place, whatever the template leaves out.
        for part in MINIMAL_TREE:
            (root / part).mkdir(parents=True, exist_ok=True)
        (root / "tmp").chmod(0o1777)

    def upload(self, name: str, source: Path) -> InstanceTemplate:
        """Take a tar file, compressed or not, as a template. The same file once more changes nothing.

        Raises:
            Invalid: wrong name, no tar file, or it would write outside the machine. Conflict: the name is taken.
        """
        target = self._file(checked_name(name, "an instance template"))
        archives.check(source)
        taken = name == MINIMAL or (target.exists() and not filecmp.cmp(source, target, shallow=False))
        if taken:
            raise _taken(name)
        if not target.exists():
            self._copy(source, target)
        return InstanceTemplate(name, self.os, target.stat().st_size)

    def capture(self, name: str, packed: Path, image: str) -> InstanceTemplate:
        """Take the packed files of a machine: they come back as they were, owners and links included.

        Raises:
            Conflict: the name was taken meanwhile.
        """
        target = self.directory / f"{name}{CAPTURED}"
        self._copy(packed, target)
        return InstanceTemplate(name, self.os, target.stat().st_size)

    def delete(self, name: str) -> None:
        """Remove a template; nothing happens if it is gone.

        Raises:
            Invalid: it is built in. NotFound: there can be no template of such a name.
        """
        if name == MINIMAL:
            raise Invalid(f"instance template '{MINIMAL}' is built in and stays")
        try:
            self._file(checked_name(name, "an instance template")).unlink(missing_ok=True)
        except Invalid as error:
            raise NotFound(f"there is no instance template {name!r}") from error

    def _file(self, name: str) -> Path:
        captured = self.directory / f"{name}{CAPTURED}"
        return captured if captured.exists() else self.directory / f"{name}{UPLOADED}"

    def _copy(self, source: Path, target: Path) -> None:
        """Keep a file that nobody else may read, unless somebody was faster with another of this name.

        Raises:
            Conflict: somebody was. Failed: it cannot be stored.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.directory, prefix=".", suffix=".new") as file, source.open("rb") as old:
                shutil.copyfileobj(old, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
                if target.suffix == UPLOADED:
                    archives.check(Path(file.name))  # the file that we keep, should the other have changed meanwhile
                try:
                    os.link(file.name, target)
                except FileExistsError:
                    if not filecmp.cmp(file.name, target, shallow=False):
                        raise _taken(target.stem) from None
            settle(self.directory)
        except OSError as error:
            raise Failed(f"instance template '{target.stem}' cannot be stored ({error})", place=str(target)) from error


def _taken(name: str) -> Conflict:
    return Conflict(f"there is another instance template '{name}'", remedy="choose another name or delete it")
