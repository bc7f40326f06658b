"""What gateways are asked to make: the cheapest match, within their limits, and what is said when there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adslib.domain.definition import Placement
from domain.definitions import LARGE, MEDIUM, SMALL, World, definition, machine, node, offer, place, service, unit


@pytest.mark.req("A11")
def test_what_the_pool_lacks_is_made_at_the_first_gateway_that_can() -> None:
    wanted = definition(
        service("web", size="medium", os="rocky", image="golden"), nodes=[node("p", Placement("web", 3))]
    )
    known = (offer("a", systems=("debian-12",)), offer("b", systems=("debian-12", "rocky-9"), room=1), offer("c"))
    made = World(offers=known, free=(machine("m", size=LARGE, os="rocky-9"),)).plan(wanted)
    assert [(new.name, new.gateway, new.os, new.size, new.image) for new in made.new] == [
        ("shop-p-1", "b", "rocky-9", MEDIUM, "golden"),
        ("shop-p-2", "c", "rocky", MEDIUM, "golden"),
    ]


@pytest.mark.req("A11")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{}, {}], ("a", "small")),
        ([{"sizes": (MEDIUM,)}, {}], ("b", "small")),
        ([{"costs": {"small": 0.2}}, {"costs": {"small": 0.1}}], ("b", "small")),
        ([{"costs": {"small": 0.2}}, {}], ("b", "small")),
        ([{"costs": {"small": 0.2, "medium": 0.1}}], ("a", "medium")),
        ([{"costs": {"large": 0.3}}], ("a", "large")),
        ([{"costs": {"small": 0.1}, "room": 0}, {"costs": {"small": 0.2}}], ("b", "small")),
    ],
)
def test_the_cheapest_is_made_and_among_equals_the_nearest_size(
    changes: list[dict[str, object]], expected: tuple[str, str]
) -> None:
    offers = tuple(offer(name, **each) for name, each in zip("ab", changes, strict=False))
    (new,) = World(offers=offers).plan(definition(service("web"))).new
    assert (new.gateway, new.size.name) == expected


@pytest.mark.req("A11")
def test_an_environment_gets_no_more_than_its_share_of_a_gateway() -> None:
    wanted = definition(service("web"), nodes=[node("p", Placement("web", 3))])
    held = (machine("m", gateway="a", os="other"),)
    own = replace(wanted.services["web"].need, os="debian-12")
    wanted = replace(wanted, services={"web": replace(wanted.services["web"], need=own)})
    shares = {"a": 2, "b": 2}
    made = World(offers=(offer("a"), offer("b")), held=held, shares=shares).plan(wanted)
    assert [new.gateway for new in made.new] == ["a", "b", "b"]
    text = "\n".join(map(str, World(offers=(offer("a"),), held=held, shares=shares).plan(wanted).blocked))
    assert "2 × any size debian-12 missing (1 free there, none of them fits; gateway a gives an environment" in text
    assert "2 machines at most" in text


@pytest.mark.req("A11")
def test_who_has_not_the_instance_template_makes_none_of_it() -> None:
    wanted = definition(service("web", image="golden"))
    bare, fitted = offer("a", images=frozenset({"debian-12"})), offer("b", images=frozenset({"golden"}))
    assert [new.gateway for new in World(offers=(bare, fitted)).plan(wanted).new] == ["b"]
    (shortage,) = World(offers=(bare,)).plan(wanted).blocked
    assert "gateway a has no instance template 'golden'" in str(shortage)


@pytest.mark.req("A11")
def test_new_machines_get_names_that_are_free() -> None:
    wanted = definition(service("web", os="debian"), nodes=[node("p", Placement("web", 1))])
    made = World(offers=(offer(),), free=(machine("shop-p-1", os="other"),)).plan(wanted)
    assert [new.name for new in made.new] == ["shop-p-2"]


@pytest.mark.req("A11")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"room": 0}, "gateway cloud can make no more"),
        ({"locations": ("east",)}, "gateway cloud has no west"),
        ({"sizes": (SMALL, MEDIUM)}, "gateway cloud makes nothing as large"),
        ({"systems": ("rocky-9",)}, "gateway cloud makes nothing like it"),
        ({"kind": "metal"}, "gateway cloud makes nothing like it"),
    ],
)
def test_a_shortage_says_what_is_wanted_by_whom_and_what_there_is(changes: dict[str, object], reason: str) -> None:
    wanted = definition(
        service("web", size="large", os="debian-12", kind="vm"),
        nodes=[node("p", children=[unit("west", Placement("web", 2))])],
        places=[place("west")],
    )
    free = [machine("a", location="west"), machine("b", location="east", size=LARGE)]
    (blocked,) = World(free=tuple(free), offers=(offer(**changes),)).plan(wanted).blocked
    text = str(blocked)
    assert text == f"web: 2 × large debian-12 vm in west missing (1 free there, none of them fits; {reason})"
