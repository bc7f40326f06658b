"""From a rendered tree to a definition: what is read, and how each mistake is told (A1, A3, A5, A6)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.definition import (
    Definition,
    Placement,
    Requirement,
    Role,
)
from adslib.domain.errors import Invalid
from adslib.domain.reading import read
from domain.documents import told, tree


@pytest.mark.req("A1")
def test_without_structure_every_service_stands_once_at_the_root() -> None:
    definition = read(tree())
    (root,) = definition.nodes
    assert (root.level, root.name, root.path, root.place) == ("", "", "", "")
    assert root.services == (Placement("web"),)
    assert definition.services["web"].roles == (Role("ads.deploy.component", ads_root=True),)


@pytest.mark.req("A1")
def test_the_hierarchy_of_places_pods_and_units() -> None:
    definition = read(
        tree(
            common={"services": ["web"]},
            datacenters={"us-west": {"vlan": 110, "gateway": "local", "owner": "ann"}, "us-east": None},
            pods={
                "pod-1": {
                    "vars": {"colour": "red"},
                    "units": {"us-west": {"services": [{"service": "web", "instances": 2, "machines": ["m1"]}]}},
                }
            },
        )
    )
    west, east = definition.places
    assert (west.path, west.place, west.attributes) == (
        "us-west",
        "us-west",
        {"vlan": 110, "gateway": "local", "owner": "ann"},
    )
    assert (east.name, east.attributes, east.children) == ("us-east", {}, ())
    (pod,) = definition.nodes
    (unit,) = pod.children
    assert (pod.place, pod.attributes) == ("", {"vars": {"colour": "red"}})
    assert (unit.level, unit.path, unit.place) == ("unit", "pod-1/us-west", "us-west")
    assert unit.services == (Placement("web", 2, ("m1",)),)
    assert definition.common == (Placement("web"),)


@pytest.mark.req("A3")
def test_levels_of_other_names_and_depths() -> None:
    definition = read(
        tree(
            levels={
                "region": {"place": True},
                "hall": {"place": True},
                "city": {"plural": "cities"},
                "cell": None,
                "replica": {"at": "hall"},
            },
            regions={"north": {"halls": {"n1": {}, "n2": {}}}, "south": {"halls": {"s1": {}}}},
            cities={"oslo": {"cells": {"c1": {"replicas": {"n2": {"services": ["web"]}, "s1": {}}}}}},
        )
    )
    hall = definition.places[0].children[1]
    assert (hall.level, hall.path, hall.place) == ("hall", "north/n2", "north/n2")
    cell = definition.nodes[0].children[0]
    assert [replica.place for replica in cell.children] == ["north/n2", "south/s1"]
    assert cell.children[0].path == "oslo/c1/n2"


@pytest.mark.req("A3")
@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"Region": None}, "levels.Region: 'Region' is no name for a level"),
        ({"region": {"plural": "services"}}, "'services' is a key of every definition"),
        ({"a": {"plural": "xs"}, "b": {"plural": "xs"}}, "the plural 'xs' is taken by another level"),
        ({"cell": {"at": "hall"}}, "levels.cell.at: there is no level of places 'hall'"),
        ({"hall": {"place": True}, "cell": {"at": "hal"}}, "Levels of places are: hall"),
        ({"hall": {"place": True, "at": "hall"}}, "a level is a place or stands 'at' one, not both"),
        ({"hall": {"plce": True}}, "unknown key 'plce'. Did you mean 'place'?"),
    ],
)
def test_wrong_levels(levels: Any, message: str) -> None:
    assert message in told(tree(levels=levels))


@pytest.mark.req("A3")
def test_a_node_named_by_a_place_needs_one_and_only_one() -> None:
    levels = {"region": {"place": True}, "hall": {"place": True}, "cell": {"at": "hall"}}
    twice = tree(
        levels=levels, regions={"a": {"halls": {"h": {}}}, "b": {"halls": {"h": {}}}}, cells={"h": {}, "hh": {}}
    )
    text = told(twice)
    assert "cells.h: 'h' may be a/h or b/h. Give each hall a name of its own" in text
    assert "cells.hh: there is no hall 'hh'. Did you mean 'h'?" in text


@pytest.mark.req("A1")
def test_levels_stand_in_their_order() -> None:
    text = told(tree(units={}, pods={"p": {"pods": {}, "datacenters": {}}}))
    assert "units: 'units' do not stand here. They stand inside 'pods'" in text
    assert "pods.p.pods: 'pods' do not stand here. They stand at the top of the document" in text
    assert "pods.p.datacenters: 'datacenters' do not stand here" in text


@pytest.mark.req("A6")
def test_dependencies_of_all_three_kinds() -> None:
    definition = read(
        tree(
            services={
                "web": {
                    "roles": ["web"],
                    "requires": ["db", {"service": "cache", "ordered": False}, {"configuration": "c"}],
                },
                "db": {"roles": ["db"]},
                "cache": {"roles": ["cache"], "requires": ["web"]},
            },
            configurations={"c": {"path": "/srv/c", "requires": ["d"]}, "d": {"settings": {"a": 1}}},
        )
    )
    assert definition.services["web"].requires == (
        Requirement("db"),
        Requirement("cache", ordered=False),
        Requirement(configuration="c"),
    )
    assert definition.configurations["c"].settings == {"path": "/srv/c"}
    assert definition.configurations["c"].requires == ("d",)


@pytest.mark.req("A6")
def test_cycles_are_shown_as_the_path() -> None:
    services = {
        "a": {"roles": ["r"], "requires": ["b"]},
        "b": {"roles": ["r"], "requires": ["c"]},
        "c": {"roles": ["r"], "requires": ["d", "b"]},
        "d": {"roles": ["r"], "requires": ["d"]},
    }
    configurations = {"x": {"requires": ["y"]}, "y": {"requires": ["x"]}}
    text = told(tree(services=services, configurations=configurations))
    assert "services.b.requires: services require each other: b → c → b" in text
    assert "services.d.requires: services require each other: d → d" in text
    assert "a → b" not in text
    assert "configurations.x.requires: configurations require each other: x → y → x" in text


@pytest.mark.req("A6")
def test_missing_ends_are_named_with_the_nearest_name() -> None:
    text = told(
        tree(
            services={
                "web": {"component": "wep", "requires": ["acounts", {"configuration": "promts"}]},
                "accounts": {"roles": ["r"]},
            },
            configurations={"prompts": {"requires": ["other"]}},
            pods={"p": {"services": ["wbe"], "configurations": {"prompt": {}}}},
        )
    )
    assert "services.web.component: there is no component 'wep'. Did you mean 'web'?" in text
    assert "services.web.requires[0]: there is no service 'acounts'. Did you mean 'accounts'?" in text
    assert "services.web.requires[1]: there is no configuration 'promts'. Did you mean 'prompts'?" in text
    assert "configurations.prompts.requires[0]: there is no configuration 'other'" in text
    assert "pods.p.services[0]: there is no service 'wbe'. Did you mean 'web'?" in text
    assert "pods.p.configurations.prompt: there is no configuration 'prompt'. Did you mean 'prompts'?" in text


@pytest.mark.req("A6")
def test_what_a_standing_service_requires_must_stand_too() -> None:
    services = {"web": {"roles": ["r"], "requires": ["db"]}, "db": {"roles": ["r"]}, "spare": {"roles": ["r"]}}
    text = told(tree(services=services, pods={"p": {"services": ["web"]}}))
    assert "services.web.requires[0]: 'web' requires 'db', which stands nowhere" in text
    assert "spare" not in text


@pytest.mark.req("A15")
def test_the_sequence_names_each_standing_service_once_after_what_it_requires() -> None:
    services = {"web": {"roles": ["r"], "requires": ["db"]}, "db": {"roles": ["r"]}, "x": {"roles": ["r"]}}
    assert read(tree(services=services, sequence=[["db", "x"], ["web"]])).sequence == (("db", "x"), ("web",))
    text = told(tree(services=services, sequence=[["web", "db"], ["web", "dbs"]]))
    assert "sequence: the sequence leaves out: x" in text
    assert "sequence[1][0]: service 'web' is in the sequence twice" in text
    assert "sequence[1][1]: there is no service 'dbs'. Did you mean 'db'?" in text
    assert "sequence[0]: 'web' requires 'db', which the sequence does not put in an earlier stage" in text


NODE_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"pods": {"P": {}}}, "pods.P: 'P' is no name for a pod"),
    ({"pods": {"p": {"services": ["web", "web"]}}}, "service 'web' is named twice here"),
    (
        {"pods": {"p": {"services": [{"service": "web", "machines": ["a", "b"]}]}}},
        "2 machines are named for 1 instances",
    ),
    (
        {"pods": {"p": {"services": [{"service": "web", "instances": 2, "machines": ["a", "a"]}]}}},
        "machine 'a' is named twice for 'web'",
    ),
    ({"datacenters": {"d": {"gateway": 1}}}, "datacenters.d.gateway: expected text, got a whole number"),
    ({"datacenters": {"d": {"location": ""}}}, "'location' is empty"),
    ({"datacenters": {"d": {"vlan": 0}}}, "datacenters.d.vlan: 0 is out of bounds"),
    ({"datacenters": {"d": []}}, "datacenters.d: expected a map, got a list"),
    ({"datacenters": {"d": {"colour": 1}}}, "unknown key 'colour'"),
    ({"common": {"services": ["web"]}}, "the common layer stands in every place, but there is none. Add 'datacenters'"),
    ({"servces": {}}, "unknown key 'servces'. Did you mean 'services'?"),
    ({"environment": "Shop"}, "environment: 'Shop' is no name for an environment"),
]


@pytest.mark.req("A1", "A5")
@pytest.mark.parametrize(("parts", "message"), NODE_MISTAKES)
def test_mistakes_in_the_structure(parts: dict[str, Any], message: str) -> None:
    assert message in told(tree(**parts))


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 99999), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
WORDS = (
    "version archive git files process roles machine requires ports tests services units http service place at url type"
)
keyed = st.recursive(
    junk, lambda inner: st.dictionaries(st.sampled_from([*WORDS.split(), "web"]), inner, max_size=4), max_leaves=12
)
SECTIONS = [
    "levels",
    "parameters",
    "components",
    "configurations",
    "services",
    "common",
    "datacenters",
    "pods",
    "sequence",
    "environment",
]


@pytest.mark.req("A1", "A6")
@given(st.dictionaries(st.sampled_from(SECTIONS), keyed))
def test_any_tree_at_all_is_read_or_refused_in_words(parts: dict[str, Any]) -> None:
    try:
        definition = read(tree(**parts))
    except Invalid as error:
        refusal = error
    else:
        assert isinstance(definition, Definition)
        return
    assert all(problem.message for problem in refusal.problems)


def test_a_document_is_a_map() -> None:
    assert "expected a map, got a list" in told([])
