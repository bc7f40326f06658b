"""The inventory plugin, by ansible-inventory and ansible-playbook on stores of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adslib.adapters.store import open_store
from adslib.domain.desired import Desired
from adslib.domain.environment import Environment, Origin, Revision, Standing
from adslib.domain.lifecycle import EnvironmentState
from adslib.domain.machine import DEFAULT_SIZES, Connection, Machine, Reach
from adslib.domain.reading import read
from servers import LONGEST

PYTHON = str(Path(__file__).resolve().parents[2] / "python")
AT = datetime(2026, 1, 1, tzinfo=UTC)

Tree = dict[str, Any]
Listed = Callable[..., dict[str, Any]]


def definition(name: str = "telephony", version: str = "2.3.1") -> Tree:
    return {
        "environment": name,
        "components": {"media": {"version": version, "process": {"command": "/opt/media"}}},
        "configurations": {"limits": {"settings": {"calls": 500}}},
        "services": {
            "accounts": {"roles": ["accounts"], "ports": {"http": 8081}},
            "media": {
                "component": "media",
                "requires": ["accounts", {"configuration": "limits"}],
                "vars": {"first": "{{ members.accounts[0].address }}"},
            },
        },
        "datacenters": {"us-west": {}, "us-east": {}},
        "pods": {
            "pod-1": {
                "units": {
                    "us-west": {"services": ["accounts", {"service": "media", "instances": 2}]},
                    "us-east": {"services": ["accounts", "media"]},
                }
            }
        },
    }


def machine(number: int, **more: Any) -> Machine:
    """A machine of the pool; everything about it follows from its number."""
    described: dict[str, Any] = {
        "id": f"m{number:025}",
        "name": f"node-{number}",
        "gateway": "static",
        "ref": f"ref-{number}",
        "kind": "vm",
        "size": DEFAULT_SIZES[number % 3],
        "os": "debian-12",
        "location": "us-west",
        "reach": Reach(address=f"10.0.0.{number}", user="ops", become="sudo"),
        "labels": {"rack": f"r{number % 2}"},
    }
    return Machine(**{**described, **more})


def deploy(url: str, tree: Tree, first: int = 1, state: EnvironmentState = EnvironmentState.LIVE, **more: Any) -> None:
    """Write an environment as it stands after a deployment, each instance on a machine of its own."""
    wanted = Desired(read(tree))
    name = tree["environment"]
    instances = list(enumerate(wanted.topology.instances, first))
    with open_store(url) as store, store.transaction() as tx:
        tx.environments.add(Environment(name, state, deployed=1, created=AT))
        tx.revisions.add(Revision(name, 1, tree, tree, {}, Origin(), AT, "test"))
        tx.machines.add_many(machine(n, **{"location": i.scope.location, "holder": name, **more}) for n, i in instances)
        tx.standings.put_many(
            Standing(name, i.id, i.service, f"m{n:025}", wanted.version(i.service), "digest") for n, i in instances
        )


def source(folder: Path, url: str = "", name: str = "ads.yml", **options: Any) -> Path:
    """Write an inventory file."""
    path = folder / name
    path.write_text(json.dumps({"plugin": "ads.deploy.ads", **({"database": url} if url else {}), **options}))
    return path


def run(program: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs with the library of this tree."""
    return subprocess.run(
        [str(Path(sys.executable).with_name(program)), *words],
        env={**os.environ, "PYTHONPATH": PYTHON, **environ},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


def plain(value: Any) -> Any:
    """What ansible-inventory prints, without the marks of strings that are no templates."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"] if set(value) == {"__ansible_unsafe"} else {k: plain(v) for k, v in value.items()}
        )
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def listed() -> Listed:
    """List an inventory: what ansible-inventory says, its hosts under `hosts` and groups under `groups`."""

    def listing(path: Path, *words: str, **environ: str) -> dict[str, Any]:
        done = run(
            "ansible-inventory",
            "-i",
            str(path),
            "--list",
            *words,
            ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1",
            **environ,
        )
        assert done.returncode == 0, done.stderr
        said = plain(json.loads(done.stdout))
        hosts = said.pop("_meta")["hostvars"]
        return {"hosts": hosts, "groups": {name: set(group.get("hosts", ())) for name, group in said.items()}}

    return listing


def refused(path: Path, **environ: str) -> str:
    """What is said about an inventory that cannot be read."""
    done = run("ansible-inventory", "-i", str(path), "--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1", **environ)
    assert done.returncode != 0, done.stdout
    # Ansible breaks warnings into lines as wide as the terminal.
    return " ".join(done.stderr.split())


@pytest.mark.req("A16")
@pytest.mark.req("A10")
def test_hosts_are_grouped_by_all_that_ads_knows(store_url: str, tmp_path: Path, listed: Listed) -> None:
    deploy(store_url, definition())
    groups = listed(source(tmp_path, store_url))["groups"]
    every = {f"node-{n}" for n in range(1, 6)}
    west, east = {"node-1", "node-2", "node-3"}, {"node-4", "node-5"}
    assert {name: hosts for name, hosts in groups.items() if name.startswith("ads_")} == {
        "ads_machines": every,
        "ads_environment_telephony": every,
        "ads_gateway_static": every,
        "ads_state_live": every,
        "ads_datacenter_us_west": west,
        "ads_datacenter_us_east": east,
        "ads_pod_pod_1": every,
        "ads_unit_pod_1_us_west": west,
        "ads_unit_pod_1_us_east": east,
        "ads_service_accounts": {"node-1", "node-4"},
        "ads_service_media": {"node-2", "node-3", "node-5"},
        "ads_component_media_2_3_1": {"node-2", "node-3", "node-5"},
    }


@pytest.mark.req("A16")
def test_hosts_carry_what_roles_need(store_url: str, tmp_path: Path, listed: Listed) -> None:
    deploy(store_url, definition())
    variables = listed(source(tmp_path, store_url))["hosts"]["node-2"]
    [entry] = variables["ads_instances"]
    assert (variables["ansible_host"], variables["ansible_user"], variables["ansible_become"]) == (
        "10.0.0.2",
        "ops",
        True,
    )
    assert (variables["ads_machine_state"], variables["ads_labels"]) == ("running", {"rack": "r0"})
    assert entry["ads_instance"]["id"] == "pod-1/us-west/media-1"
    assert entry["ads_configurations"] == {"limits": {"calls": 500}}
    assert [member["address"] for member in entry["ads_members"]["accounts"]] == ["10.0.0.1"]
    assert entry["variables"] == {"first": "10.0.0.1"}
    assert entry["ads_component"]["process"]["command"] == "/opt/media"


@pytest.mark.req("A10")
def test_environments_states_and_filters_choose(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    deploy(sqlite_url, definition("shop"), first=11, state=EnvironmentState.STOPPED)
    chosen: list[tuple[Mapping[str, Any], set[str]]] = [
        ({}, {f"node-{n}" for n in (*range(1, 6), *range(11, 16))}),
        ({"environments": ["shop"]}, {f"node-{n}" for n in range(11, 16)}),
        ({"environments": ["s*"], "filters": {"service": "accounts"}}, {"node-11", "node-14"}),
        ({"environments": ["none-*"]}, set()),
        ({"states": ["live"], "filters": {"location": "us-e*"}}, {"node-4", "node-5"}),
        ({"filters": {"name": ["node-1", "node-12"], "size": "medium"}}, {"node-1"}),
    ]
    for options, hosts in chosen:
        assert set(listed(source(tmp_path, sqlite_url, **options))["hosts"]) == hosts, options


@pytest.mark.req("A10")
def test_free_machines_come_when_asked_for(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    with open_store(sqlite_url) as store, store.transaction() as tx:
        tx.machines.add_many([machine(30), machine(31, tenant="another")])
    assert "node-30" not in listed(source(tmp_path, sqlite_url))["hosts"]
    found = listed(source(tmp_path, sqlite_url, include_free=True))
    assert found["groups"]["ads_free"] == {"node-30"}
    assert found["hosts"]["node-30"]["ads_instances"] == []
    assert "node-31" not in found["hosts"]


@pytest.mark.req("A7")
def test_what_stands_is_shown_as_it_was_deployed(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    newer = definition(version="3.0.0")
    with open_store(sqlite_url) as store, store.transaction() as tx:
        tx.revisions.add(Revision("telephony", 2, newer, newer, {}, Origin(), AT, "test"))
        tx.environments.update(replace(tx.environments.get("telephony"), revision=2))
    assert "ads_component_media_2_3_1" in listed(source(tmp_path, sqlite_url))["groups"]
    with open_store(sqlite_url) as store, store.transaction() as tx:
        tx.environments.update(replace(tx.environments.get("telephony"), state=EnvironmentState.INCOMPLETE))
    assert "ads_component_media_3_0_0" in listed(source(tmp_path, sqlite_url))["groups"]


@pytest.mark.req("A7")
def test_an_instance_that_the_new_definition_dropped_still_stands(
    tmp_path: Path, sqlite_url: str, listed: Listed
) -> None:
    deploy(sqlite_url, definition())
    newer = definition()
    newer["pods"]["pod-1"]["units"]["us-west"]["services"] = ["accounts", "media"]
    with open_store(sqlite_url) as store, store.transaction() as tx:
        tx.revisions.add(Revision("telephony", 2, newer, newer, {}, Origin(), AT, "test"))
        found = tx.environments.get("telephony")
        tx.environments.update(replace(found, revision=2, state=EnvironmentState.UPDATING))
    assert "node-3" in listed(source(tmp_path, sqlite_url))["groups"]["ads_service_media"]


@pytest.mark.req("A16")
def test_the_users_own_groups_and_variables(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    path = source(
        tmp_path,
        sqlite_url,
        keyed_groups=[
            {"key": "ads_labels.rack", "prefix": "rack", "parent_group": "racks"},
            {"key": "ads_labels.owner", "prefix": "owner"},
        ],
        groups={"west": "ads_location == 'us-west'"},
        compose={"where": "ads_location", "bastion": "'bastion.' ~ ads_location"},
    )
    found = listed(path)
    assert found["groups"]["rack_r0"] == {"node-2", "node-4"}
    assert found["groups"]["west"] == {"node-1", "node-2", "node-3"}
    assert "racks" in found["groups"]
    assert not [name for name in found["groups"] if name.startswith("owner")]
    assert (found["hosts"]["node-1"]["where"], found["hosts"]["node-4"]["bastion"]) == ("us-west", "bastion.us-east")
    strict = refused(source(tmp_path, sqlite_url, strict=True, keyed_groups=[{"key": "ads_labels.owner"}]))
    assert "Could not generate group for host node-1 from ads_labels.owner entry" in strict


@pytest.mark.req("A16")
def test_strings_of_the_store_never_run(tmp_path: Path, sqlite_url: str) -> None:
    touched = tmp_path / "touched"
    hostile = f"{{{{ lookup('ansible.builtin.pipe', 'touch {touched}') }}}}"
    block = f"{{% if lookup('ansible.builtin.pipe', 'touch {touched}') %}}x{{% endif %}}"
    tree = definition()
    tree["configurations"]["limits"]["settings"] = {"calls": hostile, hostile: [block]}
    tree["services"]["media"]["vars"] = {"word": block}
    tree["components"]["media"]["files"] = [{"path": "/etc/media", "content": hostile}]
    reach = Reach(Connection.LOCAL, hostile, python=sys.executable, vars={"ansible_ssh_common_args": block})
    deploy(sqlite_url, tree, reach=reach, labels={"rack": hostile, "other": block}, os=hostile, location=block)
    options = {
        "keyed_groups": [{"key": "ads_labels.rack", "prefix": "rack"}, {"key": "ads_labels.other | upper"}],
        "compose": {"copied": "ads_labels.other", "joined": "'x' ~ ads_os", "whole": "ads_instances"},
        "groups": {"odd": "ads_os == 'x'"},
    }
    path = source(tmp_path, sqlite_url, **options)
    play = tmp_path / "play.yml"
    play.write_text(
        json.dumps(
            [
                {
                    "hosts": "all",
                    "gather_facts": False,
                    "tasks": [
                        {"debug": {"msg": "{{ ads_labels }} {{ ads_instances }} {{ hostvars }}"}},
                        {"debug": {"msg": "{{ copied }} {{ joined }} {{ whole }} {{ ansible_host }} {{ ads_os }}"}},
                        {"debug": {"var": "ads_instances[0].ads_component"}, "when": "ads_labels.rack != 'x'"},
                        {"debug": {"msg": "{{ item }}"}, "loop": "{{ ads_labels.values() | list }}"},
                        {"command": {"cmd": "true"}, "changed_when": False, "vars": {"again": "{{ ads_os }}"}},
                    ],
                }
            ]
        )
    )
    done = run("ansible-playbook", "-i", str(path), str(play))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lookup('ansible.builtin.pipe'" in done.stdout
    assert not touched.exists()
    # The same string does run where it is the user's own.
    play.write_text(json.dumps([{"hosts": "node-1", "gather_facts": False, "tasks": [{"debug": {"msg": hostile}}]}]))
    assert run("ansible-playbook", "-i", str(path), str(play)).returncode == 0
    assert touched.exists()


@pytest.mark.req("A10")
def test_the_cache_is_kept_by_source_and_filters(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    east = {"filters": {"location": "us-east"}}
    first = listed(source(tmp_path, sqlite_url, **options))
    assert len(listed(source(tmp_path, sqlite_url, **options, **east))["hosts"]) == 2
    with open_store(sqlite_url) as store, store.transaction() as tx:
        tx.machines.update(replace(tx.machines.get("node-1"), labels={"rack": "moved"}))
    assert listed(source(tmp_path, sqlite_url, **options)) == first
    play = tmp_path / "play.yml"
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False}]))
    path = source(tmp_path, sqlite_url, **options)
    assert run("ansible-playbook", "-i", str(path), "--flush-cache", "--list-hosts", str(play)).returncode == 0
    assert listed(path)["hosts"]["node-1"]["ads_labels"] == {"rack": "moved"}


@pytest.mark.req("A16")
def test_mistakes_are_told_in_words(tmp_path: Path, sqlite_url: str) -> None:
    deploy(sqlite_url, definition())
    assert "there is no environment 'telefony'. List them with" in refused(
        source(tmp_path, sqlite_url, environments=["telefony"])
    )
    assert "machines have no 'colour' to choose by. Use name, gateway" in refused(
        source(tmp_path, sqlite_url, filters={"colour": "red"})
    )
    assert "mysql" in refused(source(tmp_path, "mysql://db/ads"))
    states = refused(source(tmp_path, sqlite_url, states=["alive"]))
    assert all(str(state) in states for state in EnvironmentState)
    assert "unknown 'environment'; known are" in refused(source(tmp_path, sqlite_url, environment=["telephony"]))


@pytest.mark.req("A16")
def test_only_files_with_our_name_are_ours(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    for name in ("ads.yaml", "prod.ads.yml"):
        assert listed(source(tmp_path, sqlite_url, name))["hosts"]
    assert "roads.yml" in refused(source(tmp_path, sqlite_url, "roads.yml"))


@pytest.mark.req("A16")
def test_the_database_comes_from_the_environment(tmp_path: Path, sqlite_url: str, listed: Listed) -> None:
    deploy(sqlite_url, definition())
    assert len(listed(source(tmp_path), ADS_DATABASE_URL=sqlite_url)["hosts"]) == 5


@pytest.mark.req("A16")
@pytest.mark.parametrize(
    ("library", "message"),
    [
        ("raise ImportError('hidden')", "Failed to import the required Python library (adslib)"),
        ("__version__ = '9.9.0'", "needs adslib 0.1, found 9.9.0: install both in the same version"),
    ],
)
def test_a_library_that_is_absent_or_does_not_fit_is_named(tmp_path: Path, library: str, message: str) -> None:
    package = tmp_path / "fake" / "adslib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(library)
    assert message in refused(source(tmp_path, "sqlite:////nowhere/ads.db"), PYTHONPATH=str(package.parent))


@pytest.mark.req("A16")
def test_no_connection_is_open_after_parsing(store_url: str, tmp_path: Path) -> None:
    deploy(store_url, definition())
    script = f"""
import os
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([])
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
before = set(os.listdir("/proc/self/fd"))
assert len(InventoryManager(loader=DataLoader(), sources=[{str(source(tmp_path, store_url))!r}]).hosts) == 5
opened = [os.readlink(f"/proc/self/fd/{{fd}}") for fd in set(os.listdir("/proc/self/fd")) - before
          if os.path.exists(f"/proc/self/fd/{{fd}}") or os.path.islink(f"/proc/self/fd/{{fd}}")]
print([path for path in opened if "socket" in path or "store.db" in path])
"""
    done = run("python", "-c", script)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite store, where the database makes no difference."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'store.db')}"
