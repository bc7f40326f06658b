"""Machines: added, changed, imported, listed, counted and run; held ones stay; host keys are pinned."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adslib.adapters import documents
from adslib.adapters.host_keys import KnownHosts, fingerprint
from adslib.domain.actor import Permission
from adslib.domain.errors import AdsError, Conflict, Failed, Forbidden, Invalid, NotFound, Unsupported
from adslib.domain.hosts import connection_variables
from adslib.domain.job import JobKind
from adslib.domain.lifecycle import MachineState
from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec

KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(36)).decode()
OTHER_KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(35) + b"x").decode()
WEB1 = MachineSpec("web1", address="10.0.0.5", size="small", os="debian-12", location="us-west")


def names(ads: Ads, **filters: Any) -> list[str]:
    return [str(row["name"]) for row in ads.machines.list(**filters)]


@pytest.fixture(autouse=True)
def own_known_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own known_hosts, empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    path = tmp_path / ".ssh" / "known_hosts"
    path.touch()
    return path


# ── adding ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A9", "A10")
def test_add_tells_ansible_how_to_reach_it(ads: Ads, home: Path) -> None:
    outcome = ads.machines.add(
        MachineSpec("web1", "10.0.0.5", "small", "debian-12", "us-west", user="deploy", port=2222, become="sudo"),
        host_key=KEY,
    )
    assert (outcome.changed, outcome.before, outcome.after["holder"]) == (True, {}, "")
    assert fingerprint(KEY) in outcome.message
    with ads.app.store.reading() as tx:
        machine = tx.machines.get("web1")
    variables = connection_variables(machine)
    assert variables["ansible_host"] == "10.0.0.5"
    assert variables["ansible_port"] == 2222
    assert variables["ansible_user"] == "deploy"
    assert variables["ansible_become"] is True
    assert variables["ads_capabilities"] == ["packages", "systemd"]
    arguments = variables["ansible_ssh_common_args"]
    assert f"HostKeyAlias={machine.id}" in arguments
    assert "StrictHostKeyChecking=yes" in arguments
    assert variables["ansible_host_key_checking"] is True
    assert (home / "known_hosts").read_text() == f"{machine.id} {KEY}\n"
    assert ads.machines.show("web1")["host_keys"] == [fingerprint(KEY)]


@pytest.mark.req("A10")
def test_the_same_again_changes_nothing_and_what_is_not_said_stays(ads: Ads) -> None:
    ads.machines.add(WEB1, host_key=KEY)
    before = ads.machines.show("web1")
    assert ads.machines.add(WEB1, host_key=KEY).changed is False
    assert ads.machines.add(MachineSpec("web1")).changed is False
    assert ads.machines.show("web1") == before
    outcome = ads.machines.add(MachineSpec("web1", size="large", labels={"rack": "7"}))
    assert (outcome.changed, outcome.before["size"], outcome.after["size"]) == (True, "small", "large")
    after = ads.machines.show("web1")
    assert (after["address"], after["os"], after["labels"]) == ("10.0.0.5", "debian-12", {"rack": "7"})
    assert after["host_keys"] == [fingerprint(KEY)]
    assert [event["text"] for event in ads.events.list()] == ["machine 'web1' changed", "machine 'web1' added"]


def test_a_dry_run_adds_nothing(ads: Ads, home: Path) -> None:
    assert ads.machines.add(WEB1, host_key=KEY, dry_run=True).changed is True
    assert names(ads) == []
    assert not (home / "known_hosts").exists()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (MachineSpec("Web 1", "10.0.0.5"), "no name for a machine"),
        (MachineSpec("web1"), "it has no address"),
        (MachineSpec("web1", "-oProxyCommand=x"), "is no address"),
        (MachineSpec("web1", "10.0.0.5 10.0.0.6"), "is no address"),
        (MachineSpec("web1", "10.0.0.5", size="huge"), "no size is called 'huge'. Known sizes: small"),
        (MachineSpec("web1", "10.0.0.5", port=70000), "70000 is no port"),
        (MachineSpec("web1", "10.0.0.5", kind="toaster"), "'toaster' is no kind of machine"),
        (MachineSpec("web1", "10.0.0.5", connection="winrm"), "does not connect by 'winrm'"),
        (MachineSpec("web1", "10.0.0.5", user="a b"), "user 'a b' will not do"),
        (MachineSpec("web1", "10.0.0.5", os="debian 12"), "os 'debian 12' will not do"),
        (MachineSpec("web1", "10.0.0.5", key="/no/such/key"), "there is no key file '/no/such/key'"),
        (MachineSpec("web1", "10.0.0.5", key="-----BEGIN PRIVATE KEY-----"), "contents of a private key"),
        (MachineSpec("web1", "10.0.0.5", root="relative"), "root 'relative' is no absolute path"),
        (MachineSpec("web1", "10.0.0.5", gateway="nowhere"), "there is no gateway 'nowhere'"),
        (MachineSpec("web1", "10.0.0.5", capabilities=frozenset({"flight"})), "'flight' is no capability"),
        (MachineSpec("web1", "10.0.0.5", variables={"http_port": 80}), "'http_port' is no connection variable"),
        (MachineSpec("web1", "10.0.0.5", variables={"ansible_become_pass": "x"}), "is a secret"),
        (MachineSpec("web1", "10.0.0.5", variables={"ansible_shell_type": "{{ x }}"}), "is an expression"),
        (
            MachineSpec("web1", "10.0.0.5", variables={"ansible_ssh_args": "-o StrictHostKeyChecking=no"}),
            "host keys are checked, which is never off",
        ),
    ],
)
def test_wrong_descriptions_are_refused_and_nothing_is_added(refusing: Ads, spec: MachineSpec, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        refusing.machines.add(spec)
    assert names(refusing) == []


def test_all_that_is_wrong_is_said_at_once(refusing: Ads) -> None:
    with pytest.raises(Invalid) as caught:
        refusing.machines.add(MachineSpec("web1", size="huge", port=0, kind="toaster"))
    assert len(caught.value.problems) == 4


def test_gateways_that_make_machines_take_none_by_hand(ads: Ads) -> None:
    ads.gateways.add("cloud", "sim")
    with pytest.raises(Invalid, match=r"gateway 'cloud' .sim. makes its machines itself"):
        ads.machines.add(MachineSpec("web1", "10.0.0.5", gateway="cloud"))
    ads.gateways.add("rack", "static")
    assert ads.machines.add(MachineSpec("web1", "10.0.0.5", gateway="rack")).after["gateway"] == "rack"


def test_ssh_options_of_the_user_stand_behind_ours(refusing: Ads) -> None:
    given = "-o ProxyJump=bastion -o StrictHostKeyChecking=no"
    shown = refusing.machines.add(MachineSpec("web1", "10.0.0.5", variables={"ansible_ssh_common_args": given})).after
    arguments = shown["variables"]["ansible_ssh_common_args"]
    assert arguments.endswith(given)
    assert arguments.index("StrictHostKeyChecking=yes") < arguments.index("StrictHostKeyChecking=no")


def test_local_machines_have_no_ssh(ads: Ads) -> None:
    shown = ads.machines.add(MachineSpec("here", connection="local", root="/srv/here")).after
    assert (shown["address"], shown["variables"], shown["capabilities"]) == ("127.0.0.1", {}, [])


# ── host keys ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A9")
def test_without_a_key_it_is_added_and_said(ads: Ads) -> None:
    outcome = ads.machines.add(WEB1)
    assert "its host key is not known" in outcome.message
    assert ads.machines.show("web1")["host_keys"] == []
    outcome = ads.machines.add(MachineSpec("web1"), host_key=KEY)
    assert outcome.changed is True
    assert ads.machines.show("web1")["host_keys"] == [fingerprint(KEY)]


def test_keys_that_the_user_knows_are_taken_over(refusing: Ads, own_known_hosts: Path) -> None:
    own_known_hosts.write_text(f"10.0.0.5 {KEY}\n[10.0.0.6]:2222 {OTHER_KEY}\n@revoked 10.0.0.5 {OTHER_KEY}\n")
    refusing.machines.add(WEB1)
    refusing.machines.add(MachineSpec("web2", "10.0.0.6", port=2222))
    assert refusing.machines.show("web1")["host_keys"] == [fingerprint(KEY)]
    assert refusing.machines.show("web2")["host_keys"] == [fingerprint(OTHER_KEY)]


def test_a_key_file_or_wrong_words(refusing: Ads, tmp_path: Path) -> None:
    path = tmp_path / "host.pub"
    path.write_text(f"# of web1\n{KEY} root@web1\n")
    refusing.machines.add(WEB1, host_key=str(path))
    assert refusing.machines.show("web1")["host_keys"] == [fingerprint(KEY)]
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    for given, said in ((str(path), "this is a private key"), ("nonsense", "neither a public host key")):
        with pytest.raises(Invalid, match=said):
            refusing.machines.add(MachineSpec("web2", "10.0.0.6"), host_key=given)
    assert names(refusing) == ["web1"]


def test_a_new_address_needs_a_new_key_and_removal_forgets_it(ads: Ads, home: Path) -> None:
    ads.machines.add(WEB1, host_key=KEY)
    ads.machines.add(MachineSpec("web2", "10.0.0.6"), host_key=OTHER_KEY)
    assert "not known" in ads.machines.add(MachineSpec("web1", "10.0.0.9")).message
    assert ads.machines.show("web1")["host_keys"] == []
    assert ads.machines.show("web2")["host_keys"] == [fingerprint(OTHER_KEY)]
    ads.machines.remove("web2")
    assert (home / "known_hosts").read_text() == ""


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def test_trust_needs_an_answer(refusing: Ads, silent_port: int) -> None:
    with pytest.raises(Failed, match="no host key is shown within"):
        refusing.machines.add(MachineSpec("web1", "127.0.0.1", port=silent_port), trust_first_contact=True)
    assert names(refusing) == []


KEYSCAN = """#!/bin/sh
# What OpenSSH's ssh-keyscan prints for two machines: comments on standard error, then one line a key.
while [ "$1" ] && [ "$1" != -p ]; do shift; done
while read -r host; do
    echo "# $host:$2 SSH-2.0-OpenSSH_9.2p1" >&2
    [ "$2" = 22 ] && echo "$host KEY" || echo "[$host]:$2 KEY"
