"""Test hosts: containers of the gateway `lxc`, with what tests do to hosts that nobody else would.

Each is a real Linux host as far as Ansible can tell: it boots its own init, has an address on a bridge, and is reached
over SSH. They need root; without it, or where containers cannot be made, `NoHosts` says why.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.directories.gateway import DirectoryGateway
from adslib.adapters.gateways.lxc.furnishing import make_key
from adslib.domain.gateway import Order
from adslib.domain.machine import DEFAULT_SIZES
from containers import container_options
from servers import session_folder
from system.home import Home


@dataclass
class Host:
    """One test host; it runs between `start` and `cut_power`.

    Args:
        name: within its bridge. address: where it answers. key: private key file that lets root in.
        folder: its directory at the gateway.
    """

    name: str
    address: str
    key: Path
    folder: Path
    gateway: DirectoryGateway

    @property
    def layer(self) -> Path:
        """What differs from the file system that it stands on; files may be laid there before it starts."""
        return self.folder / "root"

    def lay(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Put a file onto a host that does not run."""
        place = self.layer / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        place.chmod(mode)

    def show_new_key(self) -> None:
        """Give a host that does not run a new SSH host key."""
        make_key(self.layer / "etc" / "ssh" / "ssh_host_ed25519_key", self.name)

    def start(self) -> None:
        """Boot, and wait until sshd answers."""
        self.gateway.start(self.name)

    def cut_power(self) -> None:
        """End everything on it at once; what it has written stays."""
        subprocess.run(self.lxc("lxc-stop", "-k"), capture_output=True, check=False)

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
    """A gateway of this process's own, and the hosts that it makes; leaving it removes all.

    Raises:
        NoHosts: there can be none here.
    """

    def __init__(self) -> None:
        options = container_options()
        self.folder = session_folder("hosts")
        gateway = open_gateway("lxc", "tests", {**options, "folder": str(self.folder)}, home=self.folder)
        assert isinstance(gateway, DirectoryGateway)
        self.gateway = gateway

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.gateway.machines():
            with suppress(OSError):
                self.gateway.delete(machine.ref)
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self, name: str) -> Host:
        """A host, not yet started."""
        machines = self.gateway._machines
        with machines.busy(name) as machine:
            machines.make(Order(name, name, DEFAULT_SIZES[0]))
        return Host(name, machine.read().address, self.folder / "key", machine.path, self.gateway)


@contextmanager
def gateway_of(home: Home, name: str, **more: str) -> Iterator[Mapping[str, Any]]:
    """Give a home a gateway of containers, and its options; its machines go with the block.

    Raises:
        NoHosts: there can be none here.
    """
    options = container_options(**more)
    with home.ads() as library:
        library.gateways.add(name, "lxc", options)
    try:
        yield options
    finally:
        gateway = open_gateway("lxc", name, options, home=home.home)
        for machine in gateway.machines():
            gateway.delete(machine.ref)
