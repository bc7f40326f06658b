"""The order of services: derived from dependencies, common layer first, or as the user says if that can be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.definition import Definition
from adslib.domain.errors import Invalid
from adslib.domain.sequence import MOST_STAGES, Stages, stages
from adslib.domain.topology import Topology
from domain.definitions import definition, node, place, service, unit


def stages_of(wanted: Definition) -> Stages:
    return stages(Topology(wanted))


@pytest.mark.req("A15")
def test_what_is_required_comes_before_and_the_rest_side_by_side() -> None:
    wanted = definition(service("web", "app"), service("app", "db"), service("db"), service("cache"), service("log"))
    assert stages_of(wanted) == (("cache", "db", "log"), ("app",), ("web",))


@pytest.mark.req("A15")
def test_the_common_layer_comes_first_unless_it_requires_others() -> None:
    known = [service("router", "directory"), service("directory", "store"), service("store"), service("media"),
             service("free")]  # fmt: skip
    wanted = definition(
        *known,
        nodes=[node("pod", children=[unit("west", "media", "store", "free")])],
        places=[place("west")],
        common=["router", "directory"],
    )
    assert stages_of(wanted) == (("store",), ("directory",), ("router",), ("free", "media"))


@pytest.mark.req("A15")
def test_a_service_that_stands_in_the_common_layer_and_elsewhere_is_no_common_layer() -> None:
    wanted = definition(
        service("agent"), service("web"), nodes=[node("p", "web", "agent")], places=[place("w")], common=["agent"]
    )
    assert stages_of(wanted) == (("agent", "web"),)


@pytest.mark.req("A15", "A6")
def test_what_is_only_seen_has_no_place_in_the_order() -> None:
    wanted = definition(service("router", "media~"), service("media", "router"))
    assert stages_of(wanted) == (("router",), ("media",))


@pytest.mark.req("A15")
def test_requirements_that_stand_nowhere_do_not_count() -> None:
    wanted = definition(service("web", "db"), service("db"), nodes=[node("pod", "web")])
    assert stages_of(wanted) == (("web",),)


@pytest.mark.req("A15")
def test_an_override_wins_and_stages_of_what_does_not_stand_fall_away() -> None:
    wanted = definition(
        service("web", "db"),
        service("db"),
        service("idle"),
        nodes=[node("pod", "web", "db")],
        sequence=(("idle",), ("db",), ("web",)),
    )
    assert stages_of(wanted) == (("db",), ("web",))


@pytest.mark.req("A15")
@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ((("web",), ("db",)), "'web' in stage 1 requires 'db', which comes in stage 2"),
        ((("web", "db"),), "'web' in stage 1 requires 'db', which comes in stage 1"),
        ((("db",),), "'web' stands in the environment but in no stage"),
    ],
)
def test_an_override_that_breaks_a_dependency_is_refused_with_the_reason(sequence: Stages, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        stages_of(definition(service("web", "db"), service("db"), sequence=sequence))
    assert message in str(refused.value)
    assert all(problem.remedy for problem in refused.value.problems)


@pytest.mark.req("A15")
def test_every_broken_dependency_of_an_override_is_told_at_once() -> None:
    known = [service("a", "b"), service("b", "c"), service("c")]
    with pytest.raises(Invalid) as refused:
        stages_of(definition(*known, sequence=(("a",), ("b",), ("c",))))
    assert len(refused.value.problems) == 2


@pytest.mark.req("A15")
def test_a_cycle_names_its_services() -> None:
    with pytest.raises(Invalid, match="a cycle of dependencies among a, b"):
        stages_of(definition(service("a", "b"), service("b", "a"), service("c")))


def chain(length: int) -> Definition:
    names = [f"s{number:02}" for number in range(length)]
    first, *rest = names
    return definition(service(first), *(service(name, before) for before, name in zip(names, rest, strict=False)))


@pytest.mark.req("A15")
def test_forty_stages_are_possible_and_more_are_refused() -> None:
    assert len(stages_of(chain(MOST_STAGES))) == MOST_STAGES
    with pytest.raises(Invalid, match=f"need {MOST_STAGES + 1} stages, at most {MOST_STAGES} are possible"):
        stages_of(chain(MOST_STAGES + 1))


@st.composite
def graphs(draw: st.DrawFn) -> Definition:
    """Services in any document order, without cycles, some of them common layer."""
    count = draw(st.integers(1, 8))
    known = [
        service(f"s{number}", *(f"s{other}" for other in draw(st.sets(st.integers(0, number - 1), max_size=3))))
        if number
        else service("s0")
        for number in range(count)
    ]
    known = draw(st.permutations(known))
    common = draw(st.sets(st.sampled_from([made.name for made in known])))
    others = [made.name for made in known if made.name not in common]
    return definition(*known, nodes=[node("pod", *others)], places=[place("west")], common=sorted(common))


@pytest.mark.req("A15")
@given(graphs())
def test_any_order_respects_dependencies_is_tight_and_puts_the_common_layer_first(wanted: Definition) -> None:
    derived = stages_of(wanted)
    stage_of = {name: number for number, names in enumerate(derived) for name in names}
    assert sorted(stage_of) == sorted(wanted.services)
    required = {name: {r.service for r in made.requires} for name, made in wanted.services.items()}
    for name, names in required.items():
        assert all(stage_of[other] < stage_of[name] for other in names)
    common = {placement.service for placement in wanted.common}
    needed, waiting = set(common), list(common)
    while waiting:
        waiting += (new := required[waiting.pop()] - needed)
        needed |= new
    assert all(stage_of[name] > stage_of[other] for name in wanted.services if name not in needed for other in common)
    for earlier, later in pairwise(derived):
        behind = [name for name in later if name not in needed]
        assert all(required[name] & set(earlier) for name in later if name in needed)
        assert all((required[name] | common) & set(earlier) for name in behind), "it could have come a stage earlier"