done
"""


def test_trust_pins_what_each_machine_shows(refusing: Ads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No SSH server runs here, so a script stands in for OpenSSH's program and prints as it does."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh-keyscan").write_text(KEYSCAN.replace("KEY", KEY))
    (programs / "ssh-keyscan").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert refusing.machines.add(WEB1, trust_first_contact=True, dry_run=True).changed is True
    outcome = refusing.machines.add(WEB1, trust_first_contact=True)
    assert fingerprint(KEY) in outcome.message
    refusing.machines.add(MachineSpec("web2", "10.0.0.6", port=2222), trust_first_contact=True)
    assert refusing.machines.show("web2")["host_keys"] == [fingerprint(KEY)]
    # Once pinned, nobody is asked again.
    (programs / "ssh-keyscan").write_text("#!/bin/sh\nexit 1\n")
    assert refusing.machines.add(WEB1, trust_first_contact=True).changed is False


def test_known_hosts_of_two_at_once_loses_nothing(tmp_path: Path) -> None:
    known = KnownHosts(tmp_path)
    threads = [threading.Thread(target=known.pin, args=({f"m{n}": [KEY]},)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((tmp_path / "known_hosts").read_text().splitlines()) == 20


# ── removing ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A10")
def test_remove(ads: Ads) -> None:
    ads.machines.add(WEB1)
    assert ads.machines.remove("web1", dry_run=True).changed is True
    assert names(ads) == ["web1"]
    assert ads.machines.remove("web1").before["address"] == "10.0.0.5"
    assert ads.machines.remove("web1").changed is False
    with pytest.raises(NotFound, match="there is no machine 'web1'"):
        ads.machines.show("web1")


@pytest.mark.req("A10")
def test_a_held_machine_stays_and_it_is_said_who_holds_it(ads: Ads, deployed: Callable[..., None]) -> None:
    ads.machines.add(WEB1)
    deployed()
    for dry_run in (True, False):
        with pytest.raises(Conflict, match="machine 'web1' is held by environment 'shop'"):
            ads.machines.remove("web1", dry_run=dry_run)
    assert names(ads, holder="shop") == ["web1"]


@pytest.mark.req("A13")
def test_a_machine_that_ads_made_is_deleted_at_its_gateway(ads: Ads, deployed: Callable[..., None]) -> None:
    ads.gateways.add("cloud", "sim")
    deployed()
    with ads.app.store.transaction() as tx:
        settings = tx.gateways.list()
        made = tx.machines.list(holder="shop")
        tx.standings.remove_many("shop", [s.instance for s in tx.standings.of("shop")])
        tx.machines.release([machine.id for machine in made], "shop")
    gateway = ads.app.gateways.open("cloud", settings)
    assert len(gateway.machines()) == 1
    with pytest.raises(Invalid, match="gateway 'cloud' made it"):
        ads.machines.add(MachineSpec(made[0].name, size="large"))
    assert ads.machines.add(MachineSpec(made[0].name, labels={"a": "b"})).after["labels"] == {"a": "b"}
    assert ads.machines.remove(made[0].name).changed is True
    assert gateway.machines() == ()
    assert names(ads) == []


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pool(ads: Ads) -> Ads:
    """Five machines."""
    for spec in (
        MachineSpec("a1", "10.0.0.1", "small", "debian-12", "west", labels={"rack": "R7"}),
        MachineSpec("a2", "10.0.0.2", "small", "debian-12", "west"),
        MachineSpec("b1", "10.0.0.3", "large", "debian-13", "east"),
        MachineSpec("b2", "10.0.0.4", "large", "rocky-9", "east"),
        MachineSpec("c1", "10.0.1.5"),
    ):
        ads.machines.add(spec)
    return ads


@pytest.mark.req("A10")
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["a1", "a2", "b1", "b2", "c1"]),
        ({"location": "west"}, ["a1", "a2"]),
        ({"os": "debian-12"}, ["a1", "a2"]),
        ({"os": "debian"}, ["a1", "a2", "b1"]),
        ({"size": "large"}, ["b1", "b2"]),
        ({"size": "large", "os": "rocky"}, ["b2"]),
        ({"gateway": "static"}, ["a1", "a2", "b1", "b2", "c1"]),
        ({"gateway": "cloud"}, []),
        ({"state": "running"}, ["a1", "a2", "b1", "b2", "c1"]),
        ({"state": "failed"}, []),
        ({"free": True}, ["a1", "a2", "b1", "b2", "c1"]),
        ({"free": False}, []),
        ({"availability": "available"}, ["a1", "a2", "b1", "b2", "c1"]),
        ({"text": "r7"}, ["a1"]),
        ({"text": "10.0.1."}, ["c1"]),
        ({"text": "A2"}, ["a2"]),
    ],
)
def test_filters(pool: Ads, filters: dict[str, Any], found: list[str]) -> None:
    assert names(pool, **filters) == found


@pytest.mark.parametrize("filters", [{"state": "asleep"}, {"availability": "maybe"}])
def test_wrong_filters(refusing: Ads, filters: dict[str, str]) -> None:
    with pytest.raises(Invalid, match=r"of a machine\. Use "):
        refusing.machines.list(**filters)  # type: ignore[arg-type]


@pytest.mark.req("A10")
def test_availability_and_summary(pool: Ads, deployed: Callable[..., None]) -> None:
    assert pool.machines.summary()["availability"]["available"] == 5
    # web takes a quarter of a small machine's one core, and shares it.
    deployed()
    with pool.app.store.transaction() as tx:
        broken = tx.machines.get("c1")
        tx.machines.update(replace(broken, state=MachineState.FAILED, reason="disk"))
    numbers = pool.machines.summary()
    assert numbers["machines"] == 5
    assert numbers["availability"] == {"available": 3, "partly available": 1, "unavailable": 1, "deployed": 0}
    assert {"size": "small", "location": "west", "machines": 2, "free": 1, "held": 1} in numbers["sizes"]
    assert {"size": "large", "location": "east", "machines": 2, "free": 2, "held": 0} in numbers["sizes"]
    assert {"os": "debian-12", "machines": 2, "free": 1, "held": 1} in numbers["systems"]
    assert numbers["gateways"] == [{"gateway": "static", "machines": 5, "free": 3, "held": 1}]
    held = pool.machines.list(holder="shop")[0]
    assert held["availability"] == "partly available"
    assert pool.machines.show(held["name"])["instances"] == [{"instance": "web-1", "service": "web", "version": "1.0"}]


def test_an_exclusive_instance_takes_its_whole_machine(pool: Ads, deployed: Callable[..., None]) -> None:
    deployed()
    tree = pool.environments.document("shop").tree
    alone = {**tree, "services": {"web": {**tree["services"]["web"], "machine": {"size": "small"}}}}
    pool.environments.define(documents.restored(alone, {}))
    with pool.app.store.transaction() as tx:
        tx.environments.update(replace(tx.environments.get("shop"), deployed=2))
    assert pool.machines.list(holder="shop")[0]["availability"] == "deployed"


# ── running ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def running(ads: Ads, deployed: Callable[..., None]) -> str:
    """The name of a machine that a cloud made and an environment holds."""
    ads.gateways.add("cloud", "sim")
    deployed()
    return names(ads, holder="shop")[0]


@pytest.mark.req("A8", "A18")
def test_stop_start_reboot(ads: Ads, running: str) -> None:
    assert ads.machines.stop(running, dry_run=True).changed is True
    assert ads.machines.show(running)["state"] == "running"
    stopped = ads.machines.stop(running)
    assert (stopped.changed, stopped.before["state"], stopped.after["state"]) == (True, "running", "stopped")
    assert ads.machines.stop(running).changed is False
    assert ads.machines.start(running).after["state"] == "running"
    assert ads.machines.start(running, dry_run=True).changed is False
    assert ads.machines.reboot(running).after["state"] == "running"
    lines = [event["text"] for event in ads.events.list() if event["machine"] == running]
    assert lines[:3] == [f"machine '{running}' {what}" for what in ("rebooted", "started", "stopped")]


@pytest.mark.req("A8")
def test_snapshots(ads: Ads, running: str) -> None:
    assert ads.machines.snapshots(running) == []
    assert ads.machines.create_snapshot(running, "before", dry_run=True).changed is True
    assert ads.machines.snapshots(running) == []
    ads.machines.create_snapshot(running, "before")
    assert [taken["name"] for taken in ads.machines.snapshots(running)] == ["before"]
    assert ads.machines.restore_snapshot(running, "before").after["state"] == "running"
    assert ads.machines.delete_snapshot(running, "before").changed is True
    assert ads.machines.delete_snapshot(running, "before").changed is False
    with pytest.raises(NotFound):
        ads.machines.restore_snapshot(running, "before")
    with pytest.raises(Invalid, match="no name for a snapshot"):
        ads.machines.create_snapshot(running, "../evil")


@pytest.mark.req("A8")
@pytest.mark.parametrize("what", ["start", "stop", "reboot", "snapshots"])
def test_what_a_gateway_does_not_offer_is_refused_first(refusing: Ads, what: str) -> None:
    refusing.machines.add(WEB1)
    with pytest.raises(Unsupported, match=r"gateway 'static' .static. of machine 'web1' does not offer"):
        getattr(refusing.machines, what)("web1")
    assert refusing.machines.show("web1")["generation"] == 0


def test_a_job_at_work_is_not_disturbed(ads: Ads, running: str) -> None:
    ads.jobs.reserve("shop", JobKind.STOP)
    with pytest.raises(Conflict, match="is at work"):
        ads.machines.stop(running)
    assert ads.machines.snapshots(running) == []


# ── importing ────────────────────────────────────────────────────────────────────────────────────────

INVENTORY = """
all:
  vars: {ansible_user: deploy, ansible_become: true, http_port: 80}
  hosts:
    lonely: {ansible_connection: local}
  children:
    west:
      vars: {site: us-west, platform: debian-12}
      hosts:
        web1: {ansible_host: 10.0.0.5, ansible_port: 2222, flavour: large}
        web2.example.com: {ansible_ssh_common_args: -o ProxyJump=bastion}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "hosts.yml"
    path.parent.mkdir()
    path.write_text(INVENTORY)
    return path


