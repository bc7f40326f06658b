"""Foundations: the file systems that containers stand on, which all share and none changes.

One is built once by mmdebstrap, found again while its recipe is the same, and kept in the cache, which gateways and
homes may share.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from adslib.adapters.gateways.directories.directory import remove, settle
from adslib.adapters.gateways.locks import locked
from adslib.adapters.gateways.lxc.programs import run
from adslib.domain.errors import Failed

SYSTEMS = {
    "bullseye": "debian-11",
    "bookworm": "debian-12",
    "trixie": "debian-13",
    "jammy": "ubuntu-22.04",
    "noble": "ubuntu-24.04",
}
"""Suites that can be built, and what definitions call them."""

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt"),
    *("iproute2", "sudo", "ca-certificates"),
)
RECIPE = (
    *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io"),
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")),
    # Roles of all kinds install packages without asking for the lists of what there is first.
    "--skip=cleanup/apt/lists",
    # Each container gets a key and an identity of its own.
    *("--customize-hook=rm -f $1/etc/ssh/ssh_host_*", "--customize-hook=: > $1/etc/machine-id"),
)
BUILDING_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class Foundations:
    """The foundation that a gateway's containers stand on.

    Args:
        cache: where foundations are kept. suite: of Debian or Ubuntu. mirror: where packages come from; empty: where
            this host has its own from. packages: what each has beside the usual.
    """

    cache: Path
    suite: str
    mirror: str
    packages: tuple[str, ...]

    @property
    def os(self) -> str:
        """What definitions call its operating system."""
        return SYSTEMS[self.suite]

    def ready(self) -> Path:
        """Its directory; it is built if it was not yet.

        Raises:
            Failed: it cannot be built.
        """
        wanted = ",".join(dict.fromkeys([*PACKAGES, *self.packages]))
        recipe = [*RECIPE, f"--include={wanted}"]
        sources = "".join(f"deb {each}\n" for each in self._sources())
        digest = sha256("\n".join([*recipe, sources]).encode()).hexdigest()[:16]
        place = self.cache / "foundations" / f"{self.suite}-{digest}"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with locked(place.with_suffix(".lock"), f"the foundation in {place}", BUILDING_SECONDS):
                if not place.exists():
                    self._build(recipe, sources, place)
        return place

    def _build(self, recipe: list[str], sources: str, place: Path) -> None:
        for left in place.parent.glob(f"{place.name}.making-*"):
            if not Path("/proc", left.suffix.partition("-")[2]).exists():
                remove(left)
        half = place.with_name(f"{place.name}.making-{os.getpid()}")
        remove(half)
        try:
            from_here = ["-"] if sources else []
            run(*recipe, self.suite, str(half), *from_here, given=sources, seconds=BUILDING_SECONDS)
            half.rename(place)
            settle(place.parent)
        except Failed as error:
            with suppress(Failed):
                remove(half)
            raise Failed(
                f"the file system that containers stand on cannot be built: {error.problems[0].message}",
                place=str(place),
                remedy="look at the gateway's options 'mirror' and 'packages', and at this host's way to its mirrors",
            ) from error

    def _sources(self) -> Sequence[str]:
        """Mirror, suite and components, each like a line of sources.list without its `deb`."""
        return [f"{self.mirror} {self.suite} main"] if self.mirror else _sources_of_this_host(self.suite)


@cache
def _sources_of_this_host(suite: str) -> Sequence[str]:
    """Where this host has the packages of a suite from; nothing if it has none of it."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    known = run("apt-get", "indextargets", "--format", form, "Identifier: Packages").splitlines()
    return [line for line in sorted(set(known)) if line.split()[1] in (suite, f"{suite}-updates", f"{suite}-security")]
