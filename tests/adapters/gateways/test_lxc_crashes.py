"""What a process of ads leaves of containers when it is killed at any point is finished or cleared away by the next."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.gateways.subjects import Subject, die_during, killed, order
from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.directories.directory import Directory
from adslib.adapters.gateways.directories.machines import Machines
from adslib.adapters.gateways.lxc import containers, furnishing
from adslib.adapters.gateways.lxc.containers import Containers
from adslib.adapters.gateways.lxc.furnishing import Furnishing
from adslib.adapters.gateways.lxc.network import Bridge
from adslib.domain.lifecycle import MachineState
from containers import NoHosts, found

pytestmark = [pytest.mark.req("A8", "A9", "A22"), pytest.mark.slow]

MAKING = [
    (Addresses, "claim"),
    (furnishing, "make_key"),
    (Furnishing, "_configure"),
    (Directory, "write"),
    (Path, "rename"),
    (Bridge, "use"),
    (Bridge, "_make"),
    (containers, "greets"),
    (Containers, "start"),
    (Path, "unlink"),
]
DELETING = [(Containers, "stop"), (Bridge, "leave"), (Machines, "part"), (Machines, "clear")]


@pytest.fixture
def lxc(make_subject: Callable[..., Subject]) -> Subject:
    """A gateway of containers."""
    try:
        return make_subject("lxc")
    except NoHosts as reason:
        pytest.skip(str(reason))


def expect_nothing(lxc: Subject) -> None:
    """This host has nothing of the gateway but its key and what it keeps for the next."""
    folder = lxc.home / "lxc" / "here"
    assert found(folder, lxc.options["bridge"]) == []
    assert [path.name for path in (folder / "machines").iterdir()] == [".lock"]
    assert list((folder / "addresses").iterdir()) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), MAKING, ids=[name for _, name in MAKING])
def test_a_creation_that_was_killed_is_taken_up(lxc: Subject, owner: object, name: str, after: bool) -> None:
    wanted = order(id="one")
    die_during(lxc, owner, name, after, lambda gateway: gateway.create(wanted))
    gateway = lxc.open()
    assert {machine.ref for machine in gateway.machines()} <= {"one"}
    assert gateway.create(wanted).state is MachineState.RUNNING
    assert [machine.ref for machine in gateway.machines()] == ["one"]
    gateway.delete("one")
    expect_nothing(lxc)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), MAKING, ids=[name for _, name in MAKING])
def test_a_creation_that_was_killed_can_be_given_up(lxc: Subject, owner: object, name: str, after: bool) -> None:
    die_during(lxc, owner, name, after, lambda gateway: gateway.create(order(id="one")))
    lxc.open().delete("one")
    expect_nothing(lxc)


@pytest.mark.parametrize("then", ["create", "delete"])
def test_a_container_that_starts_without_its_starter_is_no_second_one(lxc: Subject, then: str) -> None:
    wanted = order(id="one")

    def begin(die: Callable[..., object]) -> None:
        def starting(*words: str, **_: object) -> object:
            subprocess.Popen(words, start_new_session=True)
            return die()

        real = containers.run
        containers.run = lambda *words, **named: (starting if words[0] == "lxc-start" else real)(*words, **named)
        lxc.open().create(wanted)

    killed(begin)
    gateway = lxc.open()
    if then == "create":
        assert gateway.create(wanted).state is MachineState.RUNNING
    gateway.delete("one")
    expect_nothing(lxc)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), DELETING, ids=[name for _, name in DELETING])
def test_a_deletion_that_was_killed_is_finished(lxc: Subject, owner: object, name: str, after: bool) -> None:
    lxc.open().create(order(id="one"))
    die_during(lxc, owner, name, after, lambda gateway: gateway.delete("one"))
    lxc.open().delete("one")
    expect_nothing(lxc)
