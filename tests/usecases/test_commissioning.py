"""Deployments take addresses and names for the machines they make, and undeployments give them back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adslib.domain.actor import ALL, Actor, Permission
from adslib.domain.assignment import AddressRequest
from adslib.domain.errors import Invalid
from adslib.domain.machine import Reach
from adslib.usecases.ads import Ads
from servers import free_port
from usecases.acting import Run, acting, begin, carry_out, document, told, with_cloud, with_machines
from usecases.naming import Zone

WEST = {"name": "west", "prefix": "172.16.0.0/28", "vlan": 110, "datacenter": "west", "gateway": "172.16.0.1"}
PLACES = {"datacenters": {"west": {"vlan": 110}, "east": {"vlan": 210}}}


def definition(**changes: Any) -> Any:
    """A web server and a database in each of two data centres, each with a VLAN."""
    both = {name: {**attributes, "services": ["db", "web"]} for name, attributes in PLACES["datacenters"].items()}
    return document(web=1, datacenters=both, **changes)


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """A store with a cloud, the environment `shop` in two data centres, and a network of the western one's VLAN."""
    with acting(store_url) as opened:
        with_cloud(opened)
        opened.environments.create(definition())
        opened.networks.add({**WEST, "zone": "west.example"})
        yield opened


def held(ads: Ads) -> dict[str, tuple[str, str]]:
    """Address and name by machine."""
    return {row["machine"]: (row["address"], row["name"]) for row in ads.addresses.list()}


def reached(ads: Ads) -> dict[str, str]:
    """The address by which each machine is reached."""
    return {row["name"]: row["address"] for row in ads.machines.list()}


@pytest.mark.req("I2", "I4", "I5", "I8")
def test_machines_of_a_vlan_have_addresses_and_names_until_they_are_returned(ads: Ads) -> None:
    carry_out(ads)
    given = held(ads)
    assert {name: reached(ads)[name] for name in given} == {name: address for name, (address, _) in given.items()}
    assert sorted(address for address, _ in given.values()) == ["172.16.0.2", "172.16.0.3"]
    assert sorted(name for _, name in given.values()) == ["db-1.west.example", "web-1.west.example"]
    # No network is tagged with the VLAN of the other data centre: its machines keep what their gateway gave them.
    others = set(reached(ads)) - set(given)
    assert len(others) == 2
    carry_out(ads, kind="undeploy")
    assert held(ads) == {}
    assert any("released 172.16.0.2 " in line for line in told(ads))
    assert [row["released_by"] for row in ads.addresses.history("172.16.0.2")] == ["ann"]


@pytest.mark.req("I2", "I9")
def test_machines_of_a_vlan_of_ipv6_alone_have_addresses_of_it(ads: Ads) -> None:
    ads.networks.remove("west")
    ads.networks.add({**WEST, "prefix": "2001:db8::/64", "gateway": "2001:db8::1"})
    carry_out(ads)
    assert sorted(address for address, _ in held(ads).values()) == ["2001:db8::2", "2001:db8::3"]
    carry_out(ads, kind="undeploy")
    assert held(ads) == {}


@pytest.mark.req("I6")
def test_whoever_was_deployed_and_answered_is_seen(ads: Ads) -> None:
    unused = ads.addresses.allocate(AddressRequest(network="west", why="a printer")).after["addresses"][0]["id"]
    run = Run(ads, begin(ads))
    run.provide()
    assert {row["seen"] for row in ads.addresses.list()} == {""}
    run.stages()
    run.returns()
    run.finish()
    assert [row["id"] for row in ads.addresses.list() if not row["seen"]] == [unused]


@pytest.mark.req("I4", "I5")
def test_the_names_of_machines_reach_the_dns_server_and_leave_it(zone: Zone) -> None:
    ads = zone.ads
    ads.networks.edit("west", {"zone": zone.name})
    carry_out(ads)
    given = {row["name"]: row["address"] for row in ads.addresses.list()}
    assert zone.records("web-1") == [given[f"web-1.{zone.name}"]]
    assert zone.pending() == 0
    carry_out(ads, kind="undeploy")
    assert zone.records("web-1") == []


