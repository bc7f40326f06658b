"""Networks that are described by their length, within a container."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.store.contest import all_at_once
from adslib import AdsError
from adslib.usecases.ads import Ads
from usecases.acting import acting, tenant

pytestmark = pytest.mark.req("I7")

WEST = {"name": "west", "prefix": "10.0.0.0/24", "space": "blue", "role": "container"}


def test_each_gets_the_first_that_is_vacant_and_its_space(ads: Ads) -> None:
    ads.networks.add_all([WEST, {"name": "a", "prefix": "10.0.0.64/26", "space": "blue"}])
    tried = ads.networks.add({"name": "b", "prefix": "/27", "within": "west"}, dry_run=True)
    made = ads.networks.add({"name": "b", "prefix": "/27", "within": "west"})
    assert tried.after["prefix"] == made.after["prefix"] == "10.0.0.0/27"
    assert made.after["space"] == "blue"
    assert ads.networks.add({"name": "c", "prefix": "/25", "within": "west"}).after["prefix"] == "10.0.0.128/25"
    assert ads.networks.show("west")["vacant"] == ["10.0.0.32/27"]
    assert ads.networks.show("a")["vacant"] == []
    with pytest.raises(AdsError, match=r"network 'west' \(10.0.0.0/24\) has no /26 left.*network show west") as full:
        ads.networks.add({"name": "d", "prefix": "/26", "within": "west"})
    assert full.value.code == "container-full"
    assert len(ads.networks.list()) == 4


def test_many_are_put_with_their_container_and_stay_where_they_are(ads: Ads) -> None:
    rows = [{"name": f"n{number}", "prefix": "/26", "within": "west"} for number in range(4)]
    done = ads.networks.put_all([*rows[:2], WEST, *rows[2:]])
    assert [(row["name"], row["prefix"]) for row in done.after["networks"]] == [
        ("n0", "10.0.0.0/26"),
        ("n1", "10.0.0.64/26"),
        ("west", "10.0.0.0/24"),
        ("n2", "10.0.0.128/26"),
        ("n3", "10.0.0.192/26"),
    ]
    assert not ads.networks.put_all([WEST, *rows]).changed
    edited = ads.networks.put_all([{**rows[3], "vlan": 7, "datacenter": "west"}])
    assert [(row["prefix"], row["vlan"]) for row in edited.after["networks"]] == [("10.0.0.192/26", 7)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"prefix": "10.0.0.0/26"}, r"'10.0.0.0/26' is no length of a prefix within 'west'.*/25 to /32"),
        ({"prefix": "/24"}, r"'/24' is no length.*/25 to /32"),
        ({"prefix": "/33"}, r"'/33' is no length"),
        ({"prefix": "/²6"}, r"'/²6' is no length"),
        ({"prefix": None}, r"'' is no length"),
        ({"within": "nowhere"}, r"network 'x': there is no network 'nowhere'"),
        ({"within": "leaf"}, r"network 'leaf' is no container"),
        ({"space": "red"}, r"network 'west' lies in space 'blue', not in 'red'"),
        ({"name": "leaf", "prefix": "/26"}, r"network 'leaf' is 10.0.0.0/25 of space 'blue', not a /26 within 'west'"),
        ({"prefix": "/26", "within": None}, r"'/26' is no prefix"),
    ],
)
def test_what_does_not_fit_is_refused(ads: Ads, said: dict[str, Any], told: str) -> None:
    ads.networks.add_all([WEST, {"name": "leaf", "prefix": "10.0.0.0/25", "space": "blue"}])
    with pytest.raises(AdsError, match=told):
        ads.networks.put_all([{"name": "x", "prefix": "/26", "within": "west", **said}])
    assert len(ads.networks.list()) == 2


def test_another_tenants_container_is_refused(store_url: str) -> None:
    with acting(store_url) as ads:
        ads.networks.add(WEST)
    with acting(store_url, tenant("other")) as stranger, pytest.raises(AdsError) as refused:
        stranger.networks.add({"name": "x", "prefix": "/26", "within": "west"})
    assert refused.value.code == "not-yours"


def test_those_who_ask_at_once_get_different_ones(store_url: str) -> None:
    with acting(store_url) as ads:
        ads.networks.add(WEST)

    def take(url: str, number: int) -> str:
        with acting(url) as ads:
            return str(ads.networks.add({"name": f"n{number}", "prefix": "/28", "within": "west"}).after["prefix"])

    got = all_at_once(store_url, 8, take)
    assert sorted(got) == sorted(f"10.0.0.{16 * number}/28" for number in range(8))
