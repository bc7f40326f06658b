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
    assert done.message == "2 networks added, 2 changed, 0 as they were"
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