@pytest.mark.req("A10")
def test_import(ads: Ads, inventory: Path) -> None:
    wanted: dict[str, str] = {"location_var": "site", "location": "home", "os_var": "platform", "os": "debian-12"}
    sizes = {"size_var": "flavour", "size": "small"}
    outcome = ads.machines.import_inventory(str(inventory), **wanted, **sizes)
    assert outcome.message.startswith("3 machines added, 0 changed, 0 unchanged")
    assert outcome.after["without_host_key"] == ["web1", "web2.example.com"]
    web1 = ads.machines.show("web1")
    told = {key: web1[key] for key in ("address", "port", "user", "become", "size", "os", "location", "labels")}
    assert told == {
        "address": "10.0.0.5",
        "port": 2222,
        "user": "deploy",
        "become": "sudo",
        "size": "large",
        "os": "debian-12",
        "location": "us-west",
        "labels": {"groups": "west"},
    }
    web2 = ads.machines.show("web2.example.com")
    assert (web2["address"], web2["size"]) == ("web2.example.com", "small")
    assert web2["variables"]["ansible_ssh_common_args"].endswith("-o ProxyJump=bastion")
    assert "http_port" not in web2["variables"]
    assert ads.machines.show("lonely")["connection"] == "local"
    again = ads.machines.import_inventory(str(inventory), **wanted, **sizes)
    assert (again.changed, again.message[:39]) == (False, "0 machines added, 0 changed, 3 unchange")


