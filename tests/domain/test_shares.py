"""An environment's share of a gateway: so many machines of it and no more, made for it or found free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adslib.domain.definition import Placement
from adslib.domain.machine import Machine
from domain.definitions import World, definition, fixed, machine, node, offer, said, seats, service


def of_a(*names: str, **changes: object) -> list[Machine]:
    return [machine(name, gateway="a", **changes) for name in names]


@pytest.mark.req("A10", "A11")
def test_what_is_found_free_counts_to_the_share_as_what_is_made() -> None:
    wanted = definition(service("web"), nodes=[node("p", Placement("web", 3))])
    assert said(wanted, *of_a("m1", "m2", "m3"), shares={"a": 2}) == (
        "web: 1 × any size missing (1 free there, but gateway a gives an environment 2 machines at most)"
    )
    assert said(wanted, *of_a("m1"), offers=(offer("a"),), shares={"a": 2}) == (
        "web: 1 × any size missing (none free there; gateway a gives an environment 2 machines at most)"
    )
    assert seats(wanted, *of_a("m1", "m2"), machine("m3"), shares={"a": 2})
    assert seats(wanted, *of_a("m1", "m2", "m3"), shares={"b": 1})


@pytest.mark.req("A10", "A11")
def test_what_the_environment_has_stays_and_counts() -> None:
    wanted = definition(service("web"), nodes=[node("p", Placement("web", 2))])
    before = World(free=tuple(of_a("m1", "m2", "m3"))).after(wanted)
    assert not replace(before, shares={"a": 1}).plan(wanted).actions
    more = definition(service("web"), nodes=[node("p", Placement("web", 3))])
    assert replace(before, shares={"a": 2}).plan(more).blocked
    assert not replace(before, shares={"a": 3}).plan(more).blocked


@pytest.mark.req("A5", "A11")
def test_who_can_stand_elsewhere_leaves_the_share_to_who_cannot() -> None:
    wanted = definition(service("any"), service("picky", os="rocky"))
    pool = [*of_a("m1"), *of_a("m2", os="rocky-9"), machine("m3")]
    assert seats(wanted, *pool, shares={"a": 1}) == {"any-1": "m3", "picky-1": "m2"}
    made = World(free=tuple(of_a("m2", os="rocky-9")), offers=(offer("a"), offer("b")), shares={"a": 1})
    assert made.plan(definition(service("picky", os="rocky"), service("any"))).seats["picky-1"] == "m2"


@pytest.mark.req("A5", "A11")
def test_a_machine_that_others_left_is_nobodys_again() -> None:
    known = [service("any", shared=True, cpu=0.1), service("picky", os="rocky"), service("late", shared=True, cpu=0.1)]
    pool = [*of_a("m1"), *of_a("m2", os="rocky-9"), machine("m3")]
    assert seats(definition(*known), *pool, shares={"a": 1}) == {"any-1": "m3", "picky-1": "m2", "late-1": "m3"}


@pytest.mark.req("A5", "A11")
def test_a_fixed_machine_beyond_the_share_is_refused_with_the_reason() -> None:
    assert "the machine 'm2' missing (gateway a gives an environment 1 machines at most)" in said(
        fixed("m1", "m2"), *of_a("m1", "m2"), shares={"a": 1}
    )
    assert seats(fixed("m1"), *of_a("m1", "m2"), shares={"a": 1}) == {"p/web-1": "m1"}