@pytest.mark.req("I4", "A12")
def test_a_dead_dns_server_keeps_no_deployment_waiting(ads: Ads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADS_TEST_DNS_KEY", "c2VjcmV0")
    key = {"key_name": "ads", "secret": "env:ADS_TEST_DNS_KEY"}
    ads.zones.add("west.example", "127.0.0.1", port=free_port(), **key)
    assert carry_out(ads).after["state"] == "live"
    assert any("names of zone 'west.example' wait: " in line for line in told(ads))
    assert next(row["pending"] for row in ads.zones.list()) == 2


@pytest.mark.req("I8", "A16")
def test_roles_see_the_addresses_of_their_host(ads: Ads) -> None:
    run = Run(ads, begin(ads))
    run.provide()
    hosts = {host["name"]: host["variables"] for host in run.hosts}
    west = next(variables for name, variables in hosts.items() if "west" in name)
    assert west["ads_fqdn"].endswith(".west.example")
    assert west["ads_addresses"][0]["gateway"] == "172.16.0.1"
    east = next(variables for name, variables in hosts.items() if "east" in name)
    assert (east["ads_fqdn"], east["ads_addresses"]) == ("", [])


@pytest.mark.req("I2", "A12")
def test_a_full_network_fails_the_machine_and_takes_nothing(ads: Ads) -> None:
    ads.networks.hold("west", "172.16.0.3-172.16.0.14")
    run = Run(ads, begin(ads))
    run.provide()
    assert [cause for cause in run.kept.values() if "no address is free in west" in cause]
    assert len(held(ads)) == 1
    assert len([row for row in ads.machines.list() if row["state"] == "failed"]) == 1
    run.stages()
    run.returns()
    run.finish()
    # There is room again: the next deployment goes on from there, and what failed is made anew.
    ads.networks.unhold("west", "172.16.0.3-172.16.0.14")
    assert carry_out(ads).after["state"] == "live"
    assert len(held(ads)) == 2


@pytest.mark.req("I5", "A13")
def test_a_machine_that_moves_away_releases_at_once(ads: Ads) -> None:
    carry_out(ads)
    before = held(ads)
    west_only = {"west": {"vlan": 110, "services": ["db"]}, "east": {"vlan": 210, "services": ["db", "web"]}}
    ads.environments.edit("shop", document(web=1, datacenters=west_only))
    carry_out(ads)
    after = held(ads)
    assert len(before) == 2
    assert len(after) == 1
    assert after.items() <= before.items()


@pytest.mark.req("I8")
def test_an_address_that_a_gateway_reports_is_recorded(store_url: str) -> None:
    with acting(store_url) as ads:
        with_cloud(ads, lacks="address")
        ads.environments.create(definition())
        ads.networks.add({**WEST, "prefix": "198.18.0.0/24", "gateway": ""})
        carry_out(ads)
        assert {name: reached(ads)[name] for name in held(ads)} == {name: a for name, (a, _) in held(ads).items()}
        assert len(held(ads)) == 2


@pytest.mark.req("I8")
def test_a_machine_whose_reported_address_cannot_be_recorded_is_given_back(store_url: str) -> None:
    with acting(store_url) as ads:
        with_cloud(ads, lacks="address")
        ads.environments.create(definition())
        ads.networks.add(WEST)
        run = Run(ads, begin(ads))
        run.provide()
        assert [cause for cause in run.kept.values() if "lies outside west (172.16.0.0/28)" in cause]
        with ads.app.store.reading() as tx:
            gateway = ads.app.gateways.open("cloud", tx.gateways.list())
        assert all("west" not in machine.name for machine in gateway.machines())
        assert held(ads) == {}


@pytest.mark.req("I8")
@pytest.mark.parametrize("whose", ["default", "other"])
def test_a_machine_whose_reported_address_no_network_there_gives_is_given_back(store_url: str, whose: str) -> None:
    with acting(store_url) as ads:
        with_cloud(ads, lacks="address")
        ads.environments.create(definition())
        ads.networks.add({**WEST, "prefix": "2001:db8::/64", "gateway": "", "tenant": whose})
        ads = Ads(ads.app, Actor("ann", permissions=ALL - {Permission.ADMINISTER}))
        run = Run(ads, begin(ads))
        run.provide()
        told = "no network that gives IPv4 addresses" if whose == "default" else "belongs to another tenant"
        assert len([cause for cause in run.kept.values() if told in cause]) == 2
        with ads.app.store.reading() as tx:
            gateway = ads.app.gateways.open("cloud", tx.gateways.list())
        assert [machine.name for machine in gateway.machines() if "west" in machine.name] == []


class PowerCut(BaseException):
    """Nothing catches it."""


@pytest.mark.req("I2", "A10")
@pytest.mark.parametrize("tenant", ["default", "another"])
def test_a_power_cut_between_address_and_machine_takes_no_second_one(
    ads: Ads, monkeypatch: pytest.MonkeyPatch, tenant: str
) -> None:
    job = begin(ads)
    with ads.app.store.reading() as tx:
        gateway = type(ads.app.gateways.open("cloud", tx.gateways.list()))

    def cut(*_: Any) -> Any:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "create", cut)
        with pytest.raises(PowerCut):
            ads.jobs.provide(job.id, job.attempt)
    first = held(ads)
    assert len(first) == 2
    someone = Ads(ads.app, replace(ads.actor, tenant=tenant))
    _, missing = someone.jobs.provide(job.id, job.attempt)
    assert missing == {}
    assert held(ads) == first


