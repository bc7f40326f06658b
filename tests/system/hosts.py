"""Test hosts: system containers with systemd, sshd and a file system of their own, made and removed by the tests.

Each is a real Linux host as far as Ansible can tell: it boots its own init, has an address on a bridge, and is reached
over SSH. All share one read-only base, built once and kept under build/; what a host writes lies in its own layer.
They need root; without it, or where containers cannot be made, `NoHosts` says why.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from pathlib import Path

from servers import session_folder

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("lxc", "mmdebstrap")
"""Debian packages that make hosts."""

INSIDE = "systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,sudo,rpm,dnf"
RECIPE = (
    *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={INSIDE}"),
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")),
    # Each host gets a key of its own.
    *("--customize-hook=rm -f $1/etc/ssh/ssh_host_*", "bookworm"),
)
NETWORKS = ipaddress.ip_network("198.19.0.0/16")
"""Addresses set aside for tests of networks (RFC 2544): nobody's real host is there."""

CONFIGURATION = """\
lxc.uts.name = {name}
lxc.rootfs.path = overlay:{base}:{layer}
lxc.cgroup.dir = {mark}
lxc.apparmor.profile = unconfined
lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
lxc.net.0.type = veth
lxc.net.0.link = {bridge}
lxc.net.0.flags = up
lxc.net.0.hwaddr = {mac}
lxc.net.0.ipv4.address = {address}/{bits}
"""


class NoHosts(Exception):
    """This machine cannot make test hosts; the text says why."""


