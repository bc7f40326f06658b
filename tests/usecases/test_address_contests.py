"""Processes that want addresses at the same moment, on both databases: each gets its own, and none is lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from adapters.store.contest import LONGEST, all_at_once, killed
from adslib.domain.assignment import AddressRequest
from adslib.domain.errors import AdsError, Conflict, NotFound
from adslib.domain.prefix import Address, read_address, read_prefix
from adslib.usecases.ads import Ads
from usecases.acting import acting

CROWD = 16


def prepared(url: str, prefix: str, **words: Any) -> None:
    with acting(url) as ads:
        ads.networks.add({"name": "blue", "prefix": prefix, **words})


def asking(**words: Any) -> Callable[[str, int], list[str]]:
    """A process that asks once: what it got, or the code of its refusal."""

    def ask(url: str, number: int) -> list[str]:
        with acting(url) as ads:
            try:
                return got(ads, **words)
            except AdsError as refused:
                return [refused.code]

    return ask


def got(ads: Ads, **words: Any) -> list[str]:
    """The addresses and names of one request."""
    rows = ads.addresses.allocate(AddressRequest(network="blue", **words)).after["addresses"]
    return [" ".join(part for part in (row["address"], row["name"]) if part) for row in rows]


def consistent(ads: Ads) -> None:
    """What is counted in blocks is what is written in rows, and nobody has what is another's."""
    rows = [row for row in ads.addresses.list() if row["address"]]
    assert len({(row["space"], row["address"]) for row in rows}) == len(rows)
    assert sum(row["taken"] for row in ads.networks.usage()) == len(rows)


