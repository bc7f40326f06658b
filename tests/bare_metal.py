"""Bare metal for tests: a Redfish service of sushy-tools on loopback, whose machines are plugged in and unplugged."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bcrypt
from sushy_tools.emulator.memoize import PersistentDict

from servers import LONGEST_START, ServerMissing, free_port, session_folder

GIB = 1 << 30
ACCOUNT = "operator"
SECRET = "ADS_TEST_REDFISH_PASSWORD"
# The emulator reads its settings as a program. Its fake machines have no cores, memory or disks of their own, and their
# power changes land after a time drawn from 1 to 11 seconds: here it is what the file `lag` says.
SETTINGS = """
from pathlib import Path
from types import SimpleNamespace
from sushy_tools.emulator.resources import drives, storage
from sushy_tools.emulator.resources.systems import fakedriver

HOME = Path({home!r})
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_FAKE_SYSTEMS = []
SUSHY_EMULATOR_STATE_DIR = {home!r}
SUSHY_EMULATOR_AUTH_FILE = {home!r} + "/accounts"
fakedriver.random = SimpleNamespace(randint=lambda low, high: int((HOME / "lag").read_text()))
fakedriver.FakeDriver.get_total_cpus = lambda self, ref: self._get(ref)["cpu"]
fakedriver.FakeDriver.get_total_memory = lambda self, ref: self._get(ref)["memory"]
obey = fakedriver.FakeDriver.set_power_state
fakedriver.FakeDriver.set_power_state = lambda self, ref, state: (
    None if state == "GracefulShutdown" and self._get(ref).get("deaf") else obey(self, ref, state)
)
storage.StaticDriver.get_storage_col = lambda self, ref: [{{"Id": "1", "Name": "disks", "Drives": ["1", "2"]}}]
drives.StaticDriver.get_drives = lambda self, ref, storage: [
    {{"Id": id, "Name": id, "CapacityBytes": size * {gib}, "Protocol": "SAS"}} for id, size in (("1", 160), ("2", 40))
]
"""


class RedfishService:
    """A Redfish service in a temporary folder; it ends with this process, however that ends.

    Args:
        certificate: a file with certificate and key to serve HTTPS with; without one it is HTTP.

    Raises:
        ServerMissing: it did not start; the message holds what its log says.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.home = session_folder("redfish")
        self.certificate = certificate
        self.password = secrets.token_urlsafe(12)
        self.port = 0
        self.numbers = itertools.count(1)
        self.process: subprocess.Popen[bytes] | None = None
        self.systems = PersistentDict()
        self.systems.make_permanent(str(self.home), "fakedriver")
        self.empty()
        self._start()

    @property
    def keys(self) -> Mapping[str, str]:
        """The password of its account, as a variable."""
        return {SECRET: self.password}

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of a gateway to it."""
        return {"services": [self.url], "account": ACCOUNT, "secret": f"env:{SECRET}", "patience": 20}

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def lag(self, seconds: int) -> None:
        """Let power changes land so much later; 0: with the next look."""
        (self.home / "lag").write_text(str(seconds))

    def plug_in(self, **given: Any) -> str:
        """Have one machine more, on; returns its ref. One that is `deaf` does not shut down when it is asked to."""
        number = next(self.numbers)
        ref = f"00000000-0000-4000-8000-{number:012d}"
        machine = {"uuid": ref, "name": f"metal-{number}", "power_state": "On", "cpu": 8, "memory": 16, "nics": []}
        self.systems[ref] = machine | given
        return f"127.0.0.1:{self.port}/{ref}"

    def empty(self) -> None:
        """Have no machine any more, and be quick."""
        self.lag(0)
        for ref in list(self.systems):
            del self.systems[ref]

    def count(self) -> object:
        """Its machines."""
        return sorted(self.systems)

    def _start(self) -> None:
        accounts = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(4)).decode()
        (self.home / "accounts").write_text(f"{ACCOUNT}:{accounts}\n")
        (self.home / "settings.py").write_text(SETTINGS.format(home=str(self.home), gib=GIB))
        for _ in range(3):
            self.port = self.port or free_port()
            if self._answers():
                return
            self.port = 0
        raise ServerMissing(f"sushy-emulator did not start: {(self.home / 'log').read_text()[-2000:]}")

    def end(self) -> None:
        """Stop it and remove every trace."""
        if self.process:
            self.process.kill()
            self.process.wait(timeout=10)
        shutil.rmtree(self.home, ignore_errors=True)

    def _answers(self) -> bool:
        words = ["--interface", "127.0.0.1", "--port", str(self.port), "--config", str(self.home / "settings.py")]
        if self.certificate:
            words += ["--ssl-certificate", str(self.certificate), "--ssl-key", str(self.certificate)]
        program = Path(sys.executable).parent / "sushy-emulator"
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(program), "--fake", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            )
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return True
            except OSError:
                time.sleep(0.02)
        return False
