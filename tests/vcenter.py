"""A vCenter of the tests' own on loopback: the simulator of govmomi speaks its API over HTTPS in a process of its own.

It is built of Debian's packages when it is first needed, and kept. Its clones are there at once, and its guest tools
(`vcsim.go`) tell an address that leads nowhere.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from pyVim.connect import SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

from containers import KEPT, NoHosts, call, need, one_at_a_time
from proxmox_ve import write_certificate
from servers import LONGEST_START, session_folder

TOOLS = ("golang-go", "golang-github-vmware-govmomi-dev")
"""Debian packages that the simulator is built of."""

SOURCE = Path(__file__).with_name("vcsim.go")
SYSTEMS = ("debian-12", "rocky-9")
CLUSTERS = ("DC0_C0", "DC0_C1")
USER, PASSWORD = "ads@vsphere.local", "not-a-secret"
KEYS = {"VSPHERE_PASSWORD": PASSWORD}


def simulator() -> Path:
    """The program, built if it is not there.

    Raises:
        NoHosts: it cannot be built here; with the reason.
    """
    program = KEPT / f"vcsim-{sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        need(*TOOLS)
        with one_at_a_time("vcsim"):
            if not program.exists():
                # Without a compiler of C, which Go's package only recommends.
                words = (
                    "GOPATH=/usr/share/gocode",
                    "GO111MODULE=off",
                    "CGO_ENABLED=0",
                    "GOFLAGS=",
                    f"GOCACHE={KEPT}/go",
                )
                call("env", *words, "go", "build", "-o", f"{program}.new", str(SOURCE))
                Path(f"{program}.new").rename(program)
                shutil.rmtree(KEPT / "go", ignore_errors=True)
    return program


class VCenter:
    """A datacenter of two clusters with a template of each system; it ends with this process, however that ends.

    Raises:
        NoHosts: there can be none here, or it did not start; with the reason.
    """

    keys: Mapping[str, str] = KEYS

    def __init__(self) -> None:
        self.program = simulator()
        self.home = session_folder("vcenter")
        self.certificate = self.home / "certificate.pem"
        write_certificate(self.certificate, self.home / "private.pem")
        (self.home / "files").mkdir()
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.content: Any = None
        self.start()

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of a gateway to it, which gives addresses that lead nowhere."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "account": USER,
            "ca": str(self.certificate),
            "images": ",".join(SYSTEMS),
            "ssh_key": str(self.home / "key"),
            "network": "198.18.64.0/18",
            "grace": 1,
        }

    def start(self) -> None:
        """Start it, on a port that is free, and wait until it answers."""
        words = [str(self.program), str(self.certificate), str(self.home / "private.pem"), USER, PASSWORD]
        with (self.home / "port").open("wb") as told, (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words],
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=log,
                # The files of its datastores lie in temporary folders.
                env={**os.environ, "TMPDIR": str(self.home / "files")},
            )
        deadline = time.monotonic() + LONGEST_START
        while not (said := (self.home / "port").read_text()).endswith("\n"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise NoHosts(f"vcsim did not start: {(self.home / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        self.port = int(said)
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        words = {"host": "127.0.0.1", "port": self.port, "user": USER, "pwd": PASSWORD, "sslContext": trusted}
        self.content = SmartConnect(**words).RetrieveContent()
        for vm, system in zip(self.machines(), SYSTEMS, strict=True):
            WaitForTask(vm.Rename_Task(system))
            vm.MarkAsTemplate()

    def end(self) -> None:
        """Stop it and remove every trace."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def stop(self) -> None:
        """Stop it; it forgets all."""
        if self.process:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None

    def machines(self) -> dict[Any, str]:
        """The names of all machines and templates, in the order of their ids."""
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [vim.VirtualMachine], True)
        found = {}
        for vm in sorted(view.view, key=lambda vm: int(vm._moId.partition("-")[2])):
            # The simulator's resource pools go on listing templates that were deleted.
            with suppress(vmodl.fault.ManagedObjectNotFound):
                found[vm] = vm.name
        view.DestroyView()
        return found

    def made(self) -> list[Any]:
        """Those that were not there at first."""
        return [vm for vm, name in self.machines().items() if name not in SYSTEMS]

    def empty(self) -> None:
        """Remove all but the templates that it had at first; it is started if it does not run."""
        if self.process is None:
            self.start()
        for vm in self.made():
            if vm.runtime.powerState == "poweredOn":
                WaitForTask(vm.PowerOffVM_Task())
            WaitForTask(vm.Destroy_Task())

    def count(self) -> object:
        """What there is: machines, templates, and the folders of theirs on datastores."""
        folders = [path.name for path in self.home.glob("files/*/*") if path.is_dir()]
        return sorted(self.machines().values()), sorted(folders)
