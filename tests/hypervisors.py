"""Virtual machines for tests: a libvirtd of the tests' own, which runs QEMU in a session without root.

It is what `qemu:///session` is, for an account that has nothing else: all it has lies in one temporary folder.
"""

from __future__ import annotations

import importlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from containers import NoHosts, need
from servers import LONGEST_START, free_port, session_folder

TOOLS = ("libvirt-daemon", "qemu-system-x86", "qemu-utils", "python3-libvirt")
"""Debian packages that make virtual machines."""

BINDINGS = Path("/usr/lib/python3/dist-packages")
IMAGES = {"debian-12": "debian-12.img", "rocky-9": "rocky-9.img"}
SETTINGS = """
unix_sock_dir = "{home}/run"
unix_sock_rw_perms = "0777"
auth_unix_rw = "none"
listen_tls = 0
listen_tcp = 1
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "sasl"
"""
POOL = "<pool type='dir'><name>default</name><target><path>{home}/pool</path></target></pool>"
KEEPER = Path(__file__).with_name("keeper.py")

# What a machine of the tests boots, in 16-bit code: it waits for its power button, as an operating system does.
BOOT = bytes.fromhex(
    "fa"  # cli
    "ba0206 b80001 ef"  # PM1_EN of the PIIX4 at 0x600: the power button
    "fb f4"  # sti; hlt
    "ba0006 ed f6c401 74f6"  # until PM1_STS has it
    "ba0406 b80020 ef"  # PM1_CNT: power off
    "f4 ebfd"
)
DEAF = bytes.fromhex("fb f4 ebfd")
"""What hears no power button."""


def image(path: Path, code: bytes = BOOT) -> Path:
    """Write a disk of 1 MiB that boots some code."""
    path.write_bytes((code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    return path


def bindings() -> ModuleType:
    """The library `libvirt`, of this environment or else of Debian.

    Raises:
        NoHosts: there is none for this Python.
    """
    try:
        return importlib.import_module("libvirt")
    except ImportError:
        pass
    need(*TOOLS)
    found = [*BINDINGS.glob(f"libvirtmod.cpython-{sys.version_info[0]}{sys.version_info[1]}-*.so")]
    if not found:
        raise NoHosts(f"Debian's python3-libvirt is not for Python {sys.version_info[0]}.{sys.version_info[1]}")
    # A folder with these two alone: beside them lie packages that this environment has of its own.
    place = session_folder("libvirt")
    for path in (BINDINGS / "libvirt.py", *found):
        (place / path.name).symlink_to(path)
    sys.path.append(str(place))
    try:
        return importlib.import_module("libvirt")
    finally:
        sys.path.remove(str(place))
        shutil.rmtree(place)


class Hypervisor:
    """A libvirtd in a temporary folder, with a pool that has images; it and its machines end with this process.

    Raises:
        NoHosts: there can be none here, or it did not start; with the reason.
    """

    keys: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.libvirt = bindings()
        self.home = session_folder("libvirt")
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._start()

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of a gateway to it, which gives addresses that lead nowhere."""
        told = {"uri": self.uri, "images": IMAGES, "interface": "user", "network": "198.18.64.0/18"}
        return told | {"patience": 60, "grace": 20}

    @property
    def guarded(self) -> str:
        """Where it asks for an account, and has none."""
        return f"qemu+tcp://127.0.0.1:{self.port}/session"

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"qemu+unix:///session?socket={self.home}/run/libvirt-sock"

    def _start(self) -> None:
        need(*TOOLS)
        for name in ("run", "home", "pool"):
            (self.home / name).mkdir()
        for name in IMAGES.values():
            image(self.home / "pool" / name)
        (self.home / "settings").write_text(SETTINGS.format(home=self.home, port=self.port))
        as_account = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid)
            as_account = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        place = {f"XDG_{what}_HOME": f"{self.home}/home" for what in ("CONFIG", "CACHE", "DATA")}
        place |= {"HOME": f"{self.home}/home", "XDG_RUNTIME_DIR": f"{self.home}/run"}
        words = ["setpriv", *as_account, "/usr/sbin/libvirtd", "--listen", "--config", f"{self.home}/settings"]
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", sys.executable, str(KEEPER), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **place},
            )
        until = time.monotonic() + LONGEST_START
        while not self._listens():
            if time.monotonic() > until or self.process.poll() is not None:
                raise NoHosts(f"libvirtd did not start: {(self.home / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        with self.connected() as connection:
            connection.storagePoolDefineXML(POOL.format(home=self.home)).create()

    def _listens(self) -> bool:
        """Whether it takes connections: its socket is there a moment before that."""
        with socket.socket(socket.AF_UNIX) as asking:
            return not asking.connect_ex(f"{self.home}/run/libvirt-sock")

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Ask it, as its owner does."""
        connection = self.libvirt.open(self.uri)
        yield connection
        connection.close()

    def refresh(self) -> None:
        """Let its pool look which files there are."""
        with self.connected() as connection:
            connection.storagePoolLookupByName("default").refresh()

    def count(self) -> list[str]:
        """All that it has but its images: machines, volumes, and files of its pool."""
        with self.connected() as connection:
            machines = [domain.name() for domain in connection.listAllDomains()]
            volumes = [each.name() for each in connection.storagePoolLookupByName("default").listAllVolumes()]
        files = [path.name for path in (self.home / "pool").iterdir()]
        return sorted({*machines, *volumes, *files} - set(IMAGES.values()))

    def empty(self) -> None:
        """Have nothing but images, whatever a test that failed has left."""
        with self.connected() as connection:
            for domain in connection.listAllDomains():
                if domain.isActive():
                    domain.destroy()
                domain.undefineFlags(self.libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
            for volume in connection.storagePoolLookupByName("default").listAllVolumes():
                if volume.name() not in IMAGES.values():
                    volume.delete()

    def end(self) -> None:
        """Stop it with all its machines, and remove every trace."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)
        shutil.rmtree(self.home, ignore_errors=True)
