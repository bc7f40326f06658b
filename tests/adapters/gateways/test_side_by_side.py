"""Local machines of several users, homes and processes on one host, with root and without (A8, A9, A22)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import supervisor

import adslib
from adapters.gateways.subjects import Subject

pytestmark = pytest.mark.req("A8", "A9", "A22")

NOBODY = 65534
PACKAGES = [Path(adslib.__file__).parent.parent, Path(supervisor.__file__).parent.parent]
PROBE = "import adslib.adapters.gateways.local, supervisor, sys; open(sys.executable).close()"
LIFE = """\
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from adslib.adapters.gateways import open_gateway
from adslib.domain.gateway import Order
from adslib.domain.machine import DEFAULT_SIZES

gateway = open_gateway("local", "here", {}, home=Path(sys.argv[1]))
orders = [Order(f"m{number}", f"web{number}", DEFAULT_SIZES[0]) for number in range(3)]
try:
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(gateway.create, orders))
    print(json.dumps([machine.reach.address for machine in made]), flush=True)
    sys.stdin.readline()
    gateway.create_snapshot("m0", "before")
    states = [str(gateway.restore_snapshot("m0", "before").state), str(gateway.stop("m1").state)]
    states += [str(gateway.start("m1").state), str(gateway.reboot("m2").state)]
    print(json.dumps(states), flush=True)
finally:
    for order in orders:
        gateway.delete(order.id)
print(json.dumps([machine.ref for machine in gateway.machines()]), flush=True)
"""
Process = subprocess.Popen[str]


def environment() -> dict[str, str]:
    """The environment in which another Python finds ads and supervisor."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PACKAGES))}


@pytest.fixture
def live() -> Iterator[Callable[..., Process]]:
    """Start a process that makes machines, waits for a line, works with them and deletes them."""
    with ExitStack() as started:

        def start(home: Path, python: Sequence[str] = (sys.executable,)) -> Process:
            pipe = subprocess.PIPE
            command = [*python, "-c", LIFE, str(home)]
            process = Process(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment(), cwd="/")
            # Leaving closes the pipes: it goes on, deletes its machines and ends, also when a test has failed.
            return started.enter_context(process)

        yield start


@pytest.fixture
def foreign_home() -> Iterator[Path]:
    """A home of another user."""
    home = Path(tempfile.mkdtemp(prefix="ads-foreign-"))
    os.chown(home, NOBODY, NOBODY)
    yield home
    shutil.rmtree(home)
    with suppress(OSError):
        Path(f"/tmp/ads-{NOBODY}").rmdir()


def python_of_nobody() -> Sequence[str]:
    """A Python that another user can run ads with; empty if there is none."""
    # The shell opens the interpreter: setpriv itself might still read what its user may not.
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "sh", "-c", 'exec "$0" "$@"')
    for python in (sys.executable, "/usr/bin/python3"):
        probe = [*become, python, "-c", PROBE]
        if subprocess.run(probe, capture_output=True, env=environment(), cwd="/", check=False).returncode == 0:
            return (*become, python)
    return ()


def addresses(process: Process) -> list[str]:
    """The addresses of the machines that it made."""
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate(timeout=10)[1]
    return list(json.loads(line))


def go_on(process: Process) -> tuple[object, object]:
    """Let it work and finish; returns the states that it saw, and the machines that were left."""
    told, wrong = process.communicate("go on\n", timeout=240)
    assert process.returncode == 0, wrong
    states, left = map(json.loads, told.splitlines())
    return states, left


def test_two_homes_in_two_processes_do_not_meet(
    make_subject: Callable[..., Subject], live: Callable[..., Process]
) -> None:
    east, west = (live(make_subject("local", place).home) for place in ("east", "west"))
    assert len({*addresses(east), *addresses(west)}) == 6
    assert go_on(east) == go_on(west) == (["running", "stopped", "running", "running"], [])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; without root all tests prove it")
def test_no_root_is_needed_and_another_user_is_respected(
    local: Subject, foreign_home: Path, live: Callable[..., Process]
) -> None:
    python = python_of_nobody()
    if not python:
        pytest.skip(f"setpriv is missing, or user {NOBODY} may read no Python >= 3.11 here or not this source tree")
    ours, theirs = live(local.home), live(foreign_home, python)
    assert len({*addresses(ours), *addresses(theirs)}) == 6
    assert go_on(ours) == go_on(theirs) == (["running", "stopped", "running", "running"], [])
    assert {path.lstat().st_uid for path in foreign_home.rglob("*")} == {NOBODY}
