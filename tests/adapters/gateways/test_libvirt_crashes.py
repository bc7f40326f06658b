"""What a process of ads that is killed leaves at a hypervisor is finished or cleared away by the next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.gateways.providers import Virtual, lived_and_died
from adapters.gateways.subjects import Subject
from adslib.domain.lifecycle import MachineState
from containers import NoHosts

pytestmark = [pytest.mark.req("A8", "A9", "A22"), pytest.mark.once]

START = ("virDomain", "create")
MAKING = [
    ("virConnect", "defineXML"),
    ("virStoragePool", "createXML"),
    ("virStream", "finish"),
    START,
    ("virDomain", "setMetadata"),
]
DELETING = [
    ("virDomain", "setMetadata"),
    ("virDomain", "destroy"),
    ("virStorageVol", "delete"),
    ("virDomain", "undefineFlags"),
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


@pytest.mark.parametrize(("owner", "name", "after"), CASES)
def test_a_creation_that_was_killed_is_taken_up(virtual: Virtual, owner: str, name: str, after: bool) -> None:
    wanted = virtual.order(id="one")
    lived_and_died(virtual, owner, name, after, "create", wanted)
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
    lived_and_died(virtual, owner, name, after, "create", virtual.order(id="one"))
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
    lived_and_died(virtual, owner, name, after, "delete", made.ref)
    virtual.open().delete(made.ref)
    assert virtual.server.count() == []
