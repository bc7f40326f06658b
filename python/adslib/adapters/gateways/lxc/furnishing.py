"""What a new container gets before it first starts: its configuration, its name, its host key, the key that lets in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from adslib.adapters.gateways.directories.directory import Directory, Record
from adslib.adapters.gateways.locks import locked
from adslib.adapters.gateways.lxc.containers import group
from adslib.adapters.gateways.lxc.limits import Limit, lines
from adslib.adapters.gateways.lxc.network import Bridge
from adslib.adapters.gateways.lxc.programs import run
from adslib.adapters.gateways.lxc.sharing import configuration
from adslib.adapters.gateways.lxc.templates import Templates
from adslib.adapters.gateways.surroundings import HostKeys

CONFIGURATION = """\
lxc.uts.name = {name}
lxc.rootfs.path = overlay:{layers}
lxc.cgroup.dir = {group}
lxc.apparmor.profile = unconfined
lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
lxc.signal.halt = SIGRTMIN+3
lxc.console.logfile = {init}/console
lxc.pty.max = 1024
lxc.net.0.type = veth
lxc.net.0.link = {bridge}
lxc.net.0.flags = up
lxc.net.0.hwaddr = {mac}
lxc.net.0.ipv4.address = {address}/{bits}
lxc.net.0.ipv4.gateway = {way_out}
"""
RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
KEY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Furnishing:
    """Furnishes the containers of one gateway.

    Args:
        folder: of the gateway; its key pair lies there. machines: where their directories are.
        mark: what the names of their control groups begin with. limits: what they must be held to.
        host_keys: where theirs are pinned.
    """

    folder: Path
    machines: Path
    mark: str
    bridge: Bridge
    templates: Templates
    limits: frozenset[Limit]
    host_keys: HostKeys

    def furnish(self, machine: Directory, record: Record) -> None:
        """Fill the directory of a new machine.

        Raises:
            Failed: what it stands on cannot be built, or this host cannot hold it to its size.
        """
        held = lines(record.size, self.limits)
        etc = machine.root / "etc"
        (etc / "ssh").mkdir(parents=True)
        (etc / "hostname").write_text(f"{record.name}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{record.address} {record.name}\n")
        (etc / "machine-id").write_text(f"{secrets.token_hex(16)}\n")
        (etc / "resolv.conf").write_text(next(path.read_text() for path in RESOLVERS if path.exists()))
        (etc / "apt" / "apt.conf.d").mkdir(parents=True)
        (etc / "apt" / "apt.conf.d" / "90ads").write_text(configuration(self.bridge.address))
        key = etc / "ssh" / "ssh_host_ed25519_key"
        make_key(key, record.name)
        self.host_keys.pin({record.id: [" ".join(key.with_suffix(".pub").read_text().split()[:2])]})
        let_in = machine.root / "root" / ".ssh"
        let_in.mkdir(parents=True, mode=0o700)
        let_in.parent.chmod(0o700)
        (let_in / "authorized_keys").write_text(self._key())
        with self.templates.held(record.image) as below:
            layers = ":".join(map(str, [*below, self.machines / record.id / "root"]))
            self._configure(machine, record, layers, held)

    def _configure(self, machine: Directory, record: Record, layers: str, held: list[str]) -> None:
        # Always the same hardware address, so that nobody has to forget another when it is started again.
        mac = "02:00:" + ":".join(f"{part:02x}" for part in IPv4Address(record.address).packed)
        text = CONFIGURATION.format(
            name=record.name,
            layers=layers,
            group=group(self.mark, record.id),
            init=self.machines / record.id / "init",
            bridge=self.bridge.name,
            mac=mac,
            address=record.address,
            bits=self.bridge.network.prefixlen,
            way_out=self.bridge.address,
        )
        (machine.path / "config").write_text(text + "".join(f"{line}\n" for line in held))

    def _key(self) -> str:
        """The public key that is let in; the pair is made for the first container."""
        place = self.folder / "key"
        with locked(self.folder / ".key.lock", "the key of the gateway", KEY_SECONDS):
            if not place.with_suffix(".pub").exists():
                make_key(place, "ads")
        return place.with_suffix(".pub").read_text()


def make_key(place: Path, comment: str) -> None:
    """Make a pair of SSH keys without a passphrase; one that is there is replaced."""
    place.unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(place))
