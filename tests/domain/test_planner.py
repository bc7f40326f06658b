"""desired × actual → plan, by example: verbs, reasons, order, ids."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adslib.domain.definition import Definition, Placement
from adslib.domain.desired import Desired
from adslib.domain.environment import Environment
from adslib.domain.lifecycle import MachineState
from adslib.domain.plan import Action, Plan, Verb
from adslib.domain.planner import plan_undeploy
from domain.definitions import (
    World,
    apply,
    definition,
    machine,
    node,
    offer,
    provided,
    reserved,
    service,
    verbs,
    with_versions,
)


def shop(web: int = 2) -> Definition:
    return definition(
        service("web", "db"), service("db"), service("log"), nodes=[node("pod", Placement("web", web), "db", "log")]
    )


def cloud(*free: str) -> World:
    return World(free=tuple(machine(name) for name in free), offers=(offer(),))


def told(made: Plan) -> list[str]:
    return [f"{a.verb} {a.subject} on {a.machine}: {a.reason}" for a in made.actions]


@pytest.mark.req("A5", "A15")
def test_a_first_deployment_tells_every_step_with_its_reason() -> None:
    assert told(cloud("m1", "m2").plan(shop())) == [
        "allocate m1 on m1: free in the pool",
        "allocate m2 on m2: free in the pool",
        "create shop-pod-1 on shop-pod-1: small from gateway cloud",
        "create shop-pod-2 on shop-pod-2: small from gateway cloud",
        "deploy pod/db-1 on shop-pod-1: db 1.0",
        "deploy pod/log-1 on shop-pod-2: log 1.0",
        "deploy pod/web-1 on m1: web 1.0",
        "deploy pod/web-2 on m2: web 1.0",
    ]


@pytest.mark.req("A12")
def test_growing_adds_and_shrinking_removes_and_returns() -> None:
    world = cloud("m1").after(shop(1))
    grown = world.plan(shop(3))
    assert verbs(grown) == {"create": {"shop-pod-3", "shop-pod-4"}, "deploy": {"pod/web-2", "pod/web-3"}}
    shrunk = apply(grown, Desired(shop(3)), world).plan(shop(0))
    assert verbs(shrunk) == {
        "remove": {"pod/web-1", "pod/web-2", "pod/web-3"},
        "release": {"m1"},
        "delete": {"shop-pod-3", "shop-pod-4"},
    }
    assert {a.reason for a in shrunk.actions} == {
        "the definition no longer has it",
        "no instance stands on it any more",
    }


@pytest.mark.req("A12")
def test_a_new_version_says_from_what_to_what() -> None:
    made = cloud().after(shop(1)).plan(with_versions(shop(1), db="2.0"))
    assert told(made) == [
        "update pod/db-1 on shop-pod-2: version 1.0 → 2.0",
        "update pod/web-1 on shop-pod-1: what it works with changed",
    ]


@pytest.mark.req("A12", "A7")
def test_what_moves_says_where_from_and_why() -> None:
    world = cloud("m1").after(definition(service("web")))
    lost = world.with_machine("m1", state=MachineState.FAILED)
    (create, move, release) = lost.plan(definition(service("web"))).actions
    assert (create.verb, release.verb, release.reason) == (Verb.CREATE, Verb.RELEASE, "it is failed")
    assert (move.verb, move.origin, move.machine) == (Verb.MOVE, "m1", "shop-1")
    assert move.reason == "its machine is gone"
    larger = world.plan(definition(service("web", size="large")))
    assert [a.reason for a in larger.actions if a.verb is Verb.MOVE] == ["its machine no longer fits"]
    named = definition(service("web"), nodes=[node("", Placement("web", 1, ("m2",)))])
    named = replace(named, nodes=(replace(named.nodes[0], level="", path=""),))
    fixed = replace(world, free=(machine("m2"),)).plan(named)
    assert [a.reason for a in fixed.actions if a.verb is Verb.MOVE] == ["the definition names m2"]


@pytest.mark.req("A7")
def test_a_machine_that_vanished_from_the_pool_moves_what_stood_on_it() -> None:
    wanted = definition(service("web"))
    world = replace(cloud("m1").after(wanted), held=())
    made = world.plan(wanted)
    assert verbs(made) == {"create": {"shop-1"}, "move": {"web-1"}}
    assert not apply(made, Desired(wanted), world).plan(wanted).actions


@pytest.mark.req("A14")
def test_stopped_machines_are_started_and_creations_that_did_not_end_are_ended() -> None:
    wanted = definition(service("web"))
    stopped = cloud("m1").after(wanted).with_machine("m1", state=MachineState.STOPPED)
    assert told(stopped.plan(wanted)) == ["start m1 on m1: it is stopped"]
    begun = reserved(cloud().plan(wanted), cloud())
    assert told(begun.plan(wanted)) == [
        "create shop-1 on shop-1: its creation did not end",
        "deploy web-1 on shop-1: web 1.0",
    ]
    assert begun.plan(wanted).new == ()
    assert not apply(begun.plan(wanted), Desired(wanted), begun).plan(wanted).actions


@pytest.mark.req("A13")
def test_machines_of_a_cut_off_deployment_that_nobody_wants_any_more_are_returned() -> None:
    wanted = shop(3)
    world = provided(cloud("m1").plan(wanted), reserved(cloud("m1").plan(wanted), cloud("m1")), 2)
    made = world.plan(shop(0))
    assert verbs(made) == {
        "deploy": {"pod/db-1", "pod/log-1"},
        "release": {"m1"},
        "delete": {"shop-pod-3", "shop-pod-4"},
    }
    after = apply(made, Desired(shop(0)), world)
    assert len(after.held) == 2
    assert not after.plan(shop(0)).actions


@pytest.mark.req("A13")
def test_undeploying_removes_from_machines_that_stay_and_deletes_those_that_were_made() -> None:
    made = plan_undeploy(cloud("m1").after(shop(1)).actual())
    assert told(made) == [
        "remove pod/web-1 on m1: the environment is undeployed",
        "release m1 on m1: the environment is undeployed",
        "delete shop-pod-1 on shop-pod-1: the environment is undeployed",
        "delete shop-pod-2 on shop-pod-2: the environment is undeployed",
    ]


@pytest.mark.req("A11", "A12")
def test_a_blocked_plan_tells_every_shortage_and_does_nothing() -> None:
    made = World(free=(machine("m1"),)).plan(
        definition(service("a"), service("b", os="rocky"), service("c", size="large"))
    )
    assert (made.actions, made.new, made.seats, made.empty) == ((), (), {}, False)
    assert sorted(shortage.services for shortage in made.blocked) == [("b",), ("c",)]


@pytest.mark.req("A12")
def test_ids_come_from_the_content() -> None:
    world = cloud("m1")
    made = world.plan(shop())
    assert made.id == world.plan(shop()).id
    assert len({action.id for action in made.actions}) == len(made.actions)
    others = [
        world.plan(shop(3)),
        cloud("m2").plan(shop()),
        replace(world, environment=Environment("shop", revision=2)).plan(shop()),
        world.after(shop()).plan(shop()),
        World(free=()).plan(shop()),
    ]
    assert len({made.id, *(other.id for other in others)}) == len(others) + 1
    unrelated = replace(world, environment=Environment("shop", generation=9)).plan(shop())
    assert unrelated.id == made.id, "a generation alone changes nothing that is done"


@pytest.mark.req("A5")
def test_a_plan_is_plain_data() -> None:
    data = cloud("m1").plan(shop()).as_data()
    assert json.loads(json.dumps(data)) == data
    assert data["counts"] == {"create": 3, "allocate": 1, "deploy": 4}
    assert data["stages"] == [["db", "log"], ["web"]]
    first = Action(Verb.ALLOCATE, "m1", "m1", "free in the pool")
    assert first.as_data() == {
        "id": first.id,
        "verb": "allocate",
        "subject": "m1",
        "machine": "m1",
        "reason": "free in the pool",
    }
