"""Instance templates of containers: tar files, unpacked once, that machines stand on.

One with an init is a whole file system; any other is laid over the foundation. One that was made of a machine lies over
what that machine stood on. What something stands on stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import file_digest
from pathlib import Path

from adslib.adapters.gateways.directories import archives
from adslib.adapters.gateways.directories.directory import remove, settle, write
from adslib.adapters.gateways.directories.system import system_of
from adslib.adapters.gateways.locks import locked
from adslib.adapters.gateways.lxc import layers
from adslib.adapters.gateways.lxc.foundations import Foundations
from adslib.adapters.gateways.orders import check_choice
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.gateway import InstanceTemplate
from adslib.domain.names import checked_name

INITS = ("sbin/init", "usr/sbin/init", "lib/systemd/systemd", "usr/lib/systemd/systemd")
BUSY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates in a directory, and the foundation, which is one too.

    Args:
        directory: where they lie. machines: where the machines are that may stand on them.
    """

    directory: Path
    machines: Path
    foundations: Foundations

    def all(self) -> Sequence[InstanceTemplate]:
        """List them by name."""
        files = self.directory.glob("[!.]*/template.json") if self.directory.is_dir() else ()
        found = [self._read(file.parent) for file in files]
        own = InstanceTemplate(self.foundations.os, self.foundations.os)
        return tuple(sorted([*found, own], key=lambda template: template.name))

    def check(self, name: str) -> None:
        """Make sure that there is such a template.

        Raises:
            Invalid: there is none; the message says which there are.
        """
        check_choice("instance template", name, [template.name for template in self.all()])

    @contextmanager
    def held(self, name: str) -> Iterator[list[Path]]:
        """The directories that a machine of a template stands on, the upper first; it stays while the block runs."""
        if name == self.foundations.os:
            yield [self.foundations.ready()]
            return
        with self._alone():
            self.check(name)
            yield self._layers(name)

    def _layers(self, name: str) -> list[Path]:
        if name == self.foundations.os:
            return [self.foundations.ready()]
        root = self.directory / name / "root"
        whole = any((root / init).exists() or (root / init).is_symlink() for init in INITS)
        return [root] if whole else [root, *self._layers(self._below(self.directory / name) or self.foundations.os)]

    def capture(self, name: str, packed: Path, image: str) -> InstanceTemplate:
        """Take the layer of a machine; who it is stays out.

        Args:
            image: what the machine stands on; the template does so, too.
        """
        place = self.directory / name

        def unfold(root: Path) -> None:
            layers.unpack(packed, root)
            for path in (*root.glob("etc/ssh/ssh_host_*"), *root.glob("root/.ssh/authorized_keys")):
                path.unlink()

        with self._alone():
            if place.exists():
                raise Conflict(f"there is another instance template '{name}'", remedy="choose another name")
            os = next(template.os for template in self.all() if template.name == image)
            self._keep(place, unfold, InstanceTemplate(name, os, packed.stat().st_size), below=image)
            return self._read(place)

    def upload(self, name: str, source: Path) -> InstanceTemplate:
        """Take a tar file, compressed or not, as a template. The same file once more changes nothing.

        Raises:
            Invalid: wrong name, no tar file, or it would write outside the machine. Conflict: the name is taken.
        """
        built_in = name == self.foundations.os
        place = self.directory / (name if built_in else checked_name(name, "an instance template"))
        archives.check(source)
        with source.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        with self._alone():
            if built_in or (place.exists() and (place / "digest").read_text() != digest):
                message = f"there is another instance template '{name}'"
                raise Conflict(message, remedy="choose another name or delete it")
            if not place.exists():
                self._unfold(source, place, digest)
            return self._read(place)

    def delete(self, name: str) -> None:
        """Remove a template; nothing happens if it is gone.

        Raises:
            Invalid: it is built in. NotFound: there can be no such one. Conflict: machines stand on it.
        """
        if name == self.foundations.os:
            raise Invalid(f"instance template '{name}' is built in and stays")
        try:
            place = self.directory / checked_name(name, "an instance template")
        except Invalid as error:
            raise NotFound(f"there is no instance template {name!r}") from error
        with self._alone():
            users = [
                path.parent.name for path in self.machines.glob("*/config") if f":{place}/root:" in path.read_text()
            ]
            copies = [path.parent.name for path in self.directory.glob("*/below") if self._below(path.parent) == name]
            if users or copies:
                names = ", ".join(sorted([*users, *copies])[:5])
                what = "machines stand" if users else "instance templates lie"
                message = f"{len(users or copies)} {what} on instance template '{name}': {names}"
                raise Conflict(message, remedy="delete these first")
            if place.exists():
                place.rename(self.directory / f".old-{name}")
            remove(self.directory / f".old-{name}")

    def _unfold(self, source: Path, place: Path, digest: str) -> None:
        plain = InstanceTemplate(place.name, self.foundations.os, source.stat().st_size)
        self._keep(place, lambda root: archives.unpack(source, root, own=True), plain, digest=digest)

    def _keep(
        self,
        place: Path,
        unfold: Callable[[Path], None],
        template: InstanceTemplate,
        *,
        digest: str = "",
        below: str = "",
    ) -> None:
        """Make the directory of a template, which appears when it is complete.

        Args:
            unfold: makes its file system. template: with the system that it has unless it says another itself.
            digest: of the file that it came as. below: the template that it lies on; empty: the foundation.
        """
        half = self.directory / f".new-{place.name}"
        remove(half)
        half.mkdir()
        try:
            root = half / "root"
            unfold(root)
            known = replace(template, os=system_of(root)) if (root / "etc/os-release").exists() else template
            write(half / "digest", digest)
            write(half / "below", below)
            write(half / "template.json", json.dumps(asdict(known)))
            half.rename(place)
            settle(self.directory)
        finally:
            remove(half)

    def _read(self, place: Path) -> InstanceTemplate:
        return InstanceTemplate(**json.loads((place / "template.json").read_text()))

    def _below(self, place: Path) -> str:
        """The template that one lies on; empty: the foundation."""
        return (place / "below").read_text()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with locked(self.directory / ".lock", "the instance templates", BUSY_SECONDS):
            yield