@pytest.mark.req("I2")
def test_sixteen_at_once_get_exactly_the_first_sixteen(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")
    answers = all_at_once(store_url, CROWD, asking())
    assert Counter(answer[0] for answer in answers) == Counter(f"10.0.0.{n}" for n in range(1, CROWD + 1))
    with acting(store_url) as ads:
        consistent(ads)


@pytest.mark.req("I2", "I4")
def test_sixteen_names_at_once_are_the_first_sixteen(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/20", zone="west.example")
    answers = all_at_once(store_url, CROWD, asking(name=True, address=False, service="web"))
    assert Counter(answer[0] for answer in answers) == Counter(f"web-{n}.west.example" for n in range(1, CROWD + 1))


@pytest.mark.req("I2")
def test_eight_get_the_eight_there_are_and_the_ninth_none_until_one_is_released(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/28", held="10.0.0.9-10.0.0.14")
    answers = all_at_once(store_url, 8, asking())
    assert Counter(answer[0] for answer in answers) == Counter(f"10.0.0.{n}" for n in range(1, 9))
    assert asking()(store_url, 9) == ["chain-full"]
    with acting(store_url) as ads:
        fifth = next(row["id"] for row in ads.addresses.list() if row["address"] == "10.0.0.5")
        ads.addresses.release([fifth])
        assert got(ads) == ["10.0.0.5"]


@pytest.mark.req("I2")
def test_of_two_who_want_one_address_one_gets_it(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")
    answers = all_at_once(store_url, 2, asking(addresses=(read_address("10.0.0.77"),)))
    assert Counter(answer[0] for answer in answers) == Counter(["10.0.0.77", "address-taken"])


@pytest.mark.req("I4")
def test_of_two_who_want_one_name_one_gets_it(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24", zone="west.example")
    answers = all_at_once(store_url, 2, asking(name=True, names=("www",)))
    assert sorted(answer[0].split()[-1] for answer in answers) == ["name-taken", "www.west.example"]


@pytest.mark.req("I2")
def test_the_same_key_at_once_takes_one(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")
    answers = all_at_once(store_url, 8, asking(key="once"))
    assert answers == [["10.0.0.1"]] * 8
    with acting(store_url) as ads:
        assert len(ads.addresses.list()) == 1


@pytest.mark.req("I2", "I8")
def test_what_a_machine_keeps_is_taken_once_though_many_ask_for_it_at_once(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")
    request = AddressRequest(network="blue", machine="m1")

    def keep(url: str, number: int) -> list[str]:
        with acting(url) as ads:
            return [row["address"] for row in ads.addresses.allocate(request, keep=True).after["addresses"]]

    assert all_at_once(store_url, 8, keep) == [["10.0.0.1"]] * 8


@pytest.mark.req("I2", "I5")
@pytest.mark.parametrize("prefix", ["10.0.0.0/24", "10.0.0.0/20"])
def test_a_crowd_that_takes_and_returns_in_batches_neither_loses_nor_shares(store_url: str, prefix: str) -> None:
    prepared(store_url, prefix, zone="west.example")

    def churn(url: str, number: int) -> list[str]:
        dice = random.Random(number)
        with acting(url) as ads:
            mine: list[str] = []
            for _ in range(8):
                request = AddressRequest(network="blue", count=dice.choice((1, 3, 20)), name=True, service="web")
                rows = ads.addresses.allocate(request).after["addresses"]
                ids = [row["id"] for row in rows]
                keep = dice.randrange(2)
                ads.addresses.release(ids[keep:])
                mine += ids[:keep]
            return mine

    kept = [id for mine in all_at_once(store_url, 6, churn) for id in mine]
    with acting(store_url) as ads:
        assert sorted(row["id"] for row in ads.addresses.list()) == sorted(kept)
        consistent(ads)
        free = ads.networks.usage()[0]["free"]
        got(ads, count=free)
        with pytest.raises(AdsError, match="no address is free"):
            got(ads)


@pytest.mark.req("I2", "I7")
def test_networks_are_split_and_merged_while_others_take_of_them(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/22", vlan=110, datacenter="west")

    def act(url: str, number: int) -> list[str]:
        with acting(url) as ads:
            if number == 0:
                for _ in range(4):
                    ads.networks.split("blue", length=24)
                    ads.networks.merge(["blue", "blue-2", "blue-3", "blue-4"])
                return []
            rows = []
            for _ in range(15):
                outcome = ads.addresses.allocate(AddressRequest(datacenter="west", vlan=110))
                rows += [row["address"] for row in outcome.after["addresses"]]
            return rows

    # The borders of the parts are never given to anybody, so nothing is in the way of a split.
    with acting(store_url) as ads:
        ads.networks.hold("blue", "10.0.0.255-10.0.1.0")
        ads.networks.hold("blue", "10.0.1.255-10.0.2.0")
        ads.networks.hold("blue", "10.0.2.255-10.0.3.0")
    given = [address for answer in all_at_once(store_url, 5, act) for address in answer]
    assert len(set(given)) == len(given) == 60
    with acting(store_url) as ads:
        consistent(ads)
        network = {row["name"]: read_prefix(row["prefix"]) for row in ads.networks.list()}
        assert all(network[row["network"]].holds(read_address(row["address"])) for row in ads.addresses.list())


@pytest.mark.req("I2", "I7")
def test_nobody_has_an_address_of_a_network_that_is_removed_meanwhile(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")

    def remove(ads: Ads) -> str:
        ads.networks.remove("blue")
        ads.networks.add({"name": "blue", "prefix": "10.0.0.0/24"})
        return "removed"

    def take(ads: Ads) -> str:
        given = ads.addresses.allocate(AddressRequest(network="blue")).after["addresses"][0]
        # What is there has its network as long as it is there.
        assert ads.addresses.show(given["id"])["network"] == "blue"
        ads.addresses.release([given["id"]])
        return "given"

    def act(url: str, number: int) -> list[str]:
        work, times = (take, 60) if number else (remove, 20)
        done: list[str] = []
        with acting(url) as ads:
            # Most removals are refused, since somebody has an address, until the others have done.
            until = time.monotonic() + LONGEST / 2
            while len(done) < times and time.monotonic() < until:
                try:
                    done.append(work(ads))
                except (Conflict, NotFound):
                    # Whoever asks SQLite without a pause lets nobody else in.
                    time.sleep(0.005)
        return done

    done = Counter(what for answer in all_at_once(store_url, 4, act) for what in answer)
    assert done == {"removed": 20, "given": 180}
    with acting(store_url) as ads:
        assert ads.addresses.list() == []
        consistent(ads)


@pytest.mark.req("I2")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_client_killed_as_it_commits_loses_no_address(store_url: str, moment: str) -> None:
    prepared(store_url, "10.0.0.0/29", zone="west.example")

    def die(kill: Callable[[], None]) -> None:
        with acting(store_url) as ads:
            from adslib.adapters.store import Transaction

            commit = Transaction.commit

            def deadly(tx: Transaction) -> None:
                if moment == "after":
                    commit(tx)
                kill()

            Transaction.commit = deadly  # type: ignore[method-assign]
            ads.addresses.allocate(AddressRequest(network="blue", count=2, name=True, service="web", key="mine"))

    for _ in range(3):
        killed(die)
    with acting(store_url) as ads:
        # Whoever asks again with the key has what the dead one got, or gets it now.
        rows = ads.addresses.allocate(AddressRequest(network="blue", count=2, name=True, service="web", key="mine"))
        assert [row["address"] for row in rows.after["addresses"]] == ["10.0.0.1", "10.0.0.2"]
        assert len(got(ads, count=4)) == 4
        consistent(ads)


@pytest.mark.req("I5")
def test_a_release_that_comes_twice_takes_nothing_from_the_next(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")
    with acting(store_url) as ads:
        first = ads.addresses.allocate(AddressRequest(network="blue")).after["addresses"][0]["id"]
        ads.addresses.release([first])
        assert got(ads) == ["10.0.0.1"]
        with pytest.raises(Conflict, match="was released") as refused:
            ads.addresses.release([first])
        assert refused.value.code == "stale-release"
        with ads.app.store.reading() as tx:
            assert tx.addresses.at("default", [Address(4, read_address("10.0.0.1").number)])


@pytest.mark.req("I5", "I7")
def test_of_many_who_release_the_same_one_does_also_while_networks_are_split(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/23", vlan=110, datacenter="west")
    with acting(store_url) as ads:
        request = AddressRequest(network="blue", count=40)
        ids = [row["id"] for row in ads.addresses.allocate(request).after["addresses"]]

    def act(url: str, number: int) -> int:
        released = 0
        with acting(url) as ads:
            if number == 0:
                for _ in range(5):
                    ads.networks.split("blue", length=24)
                    ads.networks.merge(["blue", "blue-2"])
                return 0
            for id in ids:
                released += ads.addresses.release([id], missing_ok=True).changed
        return released

    assert sum(all_at_once(store_url, 5, act)) == len(ids)
    with acting(store_url) as ads:
        consistent(ads)
        free = ads.networks.show("blue")["free"]
        assert len(got(ads, count=free)) == free == 510


@pytest.mark.req("I7")
def test_ranges_that_are_held_back_at_once_are_all_held(store_url: str) -> None:
    prepared(store_url, "10.0.0.0/24")

    def hold(url: str, number: int) -> None:
        with acting(url) as ads:
            ads.networks.hold("blue", f"10.0.0.{number + 1}")

    all_at_once(store_url, 8, hold)
    with acting(store_url) as ads:
        assert len(ads.networks.show("blue")["held"]) == 8
