"""A Proxmox VE of the tests' own on loopback: fakepve speaks its API over HTTPS in a process of its own.

What fakepve has nothing of is simulated by `proxmox_front`, which stands before it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from proxmoxer import ProxmoxAPI

from proxmox_front import Front
from servers import LONGEST_START, ServerMissing, session_folder

NODES = ("pve1", "pve2")
SYSTEMS = ("debian-12", "rocky-9")
PASSWORD = "not-a-secret"
KEYS = {"PROXMOX_PASSWORD": PASSWORD}
NETWORK = "10.98.0.0/16"
"""Where addresses of orders lie; those that the front simulates lie elsewhere."""


class ProxmoxVE:
    """A cluster of two nodes, with the same templates on both; it ends with this process, however that ends."""

    def __init__(self) -> None:
        self.home = session_folder("proxmox")
        self.process: subprocess.Popen[str] | None = None
        self.front: Front | None = None
        self._api: ProxmoxAPI | None = None

    @property
    def keys(self) -> Mapping[str, str]:
        """The credentials of its user, as variables."""
        return KEYS

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of a gateway to it."""
        return {
            "host": f"127.0.0.1:{self.front.port if self.front else 0}",
            "account": "root@pam",
            "ca": str(self.certificate),
            "images": ",".join(SYSTEMS),
            "ssh_key": str(self.home / "key"),
            "network": NETWORK,
            "router": "10.98.0.1",
            "grace": 1,
        }

    @property
    def certificate(self) -> Path:
        """What its connections are trusted by."""
        return self.home / "certificate.pem"

    @property
    def api(self) -> ProxmoxAPI:
        """The way to fakepve itself, for looking at what there is."""
        assert self._api is not None, "it does not run"
        return self._api

    def start(self) -> None:
        """Start it, on a port that is free, and wait until it answers.

        Raises:
            ServerMissing: it did not start; the message holds what its log says.
        """
        write_certificate(self.certificate, self.home / "private.pem")
        (self.home / "key.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA tests\n")
        (self.home / "guests.json").write_text(json.dumps({"guests": templates()}))
        with (self.home / "log").open("w") as log:
            self.process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", str(Path(sys.executable).with_name("fakepve"))),
                    *(str(self.home / "guests.json"), "--host", "127.0.0.1", "--port", "0", "--time-scale", "0.001"),
                    *("--cert", str(self.certificate), "--key", str(self.home / "private.pem")),
                    *("--password", PASSWORD),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        port = self._port()
        self.front = Front(port, self.certificate, self.home / "private.pem")
        where = {"host": "127.0.0.1", "port": port, "verify_ssl": str(self.certificate)}
        self._api = ProxmoxAPI(**where, user="root@pam", password=PASSWORD)

    def end(self) -> None:
        """Stop it and remove every trace."""
        if self.front:
            self.front.close()
        if self.process:
            self.process.kill()
            self.process.wait(timeout=10)
        shutil.rmtree(self.home, ignore_errors=True)

    def empty(self) -> None:
        """Remove all but the templates that it had at first; it is started if it does not run."""
        if self.process is None:
            self.start()
        assert self.front
        self.front.rest()
        for guest in self.guests():
            at = self.api(f"nodes/{guest['node']}/{guest['id']}")
            if guest["status"] == "running":
                self.wait(at.status.stop.post())
            self.wait(at.delete())

    def guests(self) -> list[dict[str, Any]]:
        """All that there is beside the templates of the beginning."""
        first = {guest["vmid"] for guest in templates()}
        return [row for row in self.api.cluster.resources.get(type="vm") if row["vmid"] not in first]

    def volumes(self) -> list[str]:
        """The disks that there are beside those of the templates of the beginning."""
        rows = self.api.nodes(NODES[0]).storage("local-lvm").content.get()
        first = {guest["vmid"] for guest in templates()}
        return [row["volid"] for row in rows if row["vmid"] not in first]

    def count(self) -> object:
        """What there is: guests and disks."""
        return self.guests(), self.volumes()

    def wait(self, task: str) -> None:
        """Wait for a task; it must end well."""
        node, deadline = task.split(":")[1], time.monotonic() + LONGEST_START
        while (seen := self.api.nodes(node).tasks(task).status.get())["status"] != "stopped":
            assert time.monotonic() < deadline, task
            time.sleep(0.005)
        assert seen["exitstatus"] == "OK", seen

    def _port(self) -> int:
        deadline = time.monotonic() + LONGEST_START
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            said = (self.home / "log").read_text()
            if "listening on" in said and said.endswith("\n"):
                return int(said.strip().rpartition(":")[2])
            time.sleep(0.02)
        raise ServerMissing(f"fakepve did not start: {(self.home / 'log').read_text()[-2000:]}")


def templates() -> list[dict[str, Any]]:
    """A template of each system on each node, as virtual machine and as container."""
    found: list[dict[str, Any]] = []
    for vmid, (node, system) in enumerate([(node, system) for node in NODES for system in SYSTEMS], 9000):
        machine = {
            "scsi0": f"local-lvm:base-{vmid}-disk-0,size=2G",
            "ide2": f"local-lvm:vm-{vmid}-cloudinit,media=cdrom",
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
            "boot": "order=scsi0",
            "agent": "1",
            "tags": "golden;ours",
        }
        container = {
            "rootfs": f"local-lvm:base-{vmid + 100}-disk-0,size=2G",
            "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,ip=dhcp,type=veth",
        }
        found += [
            {"vmid": vmid, "name": system, "node": node, "template": True, "config": machine},
            {"vmid": vmid + 100, "name": system, "node": node, "template": True, "config": container, "type": "lxc"},
        ]
    return found


def write_certificate(certificate: Path, private: Path) -> None:
    """A certificate for 127.0.0.1, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.touch(0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
