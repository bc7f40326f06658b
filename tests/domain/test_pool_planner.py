"""What rules make of a pool: they keep to floor and ceiling, touch nobody's machine, and come to rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from adslib.domain.gateway import Offer
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES, Machine, Size
from adslib.domain.pool_planner import LABEL, PoolAction, PoolPlan, PoolVerb, census, plan_pool
from adslib.domain.pool_rule import PoolRule, overlaps, problems_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SIZES = {size.name: size for size in DEFAULT_SIZES}
CLOUD = Offer("cloud", "vm", DEFAULT_SIZES, systems=("debian-12",))
RULE = PoolRule("web", "small", 10)


def machine(number: int, **changes: Any) -> Machine:
    made = Machine(f"id-{number}", f"m-{number}", "cloud", f"r-{number}", size=SIZES["small"], os="debian-12")
    return replace(made, **{"made": True, "idle_since": NOW - timedelta(hours=1), **changes})


def spares(count: int, **changes: Any) -> list[Machine]:
    return [machine(number, **changes) for number in range(count)]


@dataclass(frozen=True)
class World:
    """A pool with its rules and what gateways offer, which know nothing of orders that did not reach them."""

    rules: tuple[PoolRule, ...]
    machines: tuple[Machine, ...] = ()
    offers: tuple[Offer, ...] = (CLOUD,)

    def plan(self, now: datetime = NOW) -> PoolPlan:
        return plan_pool(self.rules, self.machines, self.beside_orders(), SIZES, now)

    def beside_orders(self) -> list[Offer]:
        ordered = [m for m in self.machines if m.state is MachineState.CREATING]
        return [o.beside([m.id for m in ordered if m.gateway == o.gateway]) for o in self.offers]

    def applied(self, plan: PoolPlan, now: datetime = NOW) -> World:
        """The world after everything in a plan went well."""
        gone = {action.name for action in plan.actions if action.verb is PoolVerb.DELETE}
        ended = {action.name for action in plan.actions if action.verb is PoolVerb.CREATE}
        new = [
            machine(0, id=a.name, name=a.name, gateway=a.gateway, size=a.new.size, os=a.new.os,
                    location=a.new.location, labels={LABEL: a.rule}, idle_since=now)
            for a in plan.actions if a.new
        ]  # fmt: skip
        there = [
            replace(m, state=MachineState.RUNNING, idle_since=now) if m.name in ended else m for m in self.machines
        ]
        acted = {action.rule for action in plan.actions if action.starts}
        return World(
            tuple(replace(rule, acted=now) if rule.name in acted else rule for rule in self.rules),
            (*(m for m in there if m.name not in gone), *new),
            tuple(_after(o, plan) for o in self.offers),
        )


def _after(offer: Offer, plan: PoolPlan) -> Offer:
    """What a gateway offers after a plan: it counts the machines that it has, and no others."""
    there = {a.name if a.new else a.machine.id if a.machine else "" for a in plan.actions if _at(a, offer, "create")}
    gone = {a.machine.id for a in plan.actions if a.machine and _at(a, offer, "delete")}
    counted = (offer.counted | there) - gone
    room = None if offer.room is None else offer.room + len(offer.counted) - len(counted)
    return replace(offer, counted=counted, room=room)


def _at(action: PoolAction, offer: Offer, verb: str) -> bool:
    return (action.verb, action.gateway) == (verb, offer.gateway)


def done(plan: PoolPlan) -> list[tuple[str, str, str]]:
    return [(str(action.verb), action.name, action.reason) for action in plan.actions]


# ── one rule at a time ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A11")
def test_spare_machines_are_made_with_the_reason() -> None:
    plan = World((replace(RULE, spare=2),), (machine(1), machine(2, holder="shop"))).plan()
    assert done(plan) == [("create", "web-1", "1 free, 2 are to be")]
    assert plan.actions[0].new is not None
    assert (plan.actions[0].new.size, plan.actions[0].new.os) == (SIZES["small"], "debian-12")


@pytest.mark.req("A11")
@pytest.mark.parametrize(("held", "made"), [(3, 0), (4, 1), (5, 2)])
def test_it_grows_at_a_percentage_held(held: int, made: int) -> None:
    there = [machine(n, holder="shop" if n < held else "") for n in range(5)]
    plan = World((replace(RULE, grow_at=80),), tuple(there)).plan()
    assert len(plan.actions) == made
    assert all(action.reason == f"{held * 20} % held, it grows at 80 %" for action in plan.actions)


@pytest.mark.req("A11")
def test_the_longest_idle_go_first_and_the_floor_stays() -> None:
    rule = replace(RULE, floor=2, shrink_after=3600)
    there = [machine(n, idle_since=NOW - timedelta(minutes=50 + 10 * n)) for n in range(5)]
    plan = World((rule,), tuple(there)).plan()
    assert [name for _, name, _ in done(plan)] == ["m-4", "m-3", "m-2"]
    assert plan.actions[0].reason == "idle since 2026-05-04 10:30:00 UTC, 5 there, 2 wanted"


@pytest.mark.req("A11")
def test_what_is_not_idle_long_enough_waits_for_its_time() -> None:
    world = World((replace(RULE, floor=1, shrink_after=7200),), tuple(spares(2)))
    assert (world.plan().actions, world.plan().look_again_at) == ((), NOW + timedelta(hours=1))
    assert len(world.plan(NOW + timedelta(hours=1)).actions) == 1


@pytest.mark.req("A11")
def test_a_rule_cools_down_between_changes() -> None:
    rule = replace(RULE, spare=1, cooldown=600, acted=NOW - timedelta(minutes=5))
    plan = World((rule,)).plan()
    assert plan.actions == ()
    assert plan.waiting == (("web", "it cools down until 2026-05-04 12:05:00 UTC"),)
    assert plan.look_again_at == NOW + timedelta(minutes=5)
    assert len(World((rule,)).plan(plan.look_again_at).actions) == 1


@pytest.mark.req("A11")
@pytest.mark.parametrize(
    "changes",
    [{"made": False}, {"holder": "shop"}, {"idle_since": None}, {"state": MachineState.FAILED}, {"on_request": True}],
    ids=str,
)
def test_only_idle_machines_that_ads_made_are_deleted(changes: dict[str, Any]) -> None:
    assert World((replace(RULE, shrink_after=1),), (machine(1, **changes),)).plan().actions == ()


@pytest.mark.req("A11")
def test_the_ceiling_counts_what_failed_and_says_so() -> None:
    broken = machine(1, state=MachineState.FAILED)
    plan = World((replace(RULE, spare=2, ceiling=2),), (broken,)).plan()
    assert len(plan.actions) == 1
    assert plan.waiting[0][1].startswith("1 more wanted (0 free, 2 are to be), but its ceiling 2 counts 1 that do not")


@pytest.mark.req("A11")
def test_what_no_gateway_makes_is_said_exactly() -> None:
    rule = replace(RULE, spare=3, location="mars")
    little = replace(CLOUD, room=2, locations=("earth",))
    plan = plan_pool([rule], [], [little], SIZES, NOW, silent={"fog": "it is down"})
    assert plan.waiting == (
        (
            "web",
            "3 × small in mars cannot be made (0 free, 3 are to be): gateway cloud has no mars; "
            "gateway fog does not answer: it is down",
        ),
    )
    full = plan_pool([replace(rule, location="")], [], [little], SIZES, NOW)
    assert len(full.actions) == 2
    assert full.waiting == (("web", "1 × small cannot be made (0 free, 3 are to be): gateway cloud can make no more"),)


@pytest.mark.req("A11")
def test_the_nearest_size_is_made_and_a_larger_one_is_another_rules() -> None:
    near = replace(CLOUD, gateway="near", sizes=(Size("s1", 1, 2048, 20),))
    big = replace(CLOUD, gateway="big", sizes=(SIZES["large"],))
    exact = replace(CLOUD, gateway="exact")
    world = World((replace(RULE, spare=1),), offers=(big, near, exact))
    assert [action.gateway for action in world.plan().actions] == ["exact"]
    assert [action.gateway for action in replace(world, offers=(big, near)).plan().actions] == ["near"]
    assert not replace(world, offers=(big,)).plan().actions


@pytest.mark.req("A11")
def test_the_cheapest_of_its_size_is_made_though_a_larger_one_is_cheaper() -> None:
    cheap = replace(CLOUD, costs={"small": 0.2, "medium": 0.1})
    (action,) = World((replace(RULE, spare=1),), offers=(cheap,)).plan().actions
    assert action.new is not None
    assert action.new.size.name == "small"
    ((_, text),) = World((replace(RULE, spare=1),), offers=(replace(cheap, sizes=(SIZES["large"],)),)).plan().waiting
    assert text.endswith("gateway cloud makes nothing as small")


@pytest.mark.req("A11")
def test_what_was_begun_for_nobody_is_ended() -> None:
    begun = machine(1, state=MachineState.CREATING, ref="", labels={LABEL: "web"})
    going = machine(2, state=MachineState.DELETING)
    theirs = machine(3, state=MachineState.CREATING, holder="shop")
    assert done(World((replace(RULE, spare=1),), (begun, going, theirs)).plan()) == [
        ("delete", "m-2", "its deletion did not end"),
        ("create", "m-1", "its creation did not end"),
    ]


@pytest.mark.req("A11")
@pytest.mark.parametrize(("state", "there"), [("creating", 2), ("creating", 0), ("deleting", 2), ("deleting", 0)])
def test_what_a_killed_run_left_takes_its_place_once_wherever_it_came_to(state: str, there: int) -> None:
    begun = spares(2, state=MachineState(state), ref="", labels={LABEL: "web"})
    cloud = replace(CLOUD, room=3 - there, counted=frozenset(m.id for m in begun[:there]))
    world = World((replace(RULE, spare=9),), tuple(begun), (cloud,))
    assert sum(1 for action in world.plan().actions if action.new) == (1 if state == "creating" else 3)


@pytest.mark.req("A11")
def test_a_machine_stays_its_rules_whatever_its_gateway_says() -> None:
    strange = machine(1, os="plan9", size=Size("?", 0, 0), labels={LABEL: "web"})
    assert World((replace(RULE, spare=1, os="debian"),), (strange,)).plan().actions == ()


@pytest.mark.req("A11")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Web 1", "spare": 1}, "is no name for a rule"),
        ({"size": "huge", "spare": 1}, "no size is called 'huge'"),
        ({"gateway": "fog", "spare": 1}, "there is no gateway 'fog'"),
        ({"spare": 11}, "its spare 11 is above its ceiling 10"),
        ({"floor": -1}, "floor is -1"),
        ({"grow_at": 101}, "grow-at is 101"),
        ({}, "it says nothing"),
    ],
)
def test_wrong_rules_are_named(changes: dict[str, Any], said: str) -> None:
    (problem,) = problems_of(replace(RULE, **changes), SIZES, ["cloud"])
    assert said in problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({}, {"size": "large"}, False),
        ({"os": "debian"}, {"os": "debian-12"}, True),
        ({"os": "debian-12"}, {"os": "debian-13"}, False),
        ({"gateway": "a"}, {"gateway": "b"}, False),
        ({"gateway": "a"}, {"location": "west"}, True),
    ],
)
def test_two_rules_do_not_count_one_machine(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert overlaps(replace(RULE, **one), replace(RULE, **other)) is same
    assert overlaps(replace(RULE, **other), replace(RULE, **one)) is same


# ── what holds for all ───────────────────────────────────────────────────────────────────────────────


@st.composite
def rule_of(draw: st.DrawFn, name: str, size: str) -> PoolRule:
    ceiling = draw(st.integers(0, 8))
    return PoolRule(
        name,
        size,
        ceiling,
        spare=draw(st.integers(0, ceiling)),
        floor=draw(st.integers(0, ceiling)),
        grow_at=draw(st.sampled_from([0, 50, 80, 100])),
        shrink_after=draw(st.sampled_from([0, 60, 3600])),
        cooldown=draw(st.sampled_from([0, 300])),
        acted=draw(st.sampled_from([None, NOW - timedelta(minutes=1), NOW - timedelta(hours=2)])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    there = [
        machine(
            number,
            size=SIZES[draw(st.sampled_from(["small", "medium", "large"]))],
            state=draw(st.sampled_from([MachineState.RUNNING, *MachineState])),
            holder=draw(st.sampled_from(["", "", "shop"])),
            made=draw(st.booleans()),
            on_request=draw(st.sampled_from([False, False, True])),
            idle_since=draw(st.sampled_from([None, NOW, NOW - timedelta(minutes=5), NOW - timedelta(days=1)])),
            labels=draw(st.sampled_from([{}, {}, {LABEL: "a"}])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]
    passing = {MachineState.CREATING, MachineState.DELETING}
    counted = frozenset(m.id for m in there if m.made and (m.state not in passing or draw(st.booleans())))
    offers = [
        replace(
            CLOUD,
            gateway=name,
            room=draw(st.sampled_from([None, 0, 1, 5])),
            counted=counted if name == "cloud" else frozenset(),
        )
        for name in draw(st.sampled_from([[], ["cloud"], ["cloud", "other"]]))
    ]
    return World((draw(rule_of("a", "small")), draw(rule_of("b", "medium"))), tuple(there), tuple(offers))


@pytest.mark.req("A11")
@given(worlds(), st.integers(1, 7200))
@settings(max_examples=150)
def test_a_plan_that_was_carried_out_leaves_nothing_until_time_passes(world: World, seconds: int) -> None:
    plan = world.plan()
    if any(not action.starts for action in plan.actions):
        # The ceiling counts what an interrupted run was about to delete until it is gone.
        world = world.applied(plan)
        plan = world.plan()
    event(f"actions: {min(len(plan.actions), 3)}")
    after = world.applied(plan)
    again = after.plan()
    assert again.actions == ()
    later = NOW + timedelta(seconds=seconds)
    if again.look_again_at is None or later < again.look_again_at:
        assert after.plan(later).actions == ()


@pytest.mark.req("A11")
@given(worlds())
@settings(max_examples=150)
def test_no_gateway_is_asked_for_more_than_it_has_room_for_beside_what_is_under_way(world: World) -> None:
    plan = world.plan()
    after = world.applied(plan)
    for offer, beside, left in zip(world.offers, world.beside_orders(), after.beside_orders(), strict=True):
        if left.room is not None and any(a.new and a.gateway == offer.gateway for a in plan.actions):
            event("something is made where there is a limit")
            assert left.room >= 0, (beside, left)
    for rule, text in plan.waiting:
        if "cloud can make no more" in text:
            assert {o.gateway: o.room for o in after.beside_orders()}["cloud"] <= 0, (rule, "there is room")


@pytest.mark.req("A10", "A11")
@given(worlds())
@settings(max_examples=150)
def test_floor_ceiling_and_everybodys_machines_are_safe(world: World) -> None:
    plan = world.plan()
    assert plan == replace(world, machines=world.machines[::-1]).plan(), "the order of reading matters"
    before = census(world.rules, world.machines, SIZES)
    known = {machine.name: machine for machine in world.machines}
    for rule in world.rules:
        there = before[rule.name]
        own = [action for action in plan.actions if action.rule == rule.name and action.starts]
        made = sum(1 for action in own if action.verb is PoolVerb.CREATE)
        gone = len(own) - made
        assert not (made and gone)
        assert not made or len(there.all) + made <= rule.ceiling
        assert not gone or len(there.working) - gone >= max(rule.floor, there.target)
    for action in plan.actions:
        if action.verb is PoolVerb.DELETE:
            machine = known[action.name]
            assert machine.made
            assert not machine.holder
            assert not machine.on_request or machine.state is MachineState.DELETING
