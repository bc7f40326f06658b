"""The power goes at every moment at which it could matter; the next run goes on, nothing is lost or held twice."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import adslib
from servers import LONGEST

CRASHING = Path(__file__).with_name("crashing")
MOST_MOMENTS = 30
"""More than a deployment of the small environment has; `test_moments_are_counted` says so if that changes."""

DEFINITION = """
environment: small
components:
  web:
    version: "1"
    files: [{path: /etc/web.txt, content: "{{ self.id }}"}]
    process: {command: "{{ ads_python }} -m http.server --bind {{ self.address }} --directory {{ ads_root }}/etc 8080"}
services:
  store: {component: web, ports: {http: 8080}}
  web: {component: web, requires: [store], ports: {http: 8080}, tests: [{http: /web.txt, contains: web-1}]}
datacenters:
  west: {vlan: 110, services: [store, web]}
"""


def ads(home: Path, *words: str, crash_at: int = 0, log: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line; with a log it counts moments and dies at one."""
    environ = {**os.environ, "ADS_HOME": str(home)}
    if log:
        paths = os.pathsep.join([str(CRASHING), os.environ.get("PYTHONPATH", "")])
        environ |= {"PYTHONPATH": paths, "ADS_CRASH_LOG": str(log), "ADS_CRASH_AT": str(crash_at)}
    command = [sys.executable, "-m", "adslib.entrypoints.cli", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LONGEST, check=False)


@pytest.fixture
def home(tmp_path: Path):
    """A home with the small environment defined; whatever a test leaves is deleted."""
    document = tmp_path / "small.yml"
    document.write_text(DEFINITION)
    folder = tmp_path / "home"
    created = ads(folder, "environment", "create", str(document))
    assert created.returncode == 0, created.stderr
    # Loopback addresses are claimed host-wide, so tests side by side number their machines from networks of their own.
    octets = hashlib.sha256(str(tmp_path).encode()).digest()
    prefix = f"127.{200 + octets[0] % 50}.{octets[1]}.{octets[2] & 0xF0}/28"
    with adslib.connect(store_of(folder)) as opened:
        opened.networks.add(
            {"name": "west", "prefix": prefix, "vlan": 110, "datacenter": "west", "zone": "west.example"}
        )
    yield folder
    ads(folder, "environment", "undeploy", "small")


def store_of(home: Path) -> str:
    """The store of a home."""
    return f"sqlite:///{home / 'ads.db'}"


def taken(home: Path) -> dict[str, tuple[str, str]]:
    """Address and name by machine, as the networks know them."""
    with adslib.connect(store_of(home)) as opened:
        return {row["machine"]: (row["address"], row["name"]) for row in opened.addresses.list()}


def machines(home: Path) -> list[dict[str, object]]:
    return json.loads(ads(home, "machine", "list", "--format", "json").stdout)


def folders(home: Path) -> set[str]:
    """The machines that really exist at the local gateway."""
    return {path.name for path in (home / "machines").iterdir() if not path.name.startswith(".")}


def expect_one_whole_environment(home: Path) -> None:
    """Live, two machines in the store, the same two at the gateway, one instance on each."""
    shown = json.loads(ads(home, "environment", "show", "small", "--format", "json").stdout)
    assert shown["state"] == "live", shown
    assert sorted(i["state"] for i in shown["instances"]) == ["deployed", "deployed"]
    held = machines(home)
    assert len(held) == 2
    assert {m["holder"] for m in held} == {"small"}
    assert len({i["machine"] for i in shown["instances"]}) == 2
    assert folders(home) == {str(m["id"]) for m in held}
    assert {name: address for name, (address, _) in taken(home).items()} == {m["name"]: m["address"] for m in held}
    assert {name for _, name in taken(home).values()} == {"store-1.west.example", "web-1.west.example"}


@pytest.mark.slow
@pytest.mark.req("A23")
@pytest.mark.parametrize("moment", range(1, MOST_MOMENTS + 1))
def test_deployment_survives_a_power_cut(home: Path, tmp_path: Path, moment: int) -> None:
    """Cut at one moment of a deployment, deploy again: whole."""
    log = tmp_path / "moments"
    cut = ads(home, "environment", "deploy", "small", crash_at=moment, log=log)
    reached = len(log.read_text().splitlines())
    if reached < moment:
        assert cut.returncode == 0, cut.stderr
        pytest.skip(f"a deployment has {reached} moments; this one does not occur")
    again = ads(home, "environment", "deploy", "small")
    assert again.returncode == 0, again.stdout + again.stderr
    expect_one_whole_environment(home)


@pytest.mark.slow
@pytest.mark.req("A13")
@pytest.mark.parametrize("moment", range(1, 26))
def test_undeployment_survives_a_power_cut(home: Path, tmp_path: Path, moment: int) -> None:
    """Cut at one moment of an undeployment, undeploy again: nothing is left."""
    assert ads(home, "environment", "deploy", "small").returncode == 0
    log = tmp_path / "moments"
    ads(home, "environment", "undeploy", "small", crash_at=moment, log=log)
    if len(log.read_text().splitlines()) < moment:
        pytest.skip("an undeployment has fewer moments; this one does not occur")
    shown = json.loads(ads(home, "environment", "show", "small", "--format", "json").stdout)
    if shown["state"] != "not-deployed":
        again = ads(home, "environment", "undeploy", "small")
        assert again.returncode == 0, again.stdout + again.stderr
    assert machines(home) == []
    assert folders(home) == set()
    assert taken(home) == {}


@pytest.mark.req("A23")
@pytest.mark.once
def test_moments_are_counted(home: Path, tmp_path: Path) -> None:
    """The range above covers a whole deployment."""
    log = tmp_path / "moments"
    done = ads(home, "environment", "deploy", "small", log=log)
    assert done.returncode == 0, done.stdout + done.stderr
    moments = log.read_text().splitlines()
    assert 15 < len(moments) <= MOST_MOMENTS, moments
    assert {"before commit", "after commit", "before local create", "after local create"} <= set(moments)
    expect_one_whole_environment(home)
