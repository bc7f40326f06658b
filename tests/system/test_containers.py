"""An environment on containers of this host, from nothing to live and back to nothing."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from containers import found
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
