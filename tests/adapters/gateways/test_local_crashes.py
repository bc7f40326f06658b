"""What a process of ads leaves of machines of this host when it is killed at any point is finished by the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.gateways.subjects import Subject, below, die_during, init_of, order
from adslib.adapters.gateways.directories import snapshots
from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.directories.directory import Directory
from adslib.adapters.gateways.directories.machines import Machines
from adslib.adapters.gateways.local import control
from adslib.adapters.gateways.local.templates import Templates
from adslib.domain.lifecycle import MachineState

pytestmark = pytest.mark.req("A8", "A9", "A22")

MAKING = [
    (Addresses, "claim"),
    (Templates, "unfold"),
    (Directory, "write"),
    (Path, "touch"),
    (Path, "rename"),
    (control.Control, "start"),
    (control.Control, "_await"),
    (Path, "unlink"),
]
DELETING = [(control.Control, "stop"), (Machines, "part"), (Addresses, "release"), (Machines, "clear")]
RETURNING = ["prepare", "exchange", "settle", "finish"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), MAKING, ids=[name for _, name in MAKING])
def test_a_creation_that_was_killed_is_taken_up(local: Subject, owner: object, name: str, after: bool) -> None:
    local.options["claims"] = str(local.home / "claims")
    wanted = order(id="one")
    die_during(local, owner, name, after, lambda gateway: gateway.create(wanted))
    gateway = local.open()
    assert {machine.ref for machine in gateway.machines()} <= {"one"}
    assert gateway.create(wanted).state is MachineState.RUNNING
    assert len(gateway.machines()) == 1
    inits = {process.pid for process in below(local.home)}
    assert inits == {init_of(gateway.look("one")).pid}
    assert len([file for file in (local.home / "claims").iterdir() if not file.name.startswith(".")]) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), MAKING, ids=[name for _, name in MAKING])
def test_a_creation_that_was_killed_can_be_given_up(local: Subject, owner: object, name: str, after: bool) -> None:
    die_during(local, owner, name, after, lambda gateway: gateway.create(order(id="one")))
    gateway = local.open()
    gateway.delete("one")
    assert list(gateway.machines()) == []
    assert below(local.home) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), DELETING, ids=[name for _, name in DELETING])
def test_a_deletion_that_was_killed_is_finished(local: Subject, owner: object, name: str, after: bool) -> None:
    claims = local.home / "claims"
    local.options["claims"] = str(claims)
    local.open().create(order(id="one"))
    die_during(local, owner, name, after, lambda gateway: gateway.delete("one"))
    gateway = local.open()
    gateway.delete("one")
    assert list(gateway.machines()) == []
    assert below(local.home) == []
    assert gateway.create(order(id="one")).state is MachineState.RUNNING
    assert len(list(claims.iterdir())) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", RETURNING)
def test_a_return_to_a_snapshot_that_was_killed_is_finished(local: Subject, name: str, after: bool) -> None:
    gateway = local.open()
    root = Path(gateway.create(order(id="one")).reach.root)
    (root / "srv/data").write_text("then")
    gateway.create_snapshot("one", "then")
    (root / "srv/data").write_text("now")
    die_during(local, snapshots, name, after, lambda gateway: gateway.restore_snapshot("one", "then"))
    assert gateway.restore_snapshot("one", "then").state is MachineState.RUNNING
    assert (root / "srv/data").read_text() == "then"
    assert {path.name for path in root.parent.iterdir()} == {"root", "init", "snapshots", "machine.json"}
    assert not (root.parent / "init/runs-after-restore").exists()
