"""Machines: added, listed and counted; held ones stay; who may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adslib.adapters import documents
from adslib.adapters.host_keys import fingerprint
from adslib.domain.actor import Permission
from adslib.domain.errors import AdsError, Conflict, Forbidden, Invalid, NotFound
from adslib.domain.hosts import connection_variables
from adslib.domain.lifecycle import MachineState
from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec
from usecases.machines import KEY, WEB1, names

pytestmark = pytest.mark.usefixtures("own_known_hosts")


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
    assert numbers["availability"] == {
        "available": 3, "partly available": 1, "unavailable": 0, "deployed": 0, "on request": 0, "quarantined": 1,
    }  # fmt: skip

    def counts(machines: int, free: int, held: int, partly: int, quarantined: int) -> dict[str, int]:
        return {"machines": machines, "free": free, "held": held, "partly": partly, "quarantined": quarantined}

    assert {"size": "small", "location": "west", **counts(2, 1, 1, 1, 0)} in numbers["sizes"]
    assert {"size": "large", "location": "east", **counts(2, 2, 0, 0, 0)} in numbers["sizes"]
    assert {"os": "debian-12", **counts(2, 1, 1, 1, 0)} in numbers["systems"]
    assert numbers["gateways"] == [{"gateway": "static", **counts(5, 3, 1, 1, 1)}]
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
