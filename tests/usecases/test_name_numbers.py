"""Numbers of generated names: whoever has such a name, and whatever else makes it, no number is lost."""

from __future__ import annotations

import random
from typing import Any

import pytest

from adapters.store.contest import all_at_once
from adslib.domain.assignment import AddressRequest
from adslib.domain.errors import AdsError
from adslib.usecases.ads import Ads
from usecases.acting import acting

# web-11 is the eleventh of the one, and the first of the other.
PATTERNS = {"plain": "{service}-{n}", "tens": "{service}-1{n}"}
FIRST = {"plain": range(1, 31), "tens": [*range(11, 20), *range(110, 131)]}


def prepared(ads: Ads) -> None:
    """Two networks with a zone in common, each with a pattern of its own."""
    for number, (name, pattern) in enumerate(PATTERNS.items()):
        ads.networks.add({"name": name, "prefix": f"10.0.{number}.0/24", "zone": "w.example", "pattern": pattern})


def names(ads: Ads, network: str, **words: Any) -> list[str]:
    """The names of one request."""
    request = AddressRequest(network=network, service="web", name=True, **words)
    return [row["name"].removesuffix(".w.example") for row in ads.addresses.allocate(request).after["addresses"]]


def numbered(numbers: Any) -> list[str]:
    return [f"web-{number}" for number in numbers]


def release_all(ads: Ads) -> None:
    ads.addresses.release([row["id"] for row in ads.addresses.list()])


def nothing_is_lost(ads: Ads) -> None:
    """When nobody has anything, each pattern makes its names from the first one again."""
    for network, first in FIRST.items():
        release_all(ads)
        assert names(ads, network, count=len(first)) == numbered(first)


@pytest.mark.req("I4", "I5")
@pytest.mark.parametrize("order", [("plain", "tens"), ("tens", "plain")])
def test_a_name_that_two_patterns_make_keeps_the_number_of_neither(ads: Ads, order: tuple[str, str]) -> None:
    prepared(ads)
    free = {network: [number for number in first if number != 15] for network, first in FIRST.items()}
    assert names(ads, "plain", names=("web-15",)) == ["web-15"]
    for network in order:
        expected = free[network][:12]
        assert names(ads, network, count=12) == numbered(expected)
        for numbers in free.values():
            numbers[:] = [number for number in numbers if number not in expected]
    assert names(ads, order[0]) == numbered(free[order[0]][:1])
    nothing_is_lost(ads)


@pytest.mark.req("I4", "I5")
def test_a_name_that_was_asked_for_is_passed_over_until_it_is_released(ads: Ads) -> None:
    prepared(ads)
    [row] = ads.addresses.allocate(AddressRequest(network="plain", names=("web-2",))).after["addresses"]
    assert names(ads, "plain", count=2) == ["web-1", "web-3"]
    ads.addresses.release([row["id"]])
    assert names(ads, "plain", count=2) == ["web-2", "web-4"]


@pytest.mark.req("I4", "I5")
def test_a_crowd_that_makes_the_same_names_in_three_ways_loses_none(store_url: str) -> None:
    with acting(store_url) as ads:
        prepared(ads)

    def churn(url: str, number: int) -> list[str]:
        """Take and release; returns the codes of refusals."""
        dice, refusals = random.Random(number), []
        with acting(url) as ads:
            for _ in range(15):
                network = dice.choice([*PATTERNS])
                wish: dict[str, Any] = {"count": dice.choice((1, 4))}
                if dice.randrange(2):
                    wish = {"names": (f"web-{dice.choice(range(10, 20))}",)}
                request = AddressRequest(network=network, service="web", name=True, **wish)
                try:
                    rows = ads.addresses.allocate(request).after["addresses"]
                except AdsError as refused:
                    refusals.append(refused.code)
                    continue
                ads.addresses.release([row["id"] for row in rows])
        return refusals

    assert {code for refusals in all_at_once(store_url, 6, churn) for code in refusals} <= {"name-taken"}
    with acting(store_url) as ads:
        nothing_is_lost(ads)
