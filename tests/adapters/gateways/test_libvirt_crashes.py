"""What a process of ads that is killed leaves at a hypervisor is finished or cleared away by the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.gateways.providers import Virtual
from adapters.gateways.subjects import Subject, die_at, killed
from adslib.domain.gateway import Gateway
from adslib.domain.lifecycle import MachineState
from containers import NoHosts

pytestmark = [pytest.mark.req("A8", "A9", "A22"), pytest.mark.once]

START = ("libvirt.virDomain", "create")
MAKING = [
    ("libvirt.virConnect", "defineXML"),
    ("libvirt.virStoragePool", "createXML"),
    ("libvirt.virStream", "finish"),
    START,
    ("libvirt.virDomain", "setMetadata"),
]
DELETING = [
    ("libvirt.virDomain", "setMetadata"),
    ("libvirt.virDomain", "destroy"),
    ("libvirt.virStorageVol", "delete"),
    ("libvirt.virDomain", "undefineFlags"),
]
CASES = [
    pytest.param(owner, name, after, id=f"{'after' if after else 'before'}-{name}", marks=marks)
    for owner, name in MAKING
    for after in (False, True)
    for marks in [() if (owner, name) == START else pytest.mark.slow]
]


@pytest.fixture
def virtual(make_subject: Callable[..., Subject]) -> Virtual:
    """A gateway to a hypervisor."""
    try:
        subject = make_subject("libvirt")
    except NoHosts as reason:
        pytest.skip(str(reason))
    assert isinstance(subject, Virtual)
    return subject


def die_during(virtual: Virtual, owner: str, name: str, after: bool, act: Callable[[Gateway], object]) -> None:
    """Do something in a process that dies at the given point."""
    kind: Any = getattr(virtual.server.libvirt, owner.rpartition(".")[2])

    def run(die: Callable[..., object]) -> None:
        gateway = virtual.open()
        die_at(kind, name, after=after)(die)
        act(gateway)

    killed(run)


@pytest.mark.parametrize(("owner", "name", "after"), CASES)
def test_a_creation_that_was_killed_is_taken_up(virtual: Virtual, owner: str, name: str, after: bool) -> None:
    wanted = virtual.order(id="one")
    die_during(virtual, owner, name, after, lambda gateway: gateway.create(wanted))
    gateway = virtual.open()
    assert {machine.id for machine in gateway.machines()} <= {"one"}
    made = gateway.create(wanted)
    assert (made.id, made.state) == ("one", MachineState.RUNNING)
    assert list(gateway.machines()) == [made]
    assert virtual.server.count() == sorted([made.name, "one.iso", "one.qcow2"])
    gateway.delete(made.ref)
    assert virtual.server.count() == []


@pytest.mark.parametrize(("owner", "name", "after"), CASES)
def test_a_creation_that_was_killed_can_be_given_up(virtual: Virtual, owner: str, name: str, after: bool) -> None:
    die_during(virtual, owner, name, after, lambda gateway: gateway.create(virtual.order(id="one")))
    gateway = virtual.open()
    for machine in gateway.machines():
        gateway.delete(machine.ref)
    assert virtual.server.count() == []


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), DELETING, ids=[name for _, name in DELETING])
def test_a_deletion_that_was_killed_is_finished(virtual: Virtual, owner: str, name: str, after: bool) -> None:
    made = virtual.open().create(virtual.order(id="one"))
    virtual.open().create_snapshot(made.ref, "before")
    die_during(virtual, owner, name, after, lambda gateway: gateway.delete(made.ref))
    virtual.open().delete(made.ref)
    assert virtual.server.count() == []
