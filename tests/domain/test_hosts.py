"""Hosts as Ansible sees them: groups, variables, and members that are shared and not copied."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adslib.domain.definition import (
    Component,
    Configuration,
    Definition,
    File,
    Placement,
    Requirement,
    Role,
)
from adslib.domain.definition import Test as Check
from adslib.domain.desired import Desired
from adslib.domain.environment import Environment
from adslib.domain.errors import Invalid
from adslib.domain.hosts import Host, HostViews, connection_variables
from adslib.domain.lifecycle import EnvironmentState
from adslib.domain.machine import Connection, Machine, Reach
from domain.definitions import OWN_ROLE, definition, machine, node, place, service, unit

LIVE = Environment("shop", EnvironmentState.LIVE, project="/srv/project")


def shop(**changes: Any) -> Definition:
    """Two media servers that know the accounts of their unit, behind a directory."""
    media = service(
        "media",
        "accounts",
        roles=(OWN_ROLE, Role("theirs.tuning", {"peer": "{{ members.accounts[0].address }}"})),
        ports={"http": 8080},
        vars={"me": "{{ self.address }}:{{ self.ports.http }}", "workers": 2},
        tests=(Check(http="/healthz?{{ self.name }}"), Check(tcp="http", timeout=90)),
    )
    media = replace(media, requires=(*media.requires, Requirement(configuration="limits")), **changes)
    return definition(
        media,
        service("accounts", ports={"sql": 5432}),
        service("directory", component="", roles=(Role("theirs.directory"),)),
        nodes=[
            node(
                "pod-1",
                children=[unit("west", Placement("media", 2, vars={"workers": 8}), "accounts")],
                configurations={"limits": {"calls": 9}},
            )
        ],
        places=[place("west")],
        common=["directory"],
        components={"media": Component("media", "2.3.1", files=(File("/etc/media.conf", "x"),), vars={"deep": (1, 2)})},
        configurations={"limits": Configuration("limits", {"calls": 5, "log": "info"}, (File("/etc/limits", "y"),))},
    )


SEATS = {
    "pod-1/west/media-1": "m1",
    "pod-1/west/media-2": "m2",
    "pod-1/west/accounts-1": "m1",
    "west/directory-1": "m3",
}
MACHINES = {
    name: machine(name, location="west", reach=Reach(address=f"10.0.0.{name[1]}")) for name in ("m1", "m2", "m3")
}


def views(wanted: Definition | None = None, seats: dict[str, str] | None = None) -> dict[str, Host]:
    found = HostViews(LIVE, Desired(wanted or shop()), SEATS if seats is None else seats, MACHINES, {}).hosts()
    return {host.name: host for host in found}


def entries(host: Host) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in host.variables["ads_instances"]}


@pytest.mark.req("A16", "A1")
def test_a_host_is_in_a_group_of_everything_it_is_part_of() -> None:
    assert set(views()["m1"].groups) == {
        "ads_machines",
        "ads_environment_shop",
        "ads_gateway_static",
        "ads_state_live",
        "ads_datacenter_west",
        "ads_pod_pod_1",
        "ads_unit_pod_1_west",
        "ads_service_media",
        "ads_service_accounts",
        "ads_component_media_2_3_1",
        "ads_component_accounts_1_0",
    }
    assert not any(group.startswith("ads_component") for group in views()["m3"].groups)


@pytest.mark.req("A16")
def test_hosts_come_by_name_and_only_those_that_somebody_stands_on() -> None:
    assert list(views()) == ["m1", "m2", "m3"]
    assert list(views(seats={"west/directory-1": "m3", "pod-1/west/media-1": "gone"})) == ["m3"]


@pytest.mark.req("A16")
def test_everything_is_plain_json() -> None:
    for host in views().values():
        assert json.loads(json.dumps(host.variables)) == host.variables


@pytest.mark.req("A16", "A6")
def test_an_instance_has_what_its_roles_need() -> None:
    entry = entries(views()["m1"])["pod-1/west/media-1"]
    assert entry["ads_instance"] == {
        "id": "pod-1/west/media-1",
        "name": "media-1",
        "service": "media",
        "index": 1,
        "version": "2.3.1",
        "environment": "shop",
        "machine": "m1",
        "address": "10.0.0.1",
        "ports": {"http": 8080},
        "path": ["pod-1", "west"],
        "place": "west",
        "levels": {"datacenter": "west", "pod": "pod-1", "unit": "pod-1/west"},
        "configurations": {"limits": {"calls": 9, "log": "info"}},
    }
    assert entry["variables"] == {"me": "10.0.0.1:8080", "workers": 8}
    assert [role["vars"] for role in entry["roles"]] == [{}, {"peer": "10.0.0.1"}]
    assert [member["id"] for member in entry["ads_members"]["accounts"]] == ["pod-1/west/accounts-1"]
    assert [file["path"] for file in entry["ads_component"]["files"]] == ["/etc/media.conf", "/etc/limits"]
    assert entry["ads_component"]["vars"] == {"deep": [1, 2]}
    assert [test.get("http") or test.get("tcp") for test in entry["tests"]] == ["/healthz?media-1", "http"]
    assert {test["address"] for test in entry["tests"]} == {"10.0.0.1"}
    assert [test["timeout"] for test in entry["tests"]] == [10, 90]
    assert entry["stage"] == 3, "behind the common layer and the accounts"


@pytest.mark.req("A16")
def test_members_are_shared_and_not_copied() -> None:
    found = views()
    one, two = (entries(found[name])[f"pod-1/west/media-{name[1]}"] for name in ("m1", "m2"))
    assert one["ads_members"]["accounts"] is two["ads_members"]["accounts"]
    assert one["ads_members"]["accounts"][0] is entries(found["m1"])["pod-1/west/accounts-1"]["ads_instance"]
    assert one["ads_configurations"] is two["ads_configurations"]
    assert one["ads_component"] is two["ads_component"]


@pytest.mark.req("A16")
def test_a_member_without_a_machine_is_there_without_an_address() -> None:
    some = {id: name for id, name in SEATS.items() if "accounts" not in id}
    entry = entries(views(seats=some)["m1"])["pod-1/west/media-1"]
    assert [(m["machine"], m["address"]) for m in entry["ads_members"]["accounts"]] == [("", "")]


@pytest.mark.req("A16")
@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"vars": {"a": ["{{ self.nothing }}"]}}, "services.media.vars.a[0]"),
        ({"roles": (Role("r", {"b": "{{ members.media[9] }}"}),)}, "services.media.roles.r.b"),
        ({"tests": (Check(http="{{ lookup('pipe', 'id') }}"),)}, "services.media.tests[0].http"),
    ],
)
def test_an_expression_that_names_nothing_is_told_with_its_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        views(shop(**changes))
    assert refused.value.problems[0].place == place


@pytest.mark.req("A16", "A9")
def test_how_a_machine_is_reached() -> None:
    reach = Reach(Connection.SSH, "10.0.0.7", 2222, "ops", "sudo", "~/.ssh/id", python="/usr/bin/python3.12",
                  vars={"ansible_ssh_common_args": "-J gate"})  # fmt: skip
    found = connection_variables(
        Machine("id-1", "web1", "static", reach=reach, capabilities=frozenset({"systemd", "packages"}))
    )
    assert found["ansible_connection"] == "ssh"
    assert (found["ansible_host"], found["ansible_port"], found["ansible_user"]) == ("10.0.0.7", 2222, "ops")
    assert (found["ansible_become"], found["ansible_become_method"]) == (True, "sudo")
    assert found["ansible_ssh_private_key_file"] == "~/.ssh/id"
    assert found["ansible_python_interpreter"] == found["ads_python"] == "/usr/bin/python3.12"
    assert found["ansible_ssh_common_args"] == "-J gate"
    assert found["ansible_control_path"] == "%(directory)s/id-1"
    assert found["ads_capabilities"] == ["packages", "systemd"]


@pytest.mark.req("A16", "A9")
def test_a_local_machine_has_a_root_and_no_ssh() -> None:
    reach = Reach(Connection.LOCAL, "127.0.1.7", root="/srv/m")
    found = connection_variables(Machine("id-1", "m", "local", reach=reach))
    assert (found["ansible_connection"], found["ads_root"], found["ads_address"]) == ("local", "/srv/m", "127.0.1.7")
    assert not {"ansible_port", "ansible_user", "ansible_become"} & set(found)
    assert None not in found.values()
