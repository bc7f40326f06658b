"""What holds for every definition on every pool: planning is pure, converges, keeps the rules and what stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from adslib.domain.definition import Definition, Need, Node, Placement, Service
from adslib.domain.desired import Desired
from adslib.domain.lifecycle import MachineState
from adslib.domain.plan import INSTANCE_VERBS, Verb
from adslib.domain.planner import plan, plan_undeploy
from domain.definitions import OWN_ROLE, apply, provided, reported, reserved, verbs, with_versions
from domain.situations import Situation, broken_rules, deployments, needs, seldom, shows, situations

MACHINE_VERBS = (Verb.CREATE, Verb.ALLOCATE, Verb.START)
RETURN_VERBS = (Verb.RELEASE, Verb.DELETE)


@pytest.mark.req("A5", "A7", "A24", "A12")
@given(situations())
@settings(max_examples=200)
def test_a_plan_is_whole_or_nothing_deterministic_and_keeps_every_rule(situation: Situation) -> None:
    made = situation.plan()
    event(f"blocked: {bool(made.blocked)}")
    again = plan(Desired(situation.wanted), situation.world.actual())
    assert (made, made.id, made.as_data()) == (again, again.id, again.as_data())
    shuffled = replace(situation.world, free=situation.world.free[::-1])
    assert shuffled.plan(situation.wanted).as_data() == made.as_data(), "the order in which machines are read matters"
    if made.blocked:
        assert (made.actions, made.new, made.seats) == ((), (), {})
        assert all(str(shortage) and shortage.count > 0 for shortage in made.blocked)
    else:
        assert not broken_rules(situation, made)


@pytest.mark.req("A12", "A5")
@given(deployments())
@settings(max_examples=200)
def test_a_plan_that_was_carried_out_leaves_nothing_to_plan(situation: Situation) -> None:
    again = situation.plan()
    assert (again.actions, again.new, again.blocked) == ((), (), ())
    assert again.seats == situation.world.standing()
    assert set(again.seats) == {instance.id for instance in situation.desired.topology.instances}
    assert {m.name for m in situation.world.held} == set(again.seats.values())


@pytest.mark.req("A15")
@given(situations())
@settings(max_examples=100)
def test_actions_come_in_the_order_in_which_they_can_be_done(situation: Situation) -> None:
    made = situation.plan()
    kinds = [0 if a.verb in MACHINE_VERBS else 1 if a.verb in INSTANCE_VERBS else 3 if a.verb in RETURN_VERBS else 2
             for a in made.actions]  # fmt: skip
    assert kinds == sorted(kinds)
    working = [a for a in made.actions if a.verb in INSTANCE_VERBS]
    assert [a.stage for a in working] == sorted(a.stage for a in working)
    place_of = {action.subject: number for number, action in enumerate(working)}
    desired = situation.desired
    for action in working:
        instance = desired.topology.by_id[action.subject]
        assert action.service in desired.stages[action.stage - 1]
        for required in (r.service for r in desired.topology.service(instance).requires if r.service and r.ordered):
            for member in desired.topology.members(instance.scope, required):
                assert place_of.get(member.id, -1) < place_of[instance.id]


@pytest.mark.req("A12")
@given(deployments(), st.data())
@settings(max_examples=100)
def test_what_failed_is_repaired_and_nothing_else_is_touched(situation: Situation, data: st.DataObject) -> None:
    standings = situation.world.standings
    failing = {s.instance for s in standings if data.draw(seldom)}
    broken = tuple(replace(s, failed=s.instance in failing) for s in standings)
    situation = replace(situation, world=replace(situation.world, standings=broken))
    made = situation.plan()
    assert verbs(made) == ({"repair": failing} if failing else {})
    after = apply(made, situation.desired, situation.world)
    assert not after.plan(situation.wanted).actions


@pytest.mark.req("A12", "A13")
@given(situations(), st.data())
@settings(max_examples=100)
def test_a_deployment_that_was_cut_off_anywhere_goes_on_with_what_it_has(
    situation: Situation, data: st.DataObject
) -> None:
    made = situation.plan()
    if made.blocked:
        return
    world = provided(made, reserved(made, situation.world), data.draw(st.integers(0, 4), label="machines made"))
    if all(m.state is MachineState.RUNNING for m in world.held):
        last = data.draw(st.integers(0, len(made.stages)), label="last stage")
        world = reported(made, situation.desired, world, last=last)
    cut_off = replace(situation, world=world)
    again = cut_off.plan()
    assert not again.blocked, [str(shortage) for shortage in again.blocked]
    assert not broken_rules(cut_off, again)
    assert again.seats.items() >= world.standing().items(), "what stands stays"
    after = apply(again, cut_off.desired, world)
    assert not after.plan(situation.wanted).actions


@pytest.mark.req("A6", "A12")
@given(deployments(), st.data())
@settings(max_examples=100)
def test_a_new_version_updates_its_instances_and_those_that_work_with_them(
    situation: Situation, data: st.DataObject
) -> None:
    component = data.draw(st.sampled_from(sorted(situation.wanted.components)))
    edited = replace(situation, wanted=with_versions(situation.wanted, **{component: "2.0"}))
    topology = edited.desired.topology
    own = {i.id for i in topology.instances if topology.service(i).component == component}
    around = {i.id for i in topology.instances if shows(edited, i) & own}
    made = edited.plan()
    assert verbs(made) == ({"update": own | around} if own else {})
    assert made.seats == situation.world.standing()
    reasons = {a.subject: a.reason for a in made.actions}
    assert {reasons[id] for id in own} <= {"version 1.0 → 2.0"}
    assert {reasons[id] for id in around - own} <= {"what it works with changed"}


@pytest.mark.req("A7", "A12")
@given(deployments(), st.data())
@settings(max_examples=100)
def test_removing_a_service_removes_just_that(situation: Situation, data: st.DataObject) -> None:
    wanted = situation.wanted
    required = {
        r.service for service in wanted.services.values() for r in service.requires if r.service != service.name
    }
    removable = sorted(set(wanted.services) - required)
    if not removable:
        return
    name = data.draw(st.sampled_from(removable))
    gone = {i.id for i in situation.desired.topology.of_service(name)}
    made = replace(situation, wanted=without(wanted, name)).plan()
    machines = {m.name: m for m in situation.world.held}
    standing = situation.world.standing()
    idle = {standing[id] for id in gone} - {machine for id, machine in standing.items() if id not in gone}
    expected = {
        "remove": gone,
        "delete": {machine for machine in idle if machines[machine].made},
        "release": {machine for machine in idle if not machines[machine].made},
    }
    assert verbs(made) == {verb: subjects for verb, subjects in expected.items() if subjects}


def without(wanted: Definition, name: str) -> Definition:
    """A definition without one of its services."""

    def cut(node: Node) -> Node:
        kept = tuple(p for p in node.services if p.service != name)
        return replace(node, services=kept, children=tuple(map(cut, node.children)))

    return replace(
        wanted,
        services={key: value for key, value in wanted.services.items() if key != name},
        common=tuple(p for p in wanted.common if p.service != name),
        places=tuple(map(cut, wanted.places)),
        nodes=tuple(map(cut, wanted.nodes)),
    )


@pytest.mark.req("A5", "A7")
@given(deployments(), needs, st.integers(0, 4))
@settings(max_examples=100)
def test_what_stands_stays_when_something_else_is_added(situation: Situation, need: Need, count: int) -> None:
    wanted = situation.wanted
    new = Service("new", roles=(OWN_ROLE,), need=need)
    first = wanted.nodes[0] if wanted.nodes else Node("pod", "pod-9", "pod-9")
    node = replace(first, services=(Placement("new", count), *first.services))
    grown = replace(wanted, services={"new": new, **wanted.services}, nodes=(node, *wanted.nodes[1:]))
    edited = replace(situation, wanted=grown)
    made = edited.plan()
    if made.blocked:
        assert {name for shortage in made.blocked for name in shortage.services} == {"new"}
        return
    assert set(verbs(made)) <= {"create", "allocate", "deploy"}
    assert verbs(made).get("deploy", set()) == {i.id for i in edited.desired.topology.of_service("new")}
    assert made.seats.items() >= situation.world.standing().items()
    after = apply(made, edited.desired, situation.world)
    assert not after.plan(grown).actions


@pytest.mark.req("A7", "A12")
@given(deployments(), st.data())
@settings(max_examples=100)
def test_a_machine_that_fails_moves_its_instances_only(situation: Situation, data: st.DataObject) -> None:
    held = situation.world.held
    if not held:
        return
    lost = data.draw(st.sampled_from(held))
    broken = replace(situation, world=situation.world.with_machine(lost.name, state=MachineState.FAILED))
    made = broken.plan()
    event(f"blocked: {bool(made.blocked)}")
    standing = situation.world.standing()
    leaving = {id for id, machine in standing.items() if machine == lost.name}
    if made.blocked:
        said = {name for shortage in made.blocked for name in shortage.services}
        topology = broken.desired.topology
        assert said <= leaving | {topology.by_id[id].service for id in leaving}
        return
    done = verbs(made)
    assert done["move"] == leaving
    assert {id: machine for id, machine in made.seats.items() if id not in leaving} == {
        id: machine for id, machine in standing.items() if id not in leaving
    }
    topology = broken.desired.topology
    assert done.get("update", set()) == {i.id for i in topology.instances if shows(broken, i) & leaving} - leaving
    assert done.get("delete" if lost.made else "release") == {lost.name}
    assert not broken_rules(broken, made)
    after = apply(made, broken.desired, broken.world)
    assert not after.plan(situation.wanted).actions


@pytest.mark.req("A13")
@given(deployments())
@settings(max_examples=60)
def test_undeploying_returns_everything_and_then_has_nothing_to_do(situation: Situation) -> None:
    before = situation.world
    made = plan_undeploy(before.actual())
    after = apply(made, None, before)
    assert (after.held, after.standings) == ((), ())
    assert {m.name for m in after.free} == {m.name for m in (*before.free, *before.held) if not m.made}
    assert not plan_undeploy(after.actual()).actions
    assert not after.plan(situation.wanted).blocked, "what could be deployed once can be deployed again"
