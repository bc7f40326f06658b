"""Networks as a table or a playbook has them: put together, in whatever order."""

from __future__ import annotations

import pytest

import adslib
from adslib import AdsError
from adslib.usecases.ads import Ads


@pytest.mark.req("I7")
def test_networks_are_put_in_whatever_order_they_are_said(ads: Ads) -> None:
    there = [
        {"name": "a", "prefix": "10.0.0.0/24"},
        {"name": "b", "prefix": "10.0.1.0/24", "space": "blue", "vlan": 5, "datacenter": "west"},
    ]
    ads.networks.add_all(there)
    held = ads.addresses.allocate(adslib.read_request({"network": "a", "addresses": ["10.0.0.130"]})).after["addresses"]
    wanted = [
        {"name": "c", "prefix": "10.0.0.0/26", "vlan": 5, "datacenter": "west"},
        {"name": "d", "prefix": "10.0.0.64/26"},
        {"name": "a", "prefix": "10.0.0.128/25"},
        {"name": "b", "vlan": 6},
    ]
    assert ads.networks.put_all(wanted, dry_run=True).changed
    done = ads.networks.put_all(wanted)
    assert done.message.startswith("2 networks added, 2 changed, 0 as they were: ")
    assert [row["name"] for row in done.after["networks"]] == ["c", "d", "a", "b"]
    assert [row["prefix"] for row in ads.networks.list(space="default")] == [
        "10.0.0.0/26",
        "10.0.0.64/26",
        "10.0.0.128/25",
    ]
    assert [row["id"] for row in ads.addresses.list(network="a")] == [held[0]["id"]]
    refused = [{"name": "e", "prefix": "10.0.0.0/27"}, {"name": "f", "prefix": "10.0.2.0/24"}, {"name": "a", "vlan": 6}]
    with pytest.raises(AdsError) as error:
        ads.networks.put_all(refused, places=["n.csv:2", "n.csv:3", "n.csv:4"])
    assert [problem.place.split()[0] for problem in error.value.problems] == ["n.csv:2"]
    assert len(ads.networks.list()) == 4


@pytest.mark.req("I7", "A21")
def test_what_changed_is_told_and_logged_as_it_really_is(ads: Ads) -> None:
    said = {
        "name": "a",
        "prefix": "10.0.0.0/24",
        "vlan": 5,
        "resolvers": ["9.9.9.9", "1.1.1.1"],
        "tags": {"floor": "3"},
    }
    ads.networks.add(said)
    change = {"vlan": "", "mtu": 9000, "resolvers": [], "tags": {"floor": "4", "room": "7"}, "name": "b"}
    tried, done = ads.networks.edit("a", change, dry_run=True), ads.networks.edit("a", change)
    assert tried == done
    assert done.message == (
        "network 'a' changed: name a → b, vlan 5 → none, resolvers 9.9.9.9; 1.1.1.1 → none, mtu none → 9000, "
        "tags floor=3 → floor=4 room=7"
    )
    assert ads.events.list()[0]["text"] == done.message
    assert (done.before["generation"], done.after["generation"]) == (0, 1)
    split = ads.networks.split("b", length=25).after["networks"]
    assert [row["generation"] for row in split] == [ads.networks.show(name)["generation"] for name in ("b", "b-2")]
    assert ads.networks.merge(["b", "b-2"]).after["generation"] == ads.networks.show("b")["generation"]
    [row] = ads.networks.put_all([{"name": "b", "vlan": 6}]).after["networks"]
    assert row["generation"] == ads.networks.show("b")["generation"] == 4
