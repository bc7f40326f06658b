"""The demonstration on containers, as a person runs it: two tenants with the same addresses; and nothing is left."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from containers import KEPT, ROOT, NoHosts, container_options, found, read, unused_network

TENANTS = {"acme": "1.0.0", "globex": "1.1.0"}


@dataclass
class Stage:
    """Where a demonstration is.

    Args:
        folder: its home. options: of its gateways.
    """

    folder: Path
    options: list[str] = field(default_factory=list)

    def run(self, verb: str, *before: str) -> tuple[int, str]:
        """Say something to it: exit code, and what it said."""
        command = [*before, sys.executable, str(ROOT / "tools" / "demo_lxc.py"), verb, "--folder", str(self.folder)]
        done = subprocess.run(
            [*command, *self.options], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.returncode, done.stdout

    def found(self) -> list[str]:
        """All that this host has for it, besides its folder."""
        mark = sha256(str(self.folder).encode()).hexdigest()[:6]
        mine = [each for tenant in TENANTS for each in found(self.folder / "lxc" / tenant, f"{tenant}-{mark}")]
        sockets = Path("/run", f"ads-demo-{mark}")
        lines = (read(place / "cmdline") for place in Path("/proc").glob("[0-9]*"))
        return [*mine, *map(str, sockets.glob("*")), *(line for line in lines if f"ssh: {sockets}/" in line)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A demonstration of this test's own, on the foundation of all tests."""
    try:
        packages = str(container_options()["packages"]).split(",")
    except NoHosts as reason:
        pytest.skip(str(reason))
    network = ("--network", str(unused_network(27)))
    made = Stage(tmp_path / "demo", ["--cache", str(KEPT), *network, "--packages", *packages])
    yield made
    made.run("down")


@pytest.mark.slow
@pytest.mark.req("A1", "A9", "A11", "A13", "A14", "I1", "I5")
def test_the_demonstration_on_containers(stage: Stage) -> None:
    """Deployed, called, stopped and started beside each other with the same addresses."""
    code, said = stage.run("up")
    assert code == 0, said
    assert "✗" not in said
    assert "  ✓ 8 addresses are used by both tenants" in said
    for tenant, version in TENANTS.items():
        assert re.search(rf"\$ curl --interface {tenant}-\w+ .*\n.*\"version\": \"{version}\"", said), said
    assert "Active: active (running)" in said
    spent = re.findall(r"^  (\S+(?: \S+)?) +\d+\.\d\b", said.partition("Where the time went")[2], re.MULTILINE)
    assert {"foundation", "deploy acme", "stop globex", "start globex", "in all"} <= set(spent), said
    assert len(stage.found()) > len(TENANTS) * 3

    code, said = stage.run("down")
    assert (code, stage.found(), stage.folder.exists()) == (0, [], False), said
    assert stage.run("down") == (0, "demo: nothing is up\n")


@pytest.mark.req("A9")
def test_it_is_refused_where_there_can_be_no_containers(tmp_path: Path) -> None:
    """A user who is not root is told so by the gateway, and nothing is left."""
    if subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode:
        pytest.skip("nobody else than root can be played here")
    code, said = Stage(tmp_path / "demos" / "demo").run("up", "unshare", "--user")
    assert code != 0
    assert "system containers need root" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
