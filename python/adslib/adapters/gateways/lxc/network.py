"""The bridge of a gateway's containers: made when the first starts, with a way out to the world, gone with the last.

Whether it is in use is told by marks in the machines' directories, which stand before a container starts and until it
has stopped. All bridges of this host are made and removed under one lock.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adslib.adapters.gateways.directories.directory import Directory, write
from adslib.adapters.gateways.locks import locked
from adslib.adapters.gateways.lxc import sharing
from adslib.adapters.gateways.lxc.programs import run
from adslib.domain.errors import Conflict, Failed, Invalid

OWNERS = Path("/run/ads-lxc")
"""A file for each bridge, with the folder of its gateway; and what the settings were before the first."""

NEEDED = {
    # Without it there is no way out.
    "net/ipv4/ip_forward": 1,
    # Each systemd takes some; by default there are enough for about thirty hosts.
    "fs/inotify/max_user_instances": 65536,
    "fs/inotify/max_user_watches": 1048576,
}
"""Settings of this host's kernel that containers need at least."""

SETTINGS = Path("/proc/sys")
BUSY_SECONDS = 60.0
LOCAL = 0x02
"""The first byte of a hardware address that no manufacturer gave."""

# By bridge, not by address: what passes on another bridge with the same network may come by here, and is not ours.
TABLE = """\
table ip {name} {{}}
delete table ip {name}
table ip {name} {{
  chain out {{
    type nat hook postrouting priority srcnat
    iifname "{name}" oifname != "{name}" masquerade
  }}
  chain pass {{
    type filter hook forward priority filter
    iifname "{name}" accept
    oifname "{name}" ct state established,related accept
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The bridge of one gateway.

    Args:
        name: of the interface. network: of its addresses; the host has the first. folder: of its gateway.
        machines: where the directories of the machines are. packages: where those that they download are kept.
    """

    name: str
    network: ipaddress.IPv4Network
    folder: Path
    machines: Path
    packages: Path

    @property
    def address(self) -> str:
        """The address of this host on it, which is the containers' way out."""
        return str(self.network[1])

    def fit(self, address: str) -> str:
        """Return an address that a container may have in its usual form.

        Raises:
            Invalid: it is none.
        """
        with suppress(ValueError):
            known = ipaddress.IPv4Address(address)
            if known in self.network and known not in (self.network[0], self.network[1], self.network[-1]):
                return str(known)
        remedy = f"use one of {self.network} other than {self.address}, or give its gateway another 'network'"
        raise Invalid(f"'{address}' is no address for a container here", remedy=remedy)

    def use(self, machine: Directory) -> None:
        """Have the bridge, from now on until `leave`.

        Raises:
            Conflict: another gateway has a bridge of this name. Failed: its network is in use, or it cannot be made.
        """
        wanted(machine).touch()
        with _alone():
            owner = OWNERS / self.name
            if owner.exists() and owner.read_text() != str(self.folder) and self._there():
                raise Conflict(
                    f"bridge {self.name} belongs to the gateway in {owner.read_text()}",
                    remedy="give this gateway another 'bridge'",
                )
            if not (owner.exists() and self._there()):
                self._make(owner)
            sharing.start(self.name, self.address, self.packages)

    def leave(self, machine: Directory) -> None:
        """Need the bridge no more; without anybody who needs it, it goes, and all that was done for it."""
        wanted(machine).unlink(missing_ok=True)
        if not OWNERS.exists():
            return
        with _alone():
            owner = OWNERS / self.name
            if any(self.machines.glob(f"*/{wanted(machine).relative_to(machine.path)}")):
                return
            if owner.exists() and owner.read_text() == str(self.folder):
                sharing.end(self.name)
                if f"table ip {self.name}\n" in run("nft", "list", "tables", "ip"):
                    run("nft", "delete", "table", "ip", self.name)
                if self._there():
                    run("ip", "link", "delete", self.name)
                owner.unlink()
            _restore_settings()

    def _make(self, owner: Path) -> None:
        if self._there() and not owner.exists():
            raise Conflict(
                f"there is an interface {self.name} that ads did not make", remedy="give this gateway another 'bridge'"
            )
        self._refuse_overlap()
        write(owner, str(self.folder))
        if not self._there():
            # One of its own: it would take the lowest of its ports' and change it with them, and containers that know
            # the one before would reach nobody until they ask again.
            run("ip", "link", "add", "name", self.name, "address", self._mac, "type", "bridge")
        run("ip", "address", "replace", f"{self.address}/{self.network.prefixlen}", "dev", self.name)
        run("nft", "-f", "-", given=TABLE.format(name=self.name))
        _raise_settings()
        # Two bridges may have the same network: what comes from one must not be taken for a lie.
        Path(f"/proc/sys/net/ipv4/conf/{self.name}/rp_filter").write_text("0")
        run("ip", "link", "set", self.name, "up")

    @property
    def _mac(self) -> str:
        digest = sha256(f"{self.folder} {self.name}".encode()).digest()
        return ":".join(f"{byte:02x}" for byte in (LOCAL, *digest[:5]))

    def _there(self) -> bool:
        return Path("/sys/class/net", self.name).exists()

    def _refuse_overlap(self) -> None:
        """A network that leads somewhere else must not end at the bridge; one of another bridge of ads may."""
        ours = {self.name, *(path.name for path in OWNERS.iterdir())}
        for route in json.loads(run("ip", "-json", "-4", "route", "show", "table", "main") or "[]"):
            if route["dst"] == "default" or route.get("dev") in ours:
                continue
            if ipaddress.IPv4Network(route["dst"], strict=False).overlaps(self.network):
                raise Failed(
                    f"network {self.network} is in use on this host: {route['dst']} leads to {route.get('dev')}",
                    place=f"bridge {self.name}",
                    remedy="give the gateway another 'network'",
                )


def wanted(machine: Directory) -> Path:
    """The mark of a machine that runs, or is to."""
    return machine.init / "wanted"


@contextmanager
def _alone() -> Iterator[None]:
    OWNERS.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(OWNERS / ".lock", "the bridges of containers", BUSY_SECONDS):
        yield


def _raise_settings() -> None:
    """Give this host's kernel the settings that are needed; what was before is remembered first."""
    before = OWNERS / ".settings"
    low = {name: value for name in NEEDED if (value := int((SETTINGS / name).read_text())) < NEEDED[name]}
    if low:
        write(before, json.dumps({**low, **(json.loads(before.read_text()) if before.exists() else {})}))
    for name in low:
        (SETTINGS / name).write_text(str(NEEDED[name]))


def _restore_settings() -> None:
    """Give the settings back, if no bridge is left."""
    before = OWNERS / ".settings"
    if before.exists() and not any(not path.name.startswith(".") for path in OWNERS.iterdir()):
        for name, value in json.loads(before.read_text()).items():
            (SETTINGS / name).write_text(str(value))
        before.unlink()