def test_an_import_may_be_tried_first(ads: Ads, inventory: Path) -> None:
    outcome = ads.machines.import_inventory(str(inventory), dry_run=True)
    assert outcome.changed is True
    assert len(outcome.after["machines"]) == 3
    assert names(ads) == []


@pytest.mark.req("A10")
def test_plain_secrets_are_refused_by_host_and_name_all_at_once(refusing: Ads, tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(
        "web1 ansible_password=hunter2\n"
        "web2 ansible_ssh_pass=hunter2 ansible_become_password=hunter2\n"
        'web3 ansible_become_pass=\'{{ lookup("env", "PASS") }}\'\n'
    )
    with pytest.raises(Invalid) as caught:
        refusing.machines.import_inventory(str(path))
    told = [(problem.place, problem.message.split("'")[1]) for problem in caught.value.problems]
    assert sorted(told) == [
        ("host 'web1'", "ansible_password"),
        ("host 'web2'", "ansible_become_password"),
        ("host 'web2'", "ansible_ssh_pass"),
    ]
    assert "hunter2" not in str(caught.value)
    assert names(refusing) == []


def test_a_vaulted_secret_stays_where_it_is(refusing: Ads, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(
        "all:\n  hosts:\n    web1:\n      ansible_host: 10.0.0.5\n      ansible_become_password: !vault |\n"
        "        $ANSIBLE_VAULT;1.1;AES256\n        33303030\n"
    )
    refusing.machines.import_inventory(str(path))
    assert "password" not in str(refusing.machines.show("web1"))


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("all: [", {}, "Ansible cannot read this inventory"),
        ("all: {hosts: {}}", {}, "has no hosts"),
        ("all: {hosts: {a: {ansible_connection: winrm}}}", {}, "does not connect by 'winrm'"),
        ("all: {hosts: {a: {ansible_port: many}}}", {}, "ansible_port 'many' is no number"),
        ("all: {hosts: {a: {ansible_host: '{{ x }}'}}}", {}, "ansible_host is an expression"),
        ("all: {hosts: {a: {}, A: {}}}", {}, "two hosts differ in case only"),
        ("all: {hosts: {a: {}}}", {"size": "huge"}, "no size is called 'huge'"),
        ("all: {hosts: {a: {}}}", {"location_var": "site"}, "it has no variable 'site'"),
        ("all: {hosts: {a: {}}}", {"gateway": "nowhere"}, "there is no gateway 'nowhere'"),
        ("all: {hosts: {a: {}, b: {ansible_private_key_file: /no/key}}}", {}, "there is no key file '/no/key'"),
    ],
)
def test_wrong_inventories_import_nothing(
    refusing: Ads, tmp_path: Path, text: str, options: dict[str, str], said: str
) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(text)
    with pytest.raises(Invalid, match=said):
        refusing.machines.import_inventory(str(path), **options)  # type: ignore[arg-type]
    assert names(refusing) == []


