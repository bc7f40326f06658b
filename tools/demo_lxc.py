"""The demonstration on real hosts: two tenants with the same addresses on system containers with systemd and sshd.

Everything is below `.ads/demo-lxc`; what containers stand on and the packages that they downloaded are kept below
`build/hosts`, so that the next demonstration begins with them.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from adslib.adapters.gateways.lxc.foundations import Foundations
from adslib.adapters.gateways.lxc.reaching import connected
from demo import DEFINITION, ROOT, VLANS, Caller, Home, expect

SUITE = "bookworm"
PHASES = {"Plan,": "machines", "Wait": "machines", "Stop": "machines", "Stage": "roles", "Run": "tests"}
"""By the first word of a play, what its time is spent for; all else is `rest`."""


@dataclass(frozen=True)
class Tenant:
    """A tenant, whose gateway, environment and networks have its name.

    Args:
        version: of its media servers. vlan: added to the VLANs of the data centres. servers: of media in a unit.
    """

    name: str
    version: str
    vlan: int
    servers: int


TENANTS = (Tenant("acme", "1.0.0", 0, 2), Tenant("globex", "1.1.0", 10, 1))


@dataclass
class Demo:
    """The demonstration of one home.

    Args:
        folder: of the home. cache: where foundations and packages are kept. network: of both tenants; empty: one of
            the home's own. packages: what the foundation has besides.
    """

    folder: Path
    cache: Path
    network: str
    packages: tuple[str, ...]
    spent: list[tuple[str, float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(str(self.folder).encode()).digest()
        self.mark = digest.hex()[:6]
        self.prefix = ipaddress.IPv4Network(self.network or f"10.{192 + digest[0] % 32}.{digest[1]}.0/24")
        # Connections that Ansible keeps open, so that they can be closed in the end.
        self.sockets = Path("/run", f"ads-demo-{self.mark}")
        self.home = Home(self.folder, {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets)})

    def bridge(self, tenant: Tenant) -> str:
        """The name of a tenant's bridge on this host."""
        return f"{tenant.name}-{self.mark}"

    def up(self) -> None:
        """Bring it up, stop and start a part of it, and say where the time went."""
        began, load = time.monotonic(), os.getloadavg()[0]
        title("A gateway for each of two tenants: bridges of their own, the same network on both")
        self.gateways()
        self.foundation()
        for tenant in TENANTS:
            title(f"{tenant.name}: networks, machines on the fly, services as systemd units, tests")
            self.define(tenant)
            self.job("deploy", tenant)
        title("Both beside each other")
        self.compare()
        for tenant in TENANTS:
            self.call(tenant)
        first, last = TENANTS
        title(f"{last.name} is stopped, {first.name} goes on; and {last.name} comes back with what it had")
        self.job("stop", last)
        self.call(first)
        self.job("start", last)
        self.call(last)
        title("A look inside a host")
        self.look_inside()
        self.report(time.monotonic() - began, load)

    def gateways(self) -> None:
        """Give each tenant a gateway: a bridge of its own, the same network as the other's."""
        new = not self.folder.exists()
        for tenant in TENANTS:
            options = {"bridge": self.bridge(tenant), "network": self.prefix, "cache": self.cache, "suite": SUITE}
            options |= {"packages": ",".join(self.packages)} if self.packages else {}
            words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
            if not self.home.has("gateway", tenant.name):
                try:
                    self.home.ads("gateway", "add", tenant.name, "--kind", "lxc", *words)
                except SystemExit:
                    if new:
                        self.home.remove()
                    raise

    def foundation(self) -> None:
        """Have the file system that all containers stand on."""
        title("The foundation that all containers stand on")
        known = set(self.cache.glob("foundations/*"))
        with self.timed("foundation") as notes:
            place = Foundations(self.cache, SUITE, "", self.packages).ready()
            notes.append("it was there" if place in known else "built by mmdebstrap; the next demo finds it")
        print(f"  {place} ({notes[0]})")

    def define(self, tenant: Tenant) -> None:
        """Make the networks of a tenant, and its environment, if they are not there."""
        with self.timed(f"define {tenant.name}"):
            self._networks(tenant)
            self._environment(tenant)

    def _networks(self, tenant: Tenant) -> None:
        name = tenant.name
        for (place, vlan), part in zip(VLANS.items(), self.prefix.subnets(), strict=True):
            tags = ["--space", name, "--tenant", name, "--vlan", str(vlan + tenant.vlan), "--datacenter", place]
            tags += ["--gateway", str(self.prefix[1])] if self.prefix[1] in part else []
            if not self.home.has("network", f"{name}-{place}"):
                zone = f"{place}.{name}.example"
                self.home.ads("network", "add", f"{name}-{place}", str(part), *tags, "--zone", zone)

    def _environment(self, tenant: Tenant) -> None:
        name = tenant.name
        if not self.home.has("environment", name):
            given = {"gateway": name, "version": tenant.version, "media_count": tenant.servers}
            given |= {f"{place.removeprefix('us-')}_vlan": vlan + tenant.vlan for place, vlan in VLANS.items()}
            words = [word for key, value in given.items() for word in ("-p", f"{key}={value}")]
            self.home.ads("environment", "create", DEFINITION, "--name", name, *words)

    def job(self, verb: str, tenant: Tenant) -> None:
        """Run a job, and note where its time went."""
        with self.timed(f"{verb} {tenant.name}") as notes:
            self.home.ads("environment", verb, tenant.name)
            job = self.home.read("job", "list", "--environment", tenant.name, "--limit", "1")[0]
            parts = phases(Path(job["artifacts"]) / "job_events")
            notes.append(", ".join(f"{what} {seconds:.0f}" for what, seconds in parts.items() if seconds >= 0.5))

    def caller(self, tenant: Tenant) -> Caller:
        """Who calls the users of a tenant: by its bridge, as this host's routes know one of the two."""
        bridge = self.bridge(tenant)

        def connect(asked: http.client.HTTPConnection) -> None:
            asked.sock = connected(bridge, asked.host, asked.port, 5)

        return Caller(self.home, tenant.name, tenant.version, f"curl --interface {bridge}", connect)

    def call(self, tenant: Tenant) -> None:
        """See that every user of a tenant is answered, and by this tenant."""
        with self.timed(f"calls {tenant.name}"):
            self.caller(tenant).call_everybody()

    def compare(self) -> None:
        """See that the tenants have the same addresses on machines of their own."""
        self.home.ads("address", "list")
        stand = [{m["address"]: m["id"] for m in self.machines(tenant)} for tenant in TENANTS]
        both = stand[0].keys() & stand[1].keys()
        print()
        expect(len(both) >= len(stand[1]) - 1, f"{len(both)} addresses are used by both tenants")
        expect(not set(stand[0].values()) & set(stand[1].values()), "on machines of their own")

    def machines(self, tenant: Tenant) -> list[dict[str, Any]]:
        """The machines of a tenant."""
        return [row for row in self.home.read("machine", "list") if row["gateway"] == tenant.name]

    def look_inside(self) -> None:
        """See one service as systemd on its machine does."""
        machine = self.machines(TENANTS[0])[0]
        words = [*self.shell(TENANTS[0], machine), "systemctl", "status", "--no-pager", "--lines=0", "accounts"]
        print(f"\n$ {' '.join(words)}", flush=True)
        subprocess.run(words, check=True)

    def shell(self, tenant: Tenant, machine: Mapping[str, Any]) -> list[str]:
        """The command that runs another in a machine."""
        place = self.folder / "lxc" / tenant.name / "machines"
        return ["lxc-attach", "-P", str(place), "-n", machine["ref"], "--"]

    @contextmanager
    def timed(self, what: str) -> Iterator[list[str]]:
        """Note how long the block takes; what it appends is told beside."""
        began, notes = time.monotonic(), list[str]()
        yield notes
        self.spent.append((what, time.monotonic() - began, " ".join(notes)))

    def report(self, seconds: float, load: float) -> None:
        """Say where the time went, and how to look further."""
        rest = seconds - sum(part for _, part, _ in self.spent)
        title(f"Where the time went, in seconds ({os.cpu_count()} cores, load {load:.1f} at the start)")
        for what, part, note in [*self.spent, ("rest", rest, "")]:
            print(f"  {what:14} {part:6.1f}   {note}".rstrip())
        print(f"  {'in all':14} {seconds:6.1f}")
        machine = self.machines(TENANTS[0])[0]
        router = next(i for i in self.home.read("environment", "show", "acme")["instances"] if i["service"] == "router")
        print(f"""
── Look around
  export ADS_HOME={self.folder} PATH={Path(sys.executable).parent}:$PATH
  ads machine list                   every host, and where it is
  ads environment show globex        what stands where
  ads address list                   who has which address of which network
  ads event list                     what was done
  {" ".join(self.shell(TENANTS[0], machine)[:-1])}
                                     a shell on {machine["name"]}
  {self.caller(TENANTS[0]).curl} 'http://{router["address"]}:{router["ports"]["http"]}/call?user=alice'

Take it down with: make undemo-lxc""")

    def down(self) -> None:
        """Return everything; what containers stand on stays in the cache."""
        if self.folder.exists():
            self.home.take_down()
        else:
            print("demo: nothing is up")
        for socket in self.sockets.glob("*"):
            subprocess.run(
                ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "any"], capture_output=True, check=False
            )
        shutil.rmtree(self.sockets, ignore_errors=True)


