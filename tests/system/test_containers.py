"""Environments on containers of this host: made on the fly from nothing, and lent as hosts that somebody else runs."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from containers import call, found
from system.home import Home, get
from system.test_resting import LODGE, SERVE

pytestmark = pytest.mark.slow

PLACES = """
datacenters:
  west: {vlan: 110, services: [room]}
"""


@dataclass(frozen=True)
class Lodge:
    """A home with a gateway of containers, and what is looked for on this host.

    Args:
        bridge: of the gateway. folder: of the gateway.
    """

    home: Home
    bridge: str
    folder: Path

    def found(self) -> list[str]:
        """All that this host has for its containers."""
        return found(self.folder, self.bridge)


@pytest.fixture
def lodge(home: Home, containers: Mapping[str, Any]) -> Lodge:
    """A gateway of containers, a network of the VLAN that its environment stands in, and the environment."""
    network = ipaddress.ip_network(containers["network"])
    with home.ads() as library:
        west = {"name": "west", "prefix": str(network), "gateway": str(network[1]), "vlan": 110, "datacenter": "west"}
        library.networks.add(west)
    home.define(LODGE.replace("COMMAND", SERVE) + PLACES)
    return Lodge(home, containers["bridge"], home.home / "lxc" / "hosts")


@pytest.fixture
def guest(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A second home, which knows nothing of the first."""
    made = Home(tmp_path_factory.mktemp("guest"))
    yield made
    made.sweep()


def ads(home: Home, *words: str) -> str:
    """Say something to the command line; it must succeed. Gives what it said."""
    command = [sys.executable, "-m", "adslib.entrypoints.cli", *words]
    done = subprocess.run(
        command, cwd=home.folder, env=home.surroundings(), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rooms(home: Home) -> dict[str, tuple[str, str]]:
    """By instance, its machine and address."""
    return {i["instance"].rpartition("/")[2]: (i["machine"], i["address"]) for i in home.show("lodge")["instances"]}


@pytest.mark.req("A8", "A9", "A11", "A13", "A14", "I5")
def test_life_on_containers(lodge: Lodge) -> None:
    """Machines on the fly with addresses of the network, systemd units over SSH with pinned keys; nothing is left."""
    home = lodge.home
    assert lodge.found() == []
    ads(home, "environment", "deploy", "lodge")
    assert home.state("lodge") == "live"
    stand = rooms(home)
    with home.ads() as library:
        given = {each["machine"]: each["address"] for each in library.addresses.list(environment="lodge")}
        kinds = {each["kind"] for each in library.machines.list()}
        keys = [library.machines.show(name)["host_keys"] for name in given]
    assert (dict(stand.values()), kinds) == (given, {"container"})
    assert [len(each) for each in keys] == [1, 1]
    for name, (_, address) in stand.items():
        assert get(f"http://{address}:8080/room.txt") == (200, f"west/{name}")
    assert lodge.bridge in lodge.found()

    ads(home, "environment", "stop", "lodge")
    assert home.state("lodge") == "stopped"
    assert lodge.found() == []
    ads(home, "environment", "start", "lodge")
    assert home.state("lodge") == "live"
    assert rooms(home) == stand

    ads(home, "environment", "undeploy", "lodge")
    assert home.state("lodge") == "not-deployed"
    assert (lodge.found(), home.machines(), list((lodge.folder / "machines").glob("*/"))) == ([], [], [])
    assert list((lodge.folder / "addresses").iterdir()) == []
    assert (home.home / "known_hosts").read_text() == ""


def shown(home: Home) -> dict[str, tuple[str, ...]]:
    """By machine of a home: its gateway, its state, whether it may be had, and who holds it."""
    told = json.loads(ads(home, "machine", "list", "--format", "json"))
    return {each["name"]: tuple(each[key] for key in ("gateway", "state", "availability", "holder")) for each in told}


def inits(lodge: Lodge) -> dict[str, str]:
    """By container, the process number of its init: another one, and it was started anew."""
    place = lodge.folder / "machines"
    return {path.name: call("lxc-info", "-P", str(place), "-n", path.name, "-pH") for path in place.glob("*/")}


def files(lodge: Lodge) -> set[str]:
    """The files that differ from those that all containers stand on, but for logs and what is gone after a boot."""
    place = lodge.folder / "machines"
    layers = [path / "root" for path in place.glob("*/")]
    found = {str(path.relative_to(place)) for layer in layers for path in layer.rglob("*") if not path.is_dir()}
    return {path for path in found if not re.search(r"/root/(run|tmp|var/log|var/tmp)/", path)}


def let_settle(lodge: Lodge) -> None:
    """Wait until the containers have booted to the end, and let nothing more begin there by the clock.

    Their sshd answers earlier; what still starts then, and what timers start at some time of the day, writes files.
    """
    for path in (lodge.folder / "machines").glob("*/"):
        inside = ["lxc-attach", "-P", str(path.parent), "-n", path.name, "--clear-env", "--", "systemctl"]
        # It says by its exit code how the boot went.
        subprocess.run([*inside, "is-system-running", "--wait"], check=False, capture_output=True, timeout=120)
        call(*inside, "stop", "*.timer")


@pytest.mark.req("A9", "A10", "A13", "A14")
def test_hosts_that_somebody_else_runs(lodge: Lodge, guest: Home) -> None:
    """Containers of one home are added to another by hand; they are lent to an environment and come back as they were.

    The other home has only SSH: a stop leaves hosts that it cannot stop ready, an undeploy leaves nothing there.
    """
    host = lodge.home
    ads(host, "pool", "rule", "add", "lent", "--size", "small", "--gateway", "hosts", "--floor", "2", "--ceiling", "2")
    ads(host, "pool", "apply")
    with host.ads() as library:
        lent = {name: library.machines.show(name) for name in host.machines()}
    let_settle(lodge)
    reach = ("--user", "root", "--key", str(lodge.folder / "key"), "--kind", "container", "--size", "small")
    for name, machine in lent.items():
        key = lodge.folder / "machines" / machine["ref"] / "root/etc/ssh/ssh_host_ed25519_key.pub"
        ads(guest, "machine", "add", name, "--address", machine["address"], "--host-key", str(key), *reach)
    before, pristine, free = inits(lodge), files(lodge), shown(guest)
    assert {*free.values()} == {("static", "running", "available", "")}

    guest.define(LODGE.replace("COMMAND", SERVE))
    ads(guest, "environment", "deploy", "lodge")
    stand = rooms(guest)
    assert dict(stand.values()) == {name: machine["address"] for name, machine in lent.items()}
    pages = {name: f"http://{address}:8080/room.txt" for name, (_, address) in stand.items()}
    served = {name: (200, name) for name in pages}
    assert {name: get(url) for name, url in pages.items()} == served
    assert {holder for *_, holder in shown(guest).values()} == {"lodge"}

    ads(guest, "environment", "stop", "lodge")
    assert guest.state("lodge") == "stopped"
    assert {name: get(url) for name, url in pages.items()} == served
    ads(guest, "environment", "start", "lodge")
    assert rooms(guest) == stand

    ads(guest, "environment", "undeploy", "lodge")
    assert shown(guest) == free
    assert {path.partition("/root/")[2] for path in files(lodge) - pristine} <= {"var/lib/ads/lock"}
    assert {get(url)[0] for url in pages.values()} == {0}
    for name in lent:
        ads(guest, "machine", "remove", name)
    assert inits(lodge) == before
    assert {state for _, state, *_ in shown(host).values()} == {"running"}