@pytest.mark.req("I5")
def test_what_the_networks_and_the_machines_say_is_reconciled(ads: Ads) -> None:
    carry_out(ads)
    wanted = AddressRequest(network="west", machine="long-gone", why="deployment")
    with pytest.raises(Invalid, match="why: 'deployment' is what ads writes itself"):
        ads.addresses.allocate(wanted)
    gone = ads.addresses.give(wanted).after["addresses"][0]
    ads.addresses.allocate(AddressRequest(network="west", machine="theirs", why="of another orchestrator"))
    ads.addresses.allocate(AddressRequest(network="west", environment="closed-shop", service="vip"))
    ads.addresses.allocate(AddressRequest(network="west", environment="shop", service="vip"))
    with_machines(ads, "web9", location="west", reach=Reach(address="172.16.0.9"))
    with_machines(ads, "far", location="west", reach=Reach(address="192.0.2.77"))
    found = ads.addresses.reconcile()
    assert found.changed
    assert [row["id"] for row in found.before["gone"]] == [gone["id"]]
    web9 = {"machine": "web9", "address": "172.16.0.9", "network": "west"}
    assert found.before["unknown"] == [{**web9, "holder": "", "closed": ""}]
    repaired = ads.addresses.reconcile(repair=True)
    assert repaired.message == "1 allocation of machines that are gone released, 1 unknown address of machines recorded"
    assert held(ads)["web9"] == ("172.16.0.9", "")
    elsewhere = [(row["machine"], row["environment"]) for row in repaired.before["elsewhere"]]
    assert elsewhere == [("theirs", ""), ("", "closed-shop")]
    assert "long-gone" not in held(ads)
    assert "theirs" in held(ads)
    assert not ads.addresses.reconcile().changed


@pytest.mark.req("I5")
def test_an_address_that_two_machines_claim_is_shown_and_left(ads: Ads) -> None:
    taken = ads.addresses.allocate(AddressRequest(network="west", service="print")).after["addresses"][0]
    with_machines(ads, "web9", location="west", reach=Reach(address=taken["address"]))
    found = ads.addresses.reconcile(repair=True)
    assert [row["holder"] for row in found.before["unknown"]] == [f"of print, allocation {taken['id']}"]
    assert held(ads) == {"": (taken["address"], "")}


@pytest.mark.req("I5")
def test_an_address_that_nobody_is_given_keeps_nothing_else_from_being_repaired(ads: Ads) -> None:
    ads.addresses.give(AddressRequest(network="west", machine="long-gone", why="deployment"))
    ads.networks.edit("west", {"held": ["172.16.0.4 printers"], "cooldown": 3600})
    rested = ads.addresses.allocate(AddressRequest(network="west")).after["addresses"][0]
    ads.addresses.release([rested["id"]])
    for name, address in {"a": "172.16.0.4", "b": "172.16.0.1", "c": rested["address"], "d": "172.16.0.9"}.items():
        with_machines(ads, name, location="west", reach=Reach(address=address))
    with_machines(ads, "e", location="west", reach=Reach(address="172.16.0.9", port=2222))
    found = ads.addresses.reconcile(repair=True)
    assert found.message == (
        "1 allocation of machines that are gone released, 1 unknown address of machines recorded, 4 left alone"
    )
    assert {row["machine"]: (row["holder"], row["closed"]) for row in found.before["unknown"]} == {
        "a": ("", "held back (printers)"),
        "b": ("", "the gateway"),
        "c": ("", "at rest after its release"),
        "d": ("", ""),
        "e": ("of machine 'd', too", ""),
    }
    assert held(ads) == {"d": ("172.16.0.9", "")}
    # What is left alone is no change, and nothing to write into the log again and again.
    before = ads.events.list()
    assert not ads.addresses.reconcile(repair=True).changed
    assert ads.events.list() == before


@pytest.mark.req("I5")
def test_what_was_recorded_of_a_machine_follows_its_address(ads: Ads) -> None:
    with_machines(ads, "web9", location="west", reach=Reach(address="172.16.0.9"))
    ads.addresses.reconcile(repair=True)
    asked = ads.addresses.allocate(AddressRequest(network="west", machine="web9", why="a second one"))
    with ads.app.store.transaction() as tx:
        machine = tx.machines.find("web9")
        assert machine is not None
        tx.machines.update(replace(machine, reach=Reach(address="172.16.0.10")))
    found = ads.addresses.reconcile(repair=True)
    assert [row["address"] for row in found.before["gone"]] == ["172.16.0.9"]
    rows = ads.addresses.list(machine="web9")
    assert [row["address"] for row in rows] == [asked.after["addresses"][0]["address"], "172.16.0.10"]
    assert not ads.addresses.reconcile().changed
