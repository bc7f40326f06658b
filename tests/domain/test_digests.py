"""Digests: equal as long as a deployment would do nothing, different as soon as it would."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adslib
from adslib.domain.definition import Component, Configuration, Definition, File, Placement, Requirement, Role
from adslib.domain.desired import Desired, Digests, Seat, fingerprint
from domain.definitions import definition, node, service, with_versions

LIBRARY = str(Path(adslib.__file__).parents[1])
SEATS = {"pod/web-1": Seat("m1", "id-1", "10.0.0.1"), "pod/db-1": Seat("m2", "id-2", "10.0.0.2")}


def shop(**changes: Any) -> Definition:
    """Web servers that know a database and the limits."""
    web = service("web", "db", vars={"workers": 2}, ports={"http": 80})
    web = replace(web, requires=(*web.requires, Requirement(configuration="limits")))
    made = definition(
        web,
        service("db"),
        service("other"),
        nodes=[node("pod", "web", "db")],
        configurations={
            "limits": Configuration("limits", {"calls": 5}, requires=("deeper",)),
            "deeper": Configuration("deeper", {"log": "info"}),
            "unseen": Configuration("unseen", {"x": 1}),
        },
    )
    return replace(made, **changes)


def digests(wanted: Definition, **seats: Seat) -> dict[str, str]:
    desired = Desired(wanted)
    found = Digests(desired, {**SEATS, **seats})
    return {instance.id: found.of(instance) for instance in desired.topology.instances}


def changed(wanted: Definition, **seats: Seat) -> set[str]:
    """Names of the instances whose digest differs from the shop's."""
    before = digests(shop())
    return {id.removeprefix("pod/") for id, digest in digests(wanted, **seats).items() if digest != before[id]}


def with_service(name: str, **changes: Any) -> Definition:
    wanted = shop()
    return replace(wanted, services={**wanted.services, name: replace(wanted.services[name], **changes)})


def with_configuration(name: str, **changes: Any) -> Definition:
    wanted = shop()
    made = replace(wanted.configurations[name], **changes)
    return replace(wanted, configurations={**wanted.configurations, name: made})


@pytest.mark.req("A7", "T5")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (shop(), set()),
        (with_versions(shop(), web="2.0"), {"web-1"}),
        (with_versions(shop(), db="2.0"), {"db-1", "web-1"}),
        (with_versions(shop(), other="2.0"), set()),
        (with_service("web", vars={"workers": 3}), {"web-1"}),
        (with_service("web", ports={"http": 81}), {"web-1"}),
        (with_service("web", roles=(Role("theirs.web"),)), {"web-1"}),
        (with_service("web", sessions="sustained"), set()),
        (with_service("other", vars={"a": 1}), set()),
        (with_configuration("limits", settings={"calls": 6}), {"web-1"}),
        (with_configuration("limits", files=(File("/etc/limits", "x"),)), {"web-1"}),
        (with_configuration("deeper", settings={"log": "debug"}), {"web-1"}),
        (with_configuration("unseen", settings={"x": 2}), set()),
        (shop(description="another text"), set()),
        (shop(nodes=(replace(shop().nodes[0], attributes={"owner": "ann"}),)), set()),
        (shop(nodes=(replace(shop().nodes[0], configurations={"limits": {"calls": 9}}),)), {"web-1"}),
        (shop(nodes=(node("pod", Placement("web", vars={"workers": 9}), "db"),)), {"web-1"}),
    ],
)
def test_a_digest_changes_exactly_with_what_a_deployment_depends_on(wanted: Definition, expected: set[str]) -> None:
    assert changed(wanted) == expected


@pytest.mark.req("A7", "T5")
@pytest.mark.parametrize(
    ("seat", "expected"),
    [
        (Seat("m2", "id-9", "10.0.0.2"), {"db-1", "web-1"}),
        (Seat("m2", "id-2", "10.0.0.9"), {"db-1", "web-1"}),
        (Seat("renamed", "id-2", "10.0.0.2"), {"db-1"}),
    ],
)
def test_where_a_member_stands_is_part_of_what_an_instance_works_with(seat: Seat, expected: set[str]) -> None:
    assert changed(shop(), **{"pod/db-1": seat}) == expected


@pytest.mark.req("A7")
def test_a_member_that_comes_or_goes_changes_those_that_see_it() -> None:
    more = shop(nodes=(node("pod", "web", Placement("db", 2)),))
    assert changed_with(more) == {"web-1"}


def changed_with(wanted: Definition) -> set[str]:
    before = digests(shop())
    after = digests(wanted, **{"pod/db-2": Seat("m3", "id-3", "10.0.0.3")})
    return {id.removeprefix("pod/") for id in before if after[id] != before[id]}


@pytest.mark.req("A7")
@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_keys_says_nothing(keys: list[str]) -> None:
    component = Component("c", "1", vars={key: ord(key) for key in keys})
    assert fingerprint(component.vars) == fingerprint({"a": 97, "b": 98, "c": 99})


@pytest.mark.req("A7")
def test_different_data_never_run_together() -> None:
    texts: list[tuple[object, ...]] = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), (["a", "b"], "c"), ("",)]
    others: list[tuple[object, ...]] = [(1,), ("1",), (True,), (None,), ({},), ([],), ()]
    parts = [*texts, *others]
    assert len({fingerprint(*found) for found in parts}) == len(parts)


@pytest.mark.req("A7")
def test_a_fingerprint_is_the_same_in_every_run() -> None:
    code = "from adslib.domain.desired import fingerprint; print(fingerprint('x', {'b': [1, 2.5], 'a': None}))"
    seen = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": LIBRARY}, text=True,
                       capture_output=True, check=True).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert seen == {fingerprint("x", {"b": [1, 2.5], "a": None})}