def call(*words: str) -> str:
    """Run a program and give its output.

    Raises:
        NoHosts: it failed; with its last words.
    """
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoHosts(f"{' '.join(words)} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


@contextmanager
def one_at_a_time(what: str) -> Iterator[Path]:
    """Keep other processes of tests waiting meanwhile; gives where the thing is kept."""
    place = ROOT / "build" / "hosts" / what
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield place


def need(*packages: str) -> None:
    """Have Debian packages installed.

    Raises:
        NoHosts: they are missing and cannot be installed.
    """
    with one_at_a_time("packages"):
        call(sys.executable, str(ROOT / "tools" / "debian_packages.py"), *packages)


def host_base() -> Path:
    """The file system that all hosts share: built at first, found again while the recipe is the same.

    Raises:
        NoHosts: it cannot be built.
    """
    if os.geteuid() != 0:
        raise NoHosts("test hosts are system containers, which need root")
    need(*TOOLS)
    with one_at_a_time(hashlib.sha256("\n".join(RECIPE).encode()).hexdigest()[:16]) as place:
        if not place.exists():
            unfinished = place.with_suffix(".making")
            shutil.rmtree(unfinished, ignore_errors=True)
            call(*RECIPE, str(unfinished))
            unfinished.rename(place)
    return place


@dataclass
class Host:
    """One test host; it runs between `start` and `cut_power`.

    Args:
        name: within its bridge. address: where it answers. key: private key file that lets root in.
        layer: what differs from the base; files may be laid there before the host starts.
    """

    name: str
    address: str
    key: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def layer(self) -> Path:
        return self.folder / "layer"

    def lay(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Put a file onto a host that does not run."""
        place = self.layer / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        place.chmod(mode)

    def show_new_key(self) -> None:
        """Give a host that does not run a new SSH host key."""
        place = self.layer / "etc" / "ssh"
        place.mkdir(parents=True, exist_ok=True)
        (place / "ssh_host_ed25519_key").unlink(missing_ok=True)
        call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", str(place / "ssh_host_ed25519_key"))

    def start(self) -> None:
        """Boot, and wait until sshd answers.

        Raises:
            NoHosts: the container cannot be started.
        """
        words = ("lxc-start", "-F", "-P", str(self.folder.parent), "-n", self.name, "-l", "WARN")
        with (self.folder / "console").open("ab") as console:
            # The kernel ends the host with the process that started it, however that ends.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words, "-o", str(self.folder / "log")],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None:
                log = self.folder / "log"
                said = (log.read_text() if log.exists() else "") + (self.folder / "console").read_text()
                raise NoHosts(f"a container does not start here: {said.strip()[-1500:]}")
            assert time.monotonic() < until, (
                f"{self.name} did not boot: {(self.folder / 'console').read_text()[-1500:]}"
            )
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether sshd greets."""
        with suppress(OSError), socket.create_connection((self.address, 22), timeout=1) as asked:
            return asked.recv(4) == b"SSH-"
        return False

    def cut_power(self) -> None:
        """End everything on it at once; what it has written stays."""
        if self.process:
            subprocess.run(self.lxc("lxc-stop", "-k"), capture_output=True, check=False)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
            self.process.kill()
            self.process.wait()
            self.process = None

    def lxc(self, program: str, *words: str) -> list[str]:
        return [program, "-P", str(self.folder.parent), "-n", self.name, *words]

    def tell(self, *words: str) -> tuple[int, str]:
        """Run a command there, not by SSH: exit code and output."""
        command = self.lxc("lxc-attach", "--clear-env", "--", *words)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    def ask(self, *words: str) -> str:
        """Run a command there, not by SSH; it must succeed. Gives its output."""
        code, output = self.tell(*words)
        assert code == 0, f"{self.name}: {' '.join(words)}: {output}"
        return output


class Hosts:
    """A bridge of this process's own, and the hosts on it; leaving it removes all.

    Args:
        base: the file system that they share.

    Raises:
        NoHosts: there can be no bridge here.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.bridge = f"ads{os.getpid()}"
        self.hosts: list[Host] = []
        clear_away(lambda pid: pid == os.getpid() or not Path("/proc", str(pid)).exists())
        self.folder = session_folder("hosts")
        self.network = unused_network()
        self.key = self.folder / "key"

    def __enter__(self) -> Hosts:
        try:
            call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", str(self.key))
            call("ip", "link", "add", self.bridge, "type", "bridge")
            call("ip", "address", "add", f"{self.network[1]}/{self.network.prefixlen}", "dev", self.bridge)
            call("ip", "link", "set", self.bridge, "up")
        except NoHosts:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            host.cut_power()
        clear_away(lambda pid: pid == os.getpid())
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self, name: str) -> Host:
        """A host, not yet started."""
        number = len(self.hosts) + 2
        folder = self.folder / name
        folder.mkdir()
        host = Host(name, str(self.network[number]), self.key, folder)
        values = {"name": name, "base": self.base, "layer": host.layer, "mark": self.folder.name, "bridge": self.bridge}
        # Always the same one, so that nobody has to forget the one before the host was started again.
        mac = "02:00:" + ":".join(f"{part:02x}" for part in self.network[number].packed)
        (folder / "config").write_text(
            CONFIGURATION.format(**values, mac=mac, address=host.address, bits=self.network.prefixlen)
        )
        host.lay("/etc/hostname", f"{name}\n")
        host.lay("/root/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text(), 0o600)
        host.show_new_key()
        self.hosts.append(host)
        return host


def unused_network() -> ipaddress.IPv4Network:
    """Sixteen addresses that this host has no part of; another process chooses others."""
    every = 1 << (28 - NETWORKS.prefixlen)
    for number in range(every):
        first = int(NETWORKS[0]) + 16 * ((os.getpid() + number) % every)
        network = ipaddress.IPv4Network((first, 28))
        if not call("ip", "-o", "address", "show", "to", str(network)).strip():
            return network
    raise NoHosts(f"all of {NETWORKS} is in use on this host")


def clear_away(belongs: Callable[[int], bool]) -> None:
    """Remove the bridges and control groups of processes, by number; those that were killed left theirs behind."""
    for link in json.loads(call("ip", "-j", "link", "show", "type", "bridge") or "[]"):
        found = re.fullmatch(r"ads(\d+)", link.get("ifname", ""))
        if found and belongs(int(found[1])):
            call("ip", "link", "delete", link["ifname"])
    for group in [*Path("/sys/fs/cgroup").glob("ads-hosts-*"), *Path("/sys/fs/cgroup").glob("*/ads-hosts-*")]:
        if belongs(int(group.name.split("-")[2])):
            for place, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(place).rmdir()