def test_no_inventory_there(refusing: Ads) -> None:
    with pytest.raises(NotFound, match="there is no inventory '/no/where'"):
        refusing.machines.import_inventory("/no/where")


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A20")
def test_another_tenants_machines_do_not_exist(ads: Ads, running: str, acting: Callable[..., Ads]) -> None:
    other = acting("mallory", tenant="other", permissions=set(Permission) - {Permission.ADMINISTER})
    assert names(other) == []
    assert other.machines.summary()["machines"] == 0
    assert other.machines.remove(running).changed is False
    attempts: list[Callable[[], object]] = [
        lambda: other.machines.show(running),
        lambda: other.machines.stop(running),
        lambda: other.machines.snapshots(running),
        lambda: other.machines.add(MachineSpec(running, "10.0.0.5")),
    ]
    for attempt in attempts:
        with pytest.raises(AdsError):
            attempt()
    assert ads.machines.show(running)["state"] == "running"


@pytest.mark.req("A20")
def test_permissions(ads: Ads, acting: Callable[..., Ads]) -> None:
    ads.machines.add(WEB1)
    looker = acting("eve", permissions={Permission.VIEW})
    assert names(looker) == ["web1"]
    attempts: list[Callable[[], object]] = [
        lambda: looker.machines.add(WEB1),
        lambda: looker.machines.remove("web1"),
        lambda: looker.machines.import_inventory("/no/where"),
        lambda: looker.machines.stop("web1"),
        lambda: looker.machines.create_snapshot("web1", "x"),
        lambda: acting("nobody", permissions=set()).machines.list(),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
