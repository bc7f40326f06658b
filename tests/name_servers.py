"""A BIND of the tests' own on loopback: zones that a key may change and transfer, and questions to it."""

from __future__ import annotations

import base64
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import dns.update

from servers import LONGEST_START, ServerMissing, free_port, session_folder

NAMED = Path("/usr/sbin/named")
KEY = "ads-key"
ANSWER = 15.0
GUEST = "guest-key"
"""A key that the server knows and that may do nothing."""
FORBIDDEN = "forbidden"
"""The one label of each zone that nobody may change."""
ZONE = """$TTL 300
@ IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 1209600 300
@ IN NS ns.{zone}.
ns.{zone}. IN A 127.0.0.1
"""


class Bind:
    """A BIND in a temporary folder; it ends with this process, however that ends."""

    def __init__(self) -> None:
        self.home = session_folder("bind")
        self.port = 0
        self.secret = base64.b64encode(os.urandom(32)).decode()
        self.zones: list[str] = []
        self.numbers = itertools.count(1)
        """One for each test that wants zones of its own."""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def key(self) -> dns.tsig.Key:
        """The key that may change all its zones."""
        return dns.tsig.Key(KEY, self.secret, "hmac-sha256")

    def carry(self, *zones: str) -> None:
        """Carry these zones, too, empty; the server is started, or reads its settings again if it runs.

        Raises:
            ServerMissing: see `start`; or it does not carry them.
        """
        for zone in zones:
            (self.home / f"{zone}.zone").write_text(ZONE.format(zone=zone))
        self.zones += zones
        self._configure()
        if self.process is None:
            self.start()
            return
        self.process.send_signal(signal.SIGHUP)
        if not self._await(zones):
            raise ServerMissing(f"BIND does not carry its zones: {(self.home / 'log').read_text()[-2000:]}")

    def start(self) -> None:
        """Start it, at the port that it had before, and wait until it carries its zones.

        Raises:
            ServerMissing: it is not installed, or did not start; the message holds what its log says.
        """
        if not NAMED.exists():
            raise ServerMissing("BIND is not on this machine; install it with: apt-get install bind9 (make test does)")
        # A copy, since Debian's AppArmor profile lets the original read nothing but its own folders.
        program = Path(shutil.copy(NAMED, self.home))
        for _ in range(3):
            if not self.port:
                self.port = free_port()
                self._configure()
            with (self.home / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [
                        "setpriv",
                        "--pdeathsig",
                        "KILL",
                        str(program),
                        "-g",
                        "-n",
                        "1",
                        "-c",
                        str(self.home / "named.conf"),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.home,
                )
            if self._await(self.zones):
                return
            # It lives on where it could not listen.
            self.stop()
            self.port = 0
        raise ServerMissing(f"BIND did not start: {(self.home / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it; its zones stay as they are."""
        if self.process:
            self.process.terminate()
            # It writes what its zones have become.
            self.process.wait(timeout=LONGEST_START)
            self.process = None

    def end(self) -> None:
        """Stop it and remove every trace."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, name: str, type: str) -> list[str]:
        """The records of a name, in order."""
        question = dns.message.make_query(name, type)
        answer = dns.query.tcp(question, "127.0.0.1", timeout=ANSWER, port=self.port)
        return sorted(record.to_text() for each in answer.answer for record in each)

    def write(self, zone: str, name: str, type: str, *data: str) -> None:
        """Let a name have these records, as somebody does by hand; without any: none."""
        update = dns.update.UpdateMessage(zone, keyring=self.key)
        update.delete(name, type)
        if data:
            update.add(name, 300, type, *data)
        answer = dns.query.tcp(update, "127.0.0.1", timeout=ANSWER, port=self.port)
        assert answer.rcode() == dns.rcode.NOERROR, answer

    def _configure(self) -> None:
        (self.home / "named.conf").write_text(
            "".join(f'key "{key}" {{ algorithm hmac-sha256; secret "{self.secret}"; }};\n' for key in (KEY, GUEST))
            + f'options {{ directory "{self.home}"; pid-file none; session-keyfile none; recursion no; notify no;\n'
            f"  listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no;\n"
            f'  managed-keys-directory "{self.home}"; allow-transfer {{ key "{KEY}"; }}; }};\ncontrols {{ }};\n'
            + "".join(
                f'zone "{zone}" {{ type primary; file "{zone}.zone"; update-policy {{\n'
                f'  deny "{KEY}" name {FORBIDDEN}.{zone}.; grant "{KEY}" zonesub ANY; }}; }};\n'
                for zone in self.zones
            )
        )

    def _await(self, zones: Iterable[str]) -> bool:
        """Whether it carries these zones, as soon as it does."""
        until = time.monotonic() + LONGEST_START
        left = list(zones)
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            try:
                while left and self.ask(left[0], "SOA"):
                    left.pop(0)
            # It may take a connection, and hang up or say nothing as long as it starts.
            except (OSError, EOFError, dns.exception.DNSException):
                pass
            if not left:
                return True
            time.sleep(0.02)
        return False
