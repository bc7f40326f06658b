"""From a definition to instances, and whom each of them works with."""

from __future__ import annotations

import pytest

from adslib.domain.definition import Definition, Node, Placement
from adslib.domain.errors import Invalid
from adslib.domain.reading import read
from adslib.domain.topology import Instance, Topology
from domain.definitions import definition, node, place, service, unit


def ids(instances: tuple[Instance, ...]) -> list[str]:
    return [instance.id for instance in instances]


def members(wanted: Definition, instance: str, of: str) -> list[str]:
    topology = Topology(wanted)
    return ids(topology.members(topology.by_id[instance].scope, of))


def telephony() -> Definition:
    """Two data centres with a directory each and two pods; accounts stand in west units, a register in one pod."""
    known = [service(name) for name in ("directory", "accounts", "media", "register", "lonely")]
    pods = [
        node(
            f"pod-{number}",
            *(["register"] if number == 1 else []),
            children=[unit("west", "accounts", Placement("media", 2)), unit("east", "media")],
        )
        for number in (1, 2)
    ]
    places = [place("west", "lonely"), place("east")]
    return definition(*known, nodes=pods, places=places, common=["directory"])


@pytest.mark.req("A1")
def test_every_placement_becomes_numbered_instances_in_document_order() -> None:
    assert ids(Topology(telephony()).instances) == [
        "west/directory-1",
        "west/lonely-1",
        "east/directory-1",
        "pod-1/register-1",
        "pod-1/west/accounts-1",
        "pod-1/west/media-1",
        "pod-1/west/media-2",
        "pod-1/east/media-1",
        "pod-2/west/accounts-1",
        "pod-2/west/media-1",
        "pod-2/west/media-2",
        "pod-2/east/media-1",
    ]


@pytest.mark.req("A1", "A6")
@pytest.mark.parametrize(
    ("instance", "of", "expected"),
    [
        ("pod-1/west/media-1", "accounts", ["pod-1/west/accounts-1"]),
        ("pod-1/west/media-1", "media", ["pod-1/west/media-1", "pod-1/west/media-2"]),
        ("pod-1/west/media-1", "directory", ["west/directory-1"]),
        ("pod-1/east/media-1", "directory", ["east/directory-1"]),
        ("pod-1/east/media-1", "accounts", ["pod-1/west/accounts-1"]),
        ("pod-1/east/media-1", "register", ["pod-1/register-1"]),
        ("pod-2/east/media-1", "register", ["pod-1/register-1"]),
        ("pod-1/register-1", "accounts", ["pod-1/west/accounts-1"]),
        ("pod-1/register-1", "directory", ["west/directory-1", "east/directory-1"]),
        ("pod-2/west/media-1", "lonely", ["west/lonely-1"]),
        ("pod-2/east/media-1", "lonely", ["west/lonely-1"]),
        ("west/directory-1", "accounts", ["pod-1/west/accounts-1", "pod-2/west/accounts-1"]),
        ("west/directory-1", "directory", ["west/directory-1"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_members_are_the_nearest_that_there_are(instance: str, of: str, expected: list[str]) -> None:
    assert members(telephony(), instance, of) == expected


@pytest.mark.req("A3", "A1")
def test_levels_of_any_name_and_depth_give_places_scopes_and_members() -> None:
    wanted = read(
        {
            "environment": "search",
            "levels": {
                "region": {"plural": "regions", "place": True},
                "site": {"plural": "sites", "place": True},
                "cell": {"plural": "cells"},
                "shard": {"plural": "shards"},
                "replica": {"plural": "replicas", "at": "site"},
            },
            "services": {name: {"roles": ["theirs.role"]} for name in ("gate", "clock", "index", "leader")},
            "common": {"services": ["gate"]},
            "regions": {"eu": {"services": ["clock"], "sites": {"paris": {}, "oslo": {}}}},
            "cells": {
                "a": {
                    "shards": {
                        "one": {
                            "services": ["leader"],
                            "replicas": {"paris": {"services": ["index"]}, "oslo": {"services": ["index"]}},
                        },
                        "two": {"replicas": {"oslo": {"services": ["index"]}}},
                    }
                }
            },
        }
    )
    topology = Topology(wanted)
    assert ids(topology.instances) == [
        "eu/clock-1",
        "eu/paris/gate-1",
        "eu/oslo/gate-1",
        "a/one/leader-1",
        "a/one/paris/index-1",
        "a/one/oslo/index-1",
        "a/two/oslo/index-1",
    ]
    scope = topology.by_id["a/one/oslo/index-1"].scope
    assert dict(scope.levels) == {
        "region": "eu",
        "site": "eu/oslo",
        "cell": "a",
        "shard": "a/one",
        "replica": "a/one/oslo",
    }
    assert (scope.place, scope.location, scope.common) == ("eu/oslo", "oslo", False)
    assert ids(topology.members(scope, "gate")) == ["eu/oslo/gate-1"]
    assert ids(topology.members(scope, "clock")) == ["eu/clock-1"], "a common layer further out counts too"
    assert ids(topology.members(scope, "leader")) == ["a/one/leader-1"]
    other = topology.by_id["a/two/oslo/index-1"].scope
    assert ids(topology.members(other, "leader")) == ["a/one/leader-1"], "the cell around holds one"
    leader = topology.by_id["a/one/leader-1"].scope
    assert ids(topology.members(leader, "index")) == ["a/one/paris/index-1", "a/one/oslo/index-1"]


@pytest.mark.req("A1")
def test_the_nearest_attribute_and_every_overlay_reach_an_instance() -> None:
    inner = unit("west", "media", configurations={"limits": {"calls": 3}})
    pod = node("pod-1", "media", children=[inner], configurations={"limits": {"calls": 2, "log": "debug"}})
    wanted = definition(
        service("media"), nodes=[pod], places=[place("west", location="dc-7", gateway="metal", owner="ann")]
    )
    topology = Topology(wanted)
    scope = topology.by_id["pod-1/west/media-1"].scope
    assert scope.location == "dc-7"
    assert dict(scope.attributes) == {"location": "dc-7", "gateway": "metal", "owner": "ann"}
    assert scope.settings["limits"] == {"calls": 3, "log": "debug"}
    assert topology.by_id["pod-1/media-1"].scope.settings["limits"] == {"calls": 2, "log": "debug"}


@pytest.mark.req("A5")
def test_fixed_machines_go_to_the_first_instances() -> None:
    wanted = definition(service("media"), nodes=[node("a", Placement("media", 3, ("web1", "web2")))])
    assert [instance.machine for instance in Topology(wanted).instances] == ["web1", "web2", ""]


@pytest.mark.req("A1")
def test_without_a_structure_every_service_stands_once_at_the_root() -> None:
    wanted = read({"environment": "flat", "services": {name: {"roles": ["r.r"]} for name in ("web", "db")}})
    topology = Topology(wanted)
    assert ids(topology.instances) == ["web-1", "db-1"]
    assert ids(topology.members(topology.by_id["web-1"].scope, "db")) == ["db-1"]


@pytest.mark.req("A6")
def test_two_instances_of_one_name_are_refused_by_name() -> None:
    twins = definition(service("web"), nodes=[node("a", "web")], places=[Node("datacenter", "a", "a")], common=["web"])
    with pytest.raises(Invalid, match="two instances are called 'a/web-1'"):
        Topology(twins)
