"""Addresses: several requests at once, what a machine has already, and what is merely assigned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import adslib
from adslib import AdsError
from adslib.domain.actor import Permission
from adslib.domain.assignment import AddressRequest
from adslib.domain.errors import NotFound
from adslib.usecases.ads import Ads
from adslib.usecases.outcome import Outcome
from usecases.acting import acting_also, document, tenant

NETWORKS = [
    {"name": "west", "prefix": "10.0.0.0/29", "datacenter": "west", "vlan": 110, "owner": "a", "zone": "w.example"},
    {"name": "east", "prefix": "10.0.1.0/29", "datacenter": "east", "vlan": 210, "owner": "a"},
]


@pytest.fixture(autouse=True)
def networks(ads: Ads) -> None:
    """Two VLANs of one end user."""
    ads.networks.put_all(NETWORKS)


def web(**said: Any) -> AddressRequest:
    """An ask for a web server in the west."""
    return adslib.read_request({"datacenter": "west", "vlan": 110, "machine": "m1", "service": "web", **said})


def given(outcome: Outcome) -> list[str]:
    """The addresses that came of it."""
    return [row["address"] for row in outcome.after["addresses"]]


@pytest.mark.req("I2", "I8")
def test_what_a_machine_has_is_not_asked_for_again(ads: Ads) -> None:
    east = web(datacenter="east", vlan=210)
    first = ads.addresses.allocate_all([web(), east], keep=True)
    assert (first.changed, given(first)) == (True, ["10.0.0.1", "10.0.1.1"])
    again = ads.addresses.allocate_all([east, web()], keep=True)
    assert (again.changed, given(again)) == (False, ["10.0.1.1", "10.0.0.1"])
    more = ads.addresses.allocate(web(count=3), keep=True)
    assert (more.changed, given(more)) == (True, ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    assert [row["address"] for row in more.before["addresses"]] == ["10.0.0.1"]
    for other in ({"machine": "m2"}, {"service": "db"}, {"environment": "shop"}, {"name": True}):
        assert ads.addresses.allocate(web(**other), keep=True, dry_run=True).changed
    assert not ads.addresses.allocate(web(addresses=["10.0.0.3", "10.0.0.1"]), keep=True).changed


@pytest.mark.req("I3", "I8")
def test_what_another_link_gave_is_found_again_and_what_it_gave_to_another_request_is_not(ads: Ads) -> None:
    ads.addresses.allocate(web(machine="others", count=6))
    first = ads.addresses.allocate(web(), keep=True)
    assert given(first) == ["10.0.1.1"]
    assert given(ads.addresses.allocate(web(), keep=True)) == ["10.0.1.1"]
    east = ads.addresses.allocate(web(machine="m2", datacenter="east", vlan=210), keep=True)
    assert given(east) == ["10.0.1.2"]
    # In the west the same machine has nothing, though the east would serve it.
    assert given(ads.addresses.allocate(web(machine="m2"), keep=True)) == ["10.0.1.3"]


@pytest.mark.req("I8")
def test_whoever_wants_to_keep_says_for_whom(ads: Ads) -> None:
    with pytest.raises(AdsError, match=r"it does not say for whom\. Name the machine, or give a key"):
        ads.addresses.allocate(web(machine=""), keep=True)
    assert ads.addresses.allocate_all([], keep=True).after == {"addresses": []}


@pytest.mark.req("I2")
def test_several_requests_are_answered_together_or_not_at_all(ads: Ads) -> None:
    with pytest.raises(AdsError, match="no network is tagged with VLAN 999"):
        ads.addresses.allocate_all([web(), web(vlan=999)])
    assert (ads.addresses.list(), ads.networks.show("west")["taken"]) == ([], 0)
    tried = ads.addresses.allocate_all([web(), web(machine="m2")], dry_run=True)
    assert (tried.changed, given(tried)) == (True, ["10.0.0.1", "10.0.0.2"])
    assert (ads.addresses.list(), ads.networks.show("west")["free"]) == ([], 6)


@pytest.mark.req("I5")
def test_what_is_held_is_found_by_what_is_said_of_it(ads: Ads) -> None:
    ads.addresses.allocate_all([web(name=True), web(machine="m2", key="k1")])

    def held(**said: Any) -> list[str]:
        return [row["address"] for row in ads.addresses.held(web(**{"service": None, **said}))]

    assert held() == ["10.0.0.1"]
    assert held(machine=None) == ["10.0.0.1", "10.0.0.2"]
    assert held(service="db") == held(vlan=999) == held(addresses=["10.0.0.2"]) == []
    [by_key] = ads.addresses.by_key("k1")
    assert by_key["machine"] == "m2"
    ads.addresses.release([by_key["id"]])
    assert ads.addresses.by_key("k1") == ads.addresses.by_key("k2") == []


@pytest.mark.req("I5")
def test_what_is_left_of_a_network_that_somebody_deleted_by_hand_is_released(ads: Ads) -> None:
    rows = ads.addresses.allocate(web(count=2, name=True)).after["addresses"]
    with ads.app.store.transaction() as tx:
        tx.networks.delete(tx.networks.get("west"))
    assert [row["network"] for row in ads.addresses.list()] == ["", ""]
    ads.addresses.release([row["id"] for row in rows])
    assert ads.addresses.list() == []


@pytest.mark.req("I6")
def test_who_has_it_is_shown_by_address_name_or_allocation(ads: Ads) -> None:
    [row] = ads.addresses.allocate(web(names=["Bücher"], why="shop")).after["addresses"]
    for thing in (row["id"], "10.0.0.1", "xn--bcher-kva.w.example", "bücher.w.example."):
        assert ads.addresses.show(thing) == row
    assert (row["length"], row["mask"], row["why"], row["by"]) == (29, "255.255.255.248", "shop", "ann")
    for thing in ("10.0.0.2", "2001:db8::1", "www.w.example", "nothing"):
        with pytest.raises(AdsError, match=f"nobody has '{thing}'"):
            ads.addresses.show(thing)
    with pytest.raises(AdsError, match=r"nobody has '10\.0\.0\.1'"):
        ads.addresses.show("10.0.0.1", space="blue")


@pytest.mark.req("I6")
def test_addresses_are_listed_by_the_tags_of_their_networks(ads: Ads) -> None:
    ads.addresses.allocate_all([web(), web(datacenter="east", vlan=210, machine="m2")])

    def listed(**tags: Any) -> list[str]:
        return [row["address"] for row in ads.addresses.list(**tags)]

    assert listed(vlan=110) == listed(datacenter="west") == listed(owner="a", machine="m1") == ["10.0.0.1"]
    assert listed(owner="a") == ["10.0.0.1", "10.0.1.1"]
    assert listed(vlan=110, datacenter="east") == listed(owner="b") == []


@pytest.mark.req("I6")
def test_why_nobody_has_an_address_is_told(ads: Ads, acting: Callable[..., Ads]) -> None:
    ads.networks.edit("west", {"cooldown": 60, "gateway": "10.0.0.6"})
    ads.networks.hold("west", "10.0.0.4", why="printer")
    [row] = ads.addresses.allocate(web()).after["addresses"]
    ads.addresses.release([row["id"]])
    free = "it is free in network 'west'. Have it with: ads address allocate --network west --want 10.0.0.2"
    for thing, told in (
        ("10.0.0.2", free),
        ("10.0.0.1", "it is at rest after its release in network 'west'. See the network with: ads network show west"),
        ("10.0.0.4", "it is held back (printer) in network 'west'"),
        ("10.0.0.6", "it is the gateway in network 'west'"),
        ("10.0.0.0", "it is the first or last address of 10.0.0.0/29 in network 'west'"),
        ("192.0.2.1", "no network of space 'default' gives it"),
    ):
        with pytest.raises(NotFound) as refused:
            ads.addresses.show(thing)
        assert str(refused.value).startswith(f"nobody has '{thing}': {told}")
    with pytest.raises(NotFound, match=f"allocation '{row['id']}' was released 20"):
        ads.addresses.show(row["id"])
    stranger = acting("bob", tenant="other", permissions={Permission.VIEW})
    with pytest.raises(NotFound, match="no network of space 'default' gives it"):
        stranger.addresses.show("10.0.0.2")


@pytest.mark.req("I6")
def test_history_says_who_had_it_and_until_when(ads: Ads) -> None:
    for machine in ("m1", "m2"):
        [row] = ads.addresses.allocate(web(machine=machine)).after["addresses"]
        if machine == "m1":
            ads.addresses.release([row["id"]])
    now, before = ads.addresses.history("10.0.0.1")
    assert (now["machine"], now["released"], now["released_by"]) == ("m2", "", "")
    assert (before["machine"], before["released_by"]) == ("m1", "ann")
    assert before["released"] >= before["given"]


@pytest.mark.req("I6")
def test_what_is_merely_assigned_is_reported(ads: Ads) -> None:
    begun = ads.app.clock()
    rows = ads.addresses.allocate(web(count=3)).after["addresses"]

    def unseen(days: int) -> list[str]:
        since = ads.app.clock() - timedelta(days=days)
        return [row["address"] for row in ads.addresses.list(unseen_since=since)]

    assert unseen(1) == []
    ads.app.clock = lambda: begun + timedelta(days=3)
    assert ads.addresses.saw([rows[1]["id"]]).after["seen"] == [rows[1]["id"]]
    assert unseen(1) == ["10.0.0.1", "10.0.0.3"]
    ads.app.clock = lambda: begun + timedelta(days=5)
    ads.addresses.saw([rows[0]["id"]])
    assert unseen(1) == ["10.0.0.2", "10.0.0.3"]
    assert unseen(4) == ["10.0.0.3"]


@pytest.mark.req("I6")
def test_what_is_free_is_named_without_being_taken(ads: Ads) -> None:
    ads.networks.add({"name": "big", "prefix": "10.64.0.0/10"})
    ads.addresses.allocate(adslib.read_request({"network": "big", "count": 1000}))
    ads.addresses.allocate(adslib.read_request({"network": "big", "addresses": ["10.64.3.240"]}))
    free = ads.addresses.free("big", count=9)
    assert (free["addresses"][0], free["addresses"][7:]) == ("10.64.3.233", ["10.64.3.241", "10.64.3.242"])
    assert (free["taken"], free["free"]) == (1001, (1 << 22) - 2 - 1001)
    assert ads.addresses.free("west", count=100)["addresses"] == [f"10.0.0.{n}" for n in range(1, 7)]
    assert len(set(ads.addresses.free("big", count=5000)["addresses"])) == 5000
    with pytest.raises(AdsError, match=r"100000 addresses cannot be named\. Ask for 0 to 65536"):
        ads.addresses.free("big", count=100_000)


@pytest.mark.req("I2", "I4")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"names": ["Web", "web"]}, "it gives one of its names twice"),
        ({"names": ["bücher", "xn--bcher-kva"]}, "it gives one of its names twice"),
        ({"count": "9" * 40}, "count: a number of 40 digits is too large. Use up to 39 digits"),
        ({"machine": "x" * 256}, "machine: .* is no text of one line"),
        ({"why": "a\nb"}, r"why: 'a\\nb' is no text of one line"),
        ({"key": "a\0b"}, r"key: 'a\\x00b' is no text of one line"),
    ],
)
def test_what_nobody_can_use_or_read_is_refused_by_name(said: dict[str, Any], told: str) -> None:
    with pytest.raises(AdsError, match=told.replace("'", ".")) as refused:
        adslib.read_request({"network": "west", **said})
    assert refused.value.code == "invalid"


@pytest.mark.req("I4")
def test_a_name_that_grew_too_long_for_its_number_is_refused(ads: Ads) -> None:
    request = web(name=True, service="a" * 61, count=9, address=False)
    assert len(ads.addresses.allocate(request).after["addresses"]) == 9
    with pytest.raises(AdsError, match="a-10' is no name"):
        ads.addresses.allocate(web(name=True, service="a" * 61))


@pytest.mark.req("I6", "A20")
def test_nobody_gives_addresses_to_another_tenants_environment(ads: Ads) -> None:
    ads.environments.create(document())
    ads.networks.add({"name": "red-1", "prefix": "10.0.0.0/24", "space": "red", "tenant": "red"})
    with acting_also(ads, tenant("red")) as red, pytest.raises(AdsError, match="environment 'shop' is not yours"):
        red.addresses.allocate(adslib.read_request({"network": "red-1", "environment": "shop"}))
