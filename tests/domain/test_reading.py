"""From a rendered tree to a definition: what is read, and how each mistake is told (A1, A3, A5, A6)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.definition import (
    Archive,
    Definition,
    File,
    Folder,
    Git,
    Placement,
    Process,
    Requirement,
    Role,
)
from adslib.domain.errors import Invalid
from adslib.domain.reading import read

SHA = "ab" * 32


def tree(**parts: Any) -> dict[str, Any]:
    """A small right document, with some parts replaced or added."""
    return {
        "environment": "shop",
        "components": {"web": {"version": "1.0", "package": "nginx"}},
        "services": {"web": {"component": "web", "ports": {"http": 80}}},
        **parts,
    }


def told(document: Any) -> str:
    """All problems of a document, as text."""
    with pytest.raises(Invalid) as caught:
        read(document)
    return str(caught.value)


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


@pytest.mark.req("A5", "A7")
def test_what_a_service_asks_of_its_machine() -> None:
    machine = {
        "size": "small",
        "os": "debian-12",
        "kind": "vm",
        "shared": True,
        "spread": False,
        "cpu": 0.5,
        "memory": "2G",
    }
    need = read(tree(services={"web": {"component": "web", "machine": machine}})).services["web"].need
    assert (need.size, need.os, need.kind, need.shared, need.spread) == ("small", "debian-12", "vm", True, False)
    assert (need.cpu, need.memory) == (0.5, 2048)


@pytest.mark.req("A5")
@pytest.mark.parametrize(
    ("memory", "mebibytes"), [(512, 512), ("512M", 512), ("1.5 GiB", 1536), ("1T", 1048576), ("2GB", 2048)]
)
def test_memory(memory: Any, mebibytes: int) -> None:
    assert read(tree(services={"web": {"component": "web", "machine": {"memory": memory}}})).services[
        "web"
    ].need.memory == (mebibytes)


SERVICE_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"component": "", "roles": []}, "services.web: a service needs a component or roles"),
    ({"instances": -1}, "services.web.instances: -1 is out of bounds. At least 0"),
    ({"instances": True}, "services.web.instances: expected a whole number, got true or false"),
    ({"instances": 1.0}, "services.web.instances: expected a whole number, got a number"),
    ({"machine": {"kind": "vmm"}}, "there is no kind of machine 'vmm'. Did you mean 'vm'?"),
    ({"machine": {"memory": "lots"}}, "'lots' is no amount of memory"),
    ({"machine": {"cpu": -1}}, "services.web.machine.cpu: -1 is out of bounds"),
    ({"requires": [{"ordered": True}]}, "a requirement names a service or a configuration"),
    ({"requires": [{"configuration": "c", "ordered": False}]}, "'ordered' is said of services only"),
    ({"ports": {"http": 80, "www": 80}}, "services.web.ports.www: port 80 is also 'http'"),
    ({"ports": {"http": 0}}, "services.web.ports.http: 0 is out of bounds. Use 1 to 65535"),
    ({"ports": {"HTTP": 1}}, "'HTTP' is no name for a port"),
    ({"sessions": "some"}, "services.web.sessions: 'some' says nothing about sessions"),
    ({"sesions": "none"}, "unknown key 'sesions'. Did you mean 'sessions'?"),
    ({"tests": [{}]}, "services.web.tests[0]: a test has one of http, tcp, command, tasks; this has none"),
    ({"tests": [{"http": "/", "tcp": "http"}]}, "this has http and tcp"),
    ({"tests": [{"tcp": "htp"}]}, "services.web.tests[0].tcp: the service has no port 'htp'. Did you mean 'http'?"),
    ({"tests": [{"http": "x"}]}, "'x' is neither a path nor a URL"),
    ({"tests": [{"http": "/", "port": "no"}]}, "the service has no port 'no'"),
    ({"tests": [{"http": "http://a/", "port": "http"}]}, "a full URL carries its port itself"),
    ({"tests": [{"tcp": "http", "status": 200}]}, "'status' is said of http tests only"),
    ({"tests": [{"http": "/", "status": 99}]}, "99 is out of bounds. Use 100 to 599"),
    ({"tests": [{"tcp": 80, "timeout": 0}]}, "services.web.tests[0].timeout: 0 is out of bounds. Use more than 0 and"),
    ({"tests": [{"tcp": 80, "timeout": 3600.5}]}, "3600.5 is out of bounds. Use more than 0 and at most 3600 seconds"),
    ({"tests": [{"tcp": 80, "timeout": float("nan")}]}, "nan is out of bounds"),
    ({"tests": [{"tcp": 80, "timeout": "9"}]}, "services.web.tests[0].timeout: expected a whole number or a number"),
    ({"tests": [{"tasks": "x.yml", "timeout": 9}]}, "'timeout' is said of http, tcp and command tests only"),
    ({"tests": [{"tasks": "../x.yml"}]}, "'../x.yml' leads out of the project"),
    ({"tests": [{"http": "/"}], "ports": {}}, "it is not said which port answers. Give the service a port"),
    ({"vars": {"a": {"secret": 1}}}, "services.web.vars.a: a secret is given by its name"),
]


@pytest.mark.req("A1")
@pytest.mark.parametrize(("change", "message"), SERVICE_MISTAKES)
def test_mistakes_in_a_service(change: dict[str, Any], message: str) -> None:
    service = {"component": "web", "ports": {"http": 80}, **change}
    assert message in told(tree(services={"web": service}, configurations={"c": {}}))


COMPONENT_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"version": ""}, "components.web.version: 'version' is empty"),
    ({"version": 1.0}, "components.web.version: expected text, got a number. Quote it"),
    ({"archive": {"url": "http://a/x.tgz"}}, "components.web.archive: 'sha256' is missing"),
    ({"archive": {"url": "x.tgz", "sha256": "abc"}}, "'abc' is no SHA-256. Give the 64 digits that sha256sum prints"),
    ({"archive": {"url": "../x.tgz", "sha256": SHA}}, "'../x.tgz' leads out of the project"),
    ({"archive": {"url": "x.tgz", "sha256": SHA, "directory": "opt"}}, "'opt' is no absolute path on the machine"),
    ({"git": {"url": "u", "commit": "main"}}, "components.web.git.commit: 'main' is no full commit"),
    ({"git": {"url": "u", "commit": "abc1234"}}, "'abc1234' is no full commit"),
    ({"folder": {"path": "/etc"}}, "components.web.folder.path: '/etc' is absolute"),
    ({"files": [{"path": "etc/x", "content": ""}]}, "'etc/x' is no absolute path on the machine"),
    ({"files": [{"path": "/etc/../x", "content": ""}]}, "'/etc/../x' leads upwards"),
    ({"files": [{"path": "/x"}]}, "a file has one of content, template, source; this has none"),
    ({"files": [{"path": "/x", "content": "", "source": "y"}]}, "this has content and source"),
    ({"files": [{"path": "/x", "content": "", "mode": "rw"}]}, "'rw' is no octal mode"),
    ({"files": [{"path": "/x", "content": ""}, {"path": "/x", "content": ""}]}, "the file '/x' is given twice"),
    ({"packages": ["nginx=1.2"]}, "'nginx=1.2' is no name of a package"),
    ({"process": {}}, "components.web.process: 'command' is missing"),
    ({"process": {"command": "x", "environment": {"A": 1}}}, "expected text, got a whole number. Quote it"),
    ({"process": {"command": "x", "environment": {"A": {"b": "c"}}}}, "text or {secret: name}"),
]


@pytest.mark.req("A1")
@pytest.mark.parametrize(("change", "message"), COMPONENT_MISTAKES)
def test_mistakes_in_a_component(change: dict[str, Any], message: str) -> None:
    assert message in told(tree(components={"web": {"version": "1", **change}}))


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


@pytest.mark.req("A1")
def test_the_port_of_a_test_is_filled_in() -> None:
    tests = [
        {"http": "/a"},
        {"http": "/b", "port": "admin"},
        {"tcp": 22},
        {"http": "http://x/"},
        {"http": "/c", "port": 81},
    ]
    service = {"component": "web", "ports": {"admin": 81, "http": 80}, "tests": tests}
    read_tests = read(tree(services={"web": service})).services["web"].tests
    assert [test.port for test in read_tests] == ["http", "admin", "", "", "81"]
    assert read_tests[2].tcp == "22"


@pytest.mark.req("A12")
def test_how_long_one_try_of_a_test_may_take() -> None:
    service = {"component": "web", "tests": [{"tcp": 80}, {"command": "x", "timeout": 90}, {"tcp": 80, "timeout": 0.5}]}
    assert [test.timeout for test in read(tree(services={"web": service})).services["web"].tests] == [10, 90, 0.5]


@pytest.mark.req("A1")
def test_everything_of_a_component_is_read() -> None:
    component = {
        "version": "2",
        "packages": ["a", {"name": "b", "version": "1.2"}],
        "archive": {"url": "https://h/x.tgz", "sha256": SHA.upper(), "strip": 1},
        "git": {"url": "https://h/x.git", "commit": "0" * 40},
        "folder": {"path": "web", "directory": "/srv/web"},
        "files": [{"path": "/etc/x", "template": "x.j2", "mode": "640"}],
        "process": {"command": "run", "environment": {"A": "1", "B": {"secret": "key"}}},
    }
    web = read(tree(components={"web": component})).components["web"]
    assert [(package.name, package.version) for package in web.packages] == [("a", ""), ("b", "1.2")]
    assert web.archive == Archive("https://h/x.tgz", SHA, "/opt/web", 1)
    assert web.git == Git("https://h/x.git", "0" * 40, "/opt/web")
    assert web.folder == Folder("web", "/srv/web")
    assert web.files == (File("/etc/x", template="x.j2", mode="0640"),)
    assert web.process == Process("run", environment={"A": "1", "B": {"secret": "key"}})  # type: ignore[dict-item]


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
