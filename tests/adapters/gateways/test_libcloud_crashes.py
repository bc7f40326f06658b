"""What a process of ads leaves at a cloud when it is killed at any point is found by tags, and taken up or removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.gateways.subjects import Subject, die_during
from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.domain.lifecycle import MachineState
from clouds import Cloud

pytestmark = [pytest.mark.req("A8", "A13", "A22"), pytest.mark.once]

RESTORING = ["stop_node", "create_volume_from", "create_tags", "detach_from", "attach_volume", "delete_with"]


@pytest.fixture
def ec2(make_subject: Callable[..., Subject]) -> Subject:
    """A gateway of a cloud that speaks EC2."""
    return make_subject("libcloud")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_creation_that_was_killed_is_taken_up(ec2: Subject, cloud: Cloud, after: bool) -> None:
    wanted = ec2.order()
    die_during(ec2, Library, "run_instances", after, lambda gateway: gateway.create(wanted))
    assert cloud.count()["machines"] == after
    assert [machine.id for machine in ec2.open().machines()] == [wanted.id] * after
    made = ec2.open().create(wanted)
    assert (made.id, made.state) == (wanted.id, MachineState.RUNNING)
    assert cloud.count()["machines"] == 1


@pytest.mark.parametrize("name", RESTORING)
def test_going_back_that_was_killed_is_done_again_or_deleted_whole(ec2: Subject, cloud: Cloud, name: str) -> None:
    before = cloud.count()
    made = ec2.open().create(ec2.order())
    ec2.open().create_snapshot(made.ref, "clean")
    die_during(ec2, Library, name, True, lambda gateway: gateway.restore_snapshot(made.ref, "clean"))
    assert ec2.open().restore_snapshot(made.ref, "clean").state is MachineState.RUNNING, "it ran before"
    assert cloud.count() == {**before, "machines": 1, "volumes": 1, "snapshots": before["snapshots"] + 1}
    die_during(ec2, Library, name, True, lambda gateway: gateway.restore_snapshot(made.ref, "clean"))
    ec2.open().delete(made.ref)
    assert cloud.count() == before


@pytest.mark.parametrize("name", ["create_tags", "delete_image", "destroy_volume_snapshot"])
def test_a_template_that_was_half_deleted_is_listed_until_it_is_gone(ec2: Subject, cloud: Cloud, name: str) -> None:
    before = cloud.count()
    made = ec2.open().create(ec2.order())
    ec2.open().create_template(made.ref, "golden")
    ec2.open().delete(made.ref)
    die_during(ec2, Library, name, True, lambda gateway: gateway.delete_template("golden"))
    if name != "destroy_volume_snapshot":
        assert "golden" in [template.name for template in ec2.open().templates()]
    ec2.open().delete_template("golden")
    assert cloud.count() == before