def phases(events: Path) -> dict[str, float]:
    """What the time of a job was spent for, in seconds, from the beginnings of its plays."""
    read = sorted((json.loads(file.read_text()) for file in events.glob("*.json")), key=lambda event: event["counter"])
    named = [
        (str(event["event_data"].get("name", "")), datetime.fromisoformat(event["created"]))
        for event in read
        if event["event"] in ("playbook_on_play_start", "playbook_on_stats")
    ]
    result: dict[str, float] = {}
    for (name, began), (_, ended) in pairwise(named):
        what = PHASES.get(name.partition(" ")[0], "rest")
        result[what] = result.get(what, 0) + (ended - began).total_seconds()
    return result


def title(text: str) -> None:
    """Begin a part of what is shown."""
    print(f"\n── {text}", flush=True)


def main() -> None:
    """Do what is said on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("--folder", type=Path, default=ROOT / ".ads" / "demo-lxc", help="where everything is")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "hosts", help="where foundations are kept")
    parser.add_argument("--network", default="", help="of both tenants; empty: one of the folder's own")
    parser.add_argument("--packages", nargs="*", default=(), help="what the foundation has besides")
    said = parser.parse_args()
    demo = Demo(said.folder.resolve(), said.cache.resolve(), said.network, tuple(said.packages))
    demo.up() if said.verb == "up" else demo.down()


if __name__ == "__main__":
    main()
