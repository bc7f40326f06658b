"""Which machine an instance gets: the rules by example, and what is said when there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adslib.domain.definition import Component, Package, Placement, Role
from adslib.domain.errors import Invalid
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine, Reach, Size
from domain.definitions import (
    LARGE,
    MEDIUM,
    OWN_ROLE,
    SMALL,
    World,
    definition,
    fixed,
    machine,
    node,
    offer,
    place,
    said,
    seats,
    service,
    unit,
)

THEIRS = (Role("theirs.role"),)


# ── the best fit of the pool ─────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A5")
def test_the_smallest_that_will_do_is_taken_and_among_equals_the_first_by_name() -> None:
    pool = [machine("a", size=LARGE), machine("d", size=MEDIUM), machine("c", size=MEDIUM), machine("b")]
    assert seats(definition(service("web", size="medium")), *pool) == {"web-1": "c"}
    assert seats(definition(service("web")), *pool) == {"web-1": "b"}


@pytest.mark.req("A5", "A24")
@pytest.mark.parametrize(
    ("need", "expected"),
    [
        ({"os": "rocky-9"}, "b"),
        ({"os": "rocky"}, "b"),
        ({"kind": "metal"}, "c"),
        ({"gateway": "rack"}, "d"),
        ({"size": "large"}, "e"),
    ],
)
def test_every_word_of_a_need_is_kept(need: dict[str, str], expected: str) -> None:
    pool = [
        machine("a"),
        machine("b", os="rocky-9"),
        machine("c", kind="metal"),
        machine("d", gateway="rack"),
        machine("e", size=LARGE),
    ]
    assert seats(definition(service("web", **need)), *pool) == {"web-1": expected}


@pytest.mark.req("A24")
def test_a_system_is_a_whole_word() -> None:
    assert "debi missing" in said(definition(service("web", os="debi")), machine("a"))


@pytest.mark.req("A5", "A1")
def test_machines_stand_where_the_node_says() -> None:
    wanted = definition(
        service("web"),
        nodes=[node("pod", children=[unit("west", "web"), unit("east", "web")])],
        places=[place("west"), place("east", location="dc-7")],
    )
    pool = [machine("a", location="dc-7"), machine("b", location="east"), machine("c", location="west")]
    assert seats(wanted, *pool) == {"pod/west/web-1": "c", "pod/east/web-1": "a"}


@pytest.mark.req("A5")
def test_the_gateway_of_a_place_is_taken_where_a_service_names_none() -> None:
    wanted = definition(
        service("web"), nodes=[node("p", children=[unit("w", "web")])], places=[place("w", gateway="b")]
    )
    made = World(offers=(offer("a"), offer("b"))).plan(wanted)
    assert [new.gateway for new in made.new] == ["b"]


@pytest.mark.req("A5")
@pytest.mark.parametrize("state", [MachineState.FAILED, MachineState.DELETING, MachineState.UNKNOWN])
def test_machines_that_cannot_be_used_are_passed_over(state: MachineState) -> None:
    assert seats(definition(service("web")), machine("a", state=state), machine("b")) == {"web-1": "b"}


@pytest.mark.req("A5", "A24")
def test_who_does_not_care_gives_way_to_who_does() -> None:
    pool = [machine("a"), machine("b", os="rocky-9"), machine("c", os="rocky-9", size=LARGE)]
    known = [service("any"), service("rocky", os="rocky"), service("debian", os="debian")]
    assert set(seats(definition(*known), *pool).values()) == {"a", "b", "c"}
    assert "debian missing" in said(definition(*known, service("more", os="debian")), *pool)


SYSTEMS = ("debian-12", "rocky-9")


@pytest.mark.req("A5", "A11", "A24")
def test_who_does_not_care_leaves_the_last_room_of_a_gateway_to_who_does() -> None:
    known = [service("any"), service("rocky", os="rocky"), service("picky", gateway="a")]
    offers = (offer("a", room=2, systems=("debian-12", "rocky-9")), offer("b", room=1, systems=("debian-12",)))
    made = World(offers=offers).plan(definition(*known))
    gateway_of = {new.name: (new.gateway, new.os) for new in made.new}
    assert {id: gateway_of[name] for id, name in made.seats.items()} == {
        "any-1": ("b", "debian-12"),
        "rocky-1": ("a", "rocky-9"),
        "picky-1": ("a", "debian-12"),
    }
    assert len(made.new) == 3, "nothing is made that nobody stands on"
    assert "more: 1 × any size missing" in said(definition(*known, service("more")), offers=offers)


@pytest.mark.req("A5", "A11")
def test_who_does_not_care_goes_to_a_new_machine_where_another_needs_that_of_the_pool() -> None:
    known = [service("any"), service("debian", os="debian")]
    made = World(free=(machine("m"),), offers=(offer("a", systems=("rocky-9",)),)).plan(definition(*known))
    assert made.seats["debian-1"] == "m"
    assert [(new.name, new.os) for new in made.new] == [(made.seats["any-1"], "rocky-9")]


@pytest.mark.req("A5", "A7", "A11")
def test_a_machine_that_is_not_made_after_all_is_shared_with_nobody() -> None:
    known = [
        service("any", shared=True, cpu=0.1),
        service("picky", gateway="a"),
        service("late", shared=True, cpu=0.1),
    ]
    made = World(offers=(offer("a", room=1), offer("b", room=1))).plan(definition(*known))
    assert made.seats["any-1"] == made.seats["late-1"] != made.seats["picky-1"]
    assert {new.name: new.gateway for new in made.new} == {made.seats["picky-1"]: "a", made.seats["any-1"]: "b"}


SYSTEMS = ("debian-12", "rocky-9")
some_systems = st.sampled_from([SYSTEMS, SYSTEMS[:1], SYSTEMS[1:]])
some_sizes = st.sampled_from([(SMALL, MEDIUM), (SMALL,), (MEDIUM,)])
some_asked_systems = st.sampled_from(["", *SYSTEMS])
Asked = tuple[str, str, str]
There = tuple[str, Size, str, bool]
Made = tuple[tuple[str, ...], tuple[Size, ...], int]


@pytest.mark.req("A5", "A11")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", *SYSTEMS]), st.sampled_from(["", "medium"]), st.sampled_from(["", "", "a", "static"])
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(
        st.tuples(
            st.sampled_from(SYSTEMS),
            st.sampled_from([SMALL, MEDIUM]),
            st.sampled_from(["static", "a"]),
            st.sampled_from([False, False, True]),
        ),
        max_size=3,
    ),
    st.lists(st.tuples(some_systems, some_sizes, st.integers(0, 2)), max_size=2),
    st.dictionaries(st.sampled_from(["static", "a", "b"]), st.integers(1, 2)),
)
@settings(max_examples=400)
def test_nothing_is_called_missing_that_some_other_seating_would_find(
    asked: list[Asked], there: list[There], made: list[Made], shares: dict[str, int]
) -> None:
    every_way_is_tried(asked, there, made, shares)


@pytest.mark.req("A10", "A11")
@given(
    st.lists(st.tuples(some_asked_systems, st.just(""), st.just("")), min_size=2, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(SYSTEMS), st.just(SMALL), st.sampled_from(["static", "a"]), st.just(False)),
        min_size=2,
        max_size=4,
    ),
    st.lists(st.tuples(some_systems, st.just((SMALL,)), st.integers(0, 2)), max_size=2),
    st.fixed_dictionaries({"a": st.integers(1, 2)}, optional={"static": st.integers(1, 2)}),
)
@settings(max_examples=400)
def test_nor_what_would_be_found_within_the_shares(
    asked: list[Asked], there: list[There], made: list[Made], shares: dict[str, int]
) -> None:
    every_way_is_tried(asked, there, made, shares)


def every_way_is_tried(asked: list[Asked], there: list[There], made: list[Made], shares: dict[str, int]) -> None:
    """Every way to seat all of them: on machines that it holds, of the pool, and in the room of gateways.

    Args:
        asked: operating system, size and gateway of each service. there: system, size, gateway, whether it is held.
        made: systems, sizes and room of gateways `a` and `b`. shares: machines that it may have, by gateway.
    """
    wanted = definition(
        *(service(f"s{n}", os=os, size=size, gateway=gateway) for n, (os, size, gateway) in enumerate(asked))
    )
    pool = [machine(f"m{number}", os=os, size=size, gateway=where) for number, (os, size, where, _) in enumerate(there)]
    held = [replace(m, holder="shop") for m, (*_, mine) in zip(pool, there, strict=True) if mine]
    free = [m for m, (*_, mine) in zip(pool, there, strict=True) if not mine]
    offers = [
        offer(gateway, systems=systems, sizes=sizes, room=room)
        for gateway, (systems, sizes, room) in zip("ab", made, strict=False)
    ]
    places = [(m.gateway, (m.os,), (m.size,), False) for m in held]
    places += [(m.gateway, (m.os,), (m.size,), True) for m in free]
    places += [(o.gateway, o.systems, o.sizes, True) for o in offers for _ in range(o.room or 0)]

    def good(chosen: tuple[tuple[str, tuple[str, ...], tuple[Size, ...], bool], ...]) -> bool:
        taken = Counter([*(where for where, *_, anew in chosen if anew), *(m.gateway for m in held)])
        anew = {where for where, *_, anew in chosen if anew}
        return all(taken[where] <= shares.get(where, taken[where]) for where in anew) and all(
            (not os or os in systems) and (not size or MEDIUM in sizes) and (not gateway or gateway == where)
            for (os, size, gateway), (where, systems, sizes, _) in zip(asked, chosen, strict=True)
        )

    possible = any(good(chosen) for chosen in permutations(places, len(asked)))
    found = World(held=tuple(held), free=tuple(free), offers=tuple(offers), shares=shares).plan(wanted)
    assert bool(found.blocked) is not possible
    if possible:
        machines = {m.name: (m.gateway, (m.os,), (m.size,), m in free) for m in pool}
        machines |= {new.name: (new.gateway, (new.os,), (new.size,), True) for new in found.new}
        taken = [found.seats[f"s{number}-1"] for number in range(len(asked))]
        assert len(set(taken)) == len(taken)
        assert good(tuple(machines[name] for name in taken))
        assert {new.name for new in found.new} <= set(taken)
        assert all(sum(new.gateway == o.gateway for new in found.new) <= (o.room or 0) for o in offers)


# ── together on one machine ──────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A7")
@pytest.mark.parametrize(("one", "other"), list(product([True, False], repeat=2)))
def test_only_services_that_share_stand_together(one: bool, other: bool) -> None:
    found = seats(definition(service("a", shared=one), service("b", shared=other)), machine("m1"), machine("m2"))
    assert (found["a-1"] == found["b-1"]) is (one and other)


@pytest.mark.req("A7")
@pytest.mark.parametrize(("spread", "machines"), [(True, 3), (False, 1)])
def test_instances_of_a_service_that_spreads_stand_apart(spread: bool, machines: int) -> None:
    wanted = definition(service("a", shared=True, spread=spread), nodes=[node("p", Placement("a", 3))])
    assert len(set(seats(wanted, offers=(offer(),)).values())) == machines


@pytest.mark.req("A7")
def test_a_shared_machine_is_filled_and_not_overfilled() -> None:
    known = [service(name, shared=True, cpu=0.5, memory=300) for name in "abcde"]
    found = seats(definition(*known), offers=(offer(),))
    assert [found[f"{name}-1"][-1] for name in "abcde"] == ["1", "1", "2", "2", "3"]


@pytest.mark.req("A7")
def test_tenths_of_a_core_fill_a_core() -> None:
    known = [service(f"s{number}", shared=True, cpu=0.1) for number in range(10)]
    assert len(set(seats(definition(*known), machine("a"), machine("b")).values())) == 1


@pytest.mark.req("A7")
def test_the_first_on_a_shared_machine_fits_on_it_too() -> None:
    heavy = definition(service("a", shared=True, cpu=4.0))
    assert seats(heavy, machine("a"), machine("b", size=LARGE)) == {"a-1": "b"}
    assert [new.size for new in World(offers=(offer(),)).plan(heavy).new] == [LARGE]
    assert "missing" in said(heavy, machine("a"))
    fixed = definition(service("a", shared=True, memory=9000), nodes=[node("p", Placement("a", 1, ("m",)))])
    assert "it is too small" in said(fixed, machine("m"))


# ── machines that the user fixes ─────────────────────────────────────────────────────────────────────


@pytest.mark.req("A5")
def test_the_user_knows_better_which_machine_will_do() -> None:
    pool = [machine("a", size=LARGE), machine("b", os="rocky-9", location="east")]
    assert seats(fixed("b", size="large", os="debian"), *pool) == {"p/web-1": "b"}


@pytest.mark.req("A5")
def test_some_are_fixed_and_the_rest_is_found() -> None:
    wanted = definition(service("web"), nodes=[node("p", Placement("web", 3, ("b",)))])
    assert seats(wanted, *(machine(name) for name in "abcd")) == {"p/web-1": "b", "p/web-2": "a", "p/web-3": "c"}


@pytest.mark.req("A5")
def test_what_is_fixed_later_in_the_document_comes_before_what_stands_there() -> None:
    known = [service("a"), service("b")]
    world = World(free=(machine("m1"), machine("m2")))
    before = world.after(definition(*known, nodes=[node("p", "a", "b")]))
    assert before.standing() == {"p/a-1": "m1", "p/b-1": "m2"}
    edited = definition(*known, nodes=[node("p", "a", Placement("b", 1, ("m1",)))])
    after = before.after(edited)
    assert after.standing() == {"p/a-1": "m2", "p/b-1": "m1"}
    assert not after.plan(edited).actions


@pytest.mark.req("A5", "A11")
def test_a_fixed_machine_that_cannot_be_had_is_named_with_the_reason() -> None:
    assert "p/web-1: 1 × the machine 'b' missing (it is not in the pool" in said(fixed("b"), machine("a"))
    assert "does not run" in said(fixed("b"), machine("b", state=MachineState.FAILED))
    pair = definition(
        service("a"), service("b"), nodes=[node("p", Placement("a", 1, ("m",)), Placement("b", 1, ("m",)))]
    )
    assert "p/b-1: 1 × the machine 'm' missing (another service stands there" in said(pair, machine("m"))


# ── what machines are for ────────────────────────────────────────────────────────────────────────────


def local(name: str, **changes: object) -> Machine:
    made = machine(name, kind="process", gateway="local", capabilities=frozenset(), reach=Reach(root="/srv/m"))
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.req("A9", "A16")
@pytest.mark.parametrize("names", [(), ("m",)], ids=["found", "fixed"])
def test_a_role_that_would_change_the_host_gets_no_local_machine(names: tuple[str, ...]) -> None:
    risky = fixed(*names)
    risky = replace(risky, services={"web": replace(risky.services["web"], roles=THEIRS)})
    assert "roles that change the whole system" in said(risky, local("m"), offers=(offer("local", kind="process"),))
    assert seats(replace(risky, allow_host_changes=True), local("m")) == {"p/web-1": "m"}
    assert seats(risky, machine("m")) == {"p/web-1": "m"}


@pytest.mark.req("A9", "A16")
def test_a_local_machine_that_is_not_made_yet_is_local_already() -> None:
    risky = definition(service("web", roles=THEIRS))
    begun = local("m", reach=Reach(), state=MachineState.CREATING)
    assert "missing" in said(risky, held=(begun,))


@pytest.mark.req("A9", "A16")
@pytest.mark.parametrize("names", [(), ("m",)], ids=["found", "fixed"])
def test_packages_need_a_machine_that_takes_them(names: tuple[str, ...]) -> None:
    packaged = replace(fixed(*names), components={"web": Component("web", "1", packages=(Package("nginx"),))})
    assert "packages of its own" in said(
        packaged, local("m"), offers=(offer("local", kind="process", capabilities=frozenset()),)
    )
    assert seats(packaged, machine("m")) == {"p/web-1": "m"}


@pytest.mark.req("A5")
def test_a_size_that_nobody_knows_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        Invalid, match=r"services.web.machine.size: no size is called 'huge'. Known sizes: small, medium"
    ):
        World().plan(definition(service("web", size="huge")))


def test_builders_say_what_they_mean() -> None:
    assert definition(service("a", "b", "c~")).services["a"].roles == (OWN_ROLE,)
    assert [(r.service, r.ordered) for r in service("a", "b", "c~").requires] == [("b", True), ("c", False)]
