"""Deployments at the same moment, in processes of their own, on both databases: no machine is ever held twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from adapters.store.contest import all_at_once
from adslib.domain.errors import AdsError, Blocked, Conflict
from adslib.usecases.ads import Ads
from usecases.acting import acting, begin, carry_out, document, pool, seen, with_cloud, with_machines

NAMES = ("shop", "bank", "mail", "blog")


def prepared(ads: Ads, *machines: str, environments: int = 2) -> None:
    with_machines(ads, *machines)
    for name in NAMES[:environments]:
        ads.environments.create(document(name, web=1))


def try_to_begin(url: str, number: int) -> tuple[str, str]:
    """Begin to deploy an environment of one's own: what became of it, and what was said."""
    with acting(url) as ads:
        try:
            return "begun", begin(ads, NAMES[number]).id
        except (Blocked, Conflict) as refused:
            return refused.code, str(refused)


def try_the_same(url: str, number: int) -> tuple[str, str]:
    """Begin to deploy one and the same environment."""
    return try_to_begin(url, 0)


def carry_out_own(url: str, number: int) -> str:
    """Deploy an environment of one's own, and return it."""
    with acting(url) as ads:
        try:
            states = [carry_out(ads, NAMES[number], kind).after["state"] for kind in ("deploy", "undeploy", "deploy")]
        except AdsError as error:
            return str(error)
        return ",".join(states)


def held(url: str) -> dict[str, list[str]]:
    """Who holds what."""
    with acting(url) as ads:
        result: dict[str, list[str]] = {}
        for name, holder in pool(ads).items():
            result.setdefault(holder, []).append(name)
        return result


@pytest.mark.req("A10", "A22")
def test_exactly_one_wins_where_there_is_enough_for_one(store_url: str) -> None:
    with acting(store_url) as ads:
        prepared(ads, "m1", "m2", "m3")
    answers = all_at_once(store_url, 2, try_to_begin)
    assert [said for said, _ in answers].count("begun") == 1
    winner = next(NAMES[number] for number, (said, _) in enumerate(answers) if said == "begun")
    (loser,) = [NAMES[number] for number, (said, _) in enumerate(answers) if said != "begun"]
    found = held(store_url)
    assert (len(found[winner]), len(found[""])) == (2, 1)
    assert loser not in found
    with acting(store_url) as ads:
        assert ads.environments.show(loser)["state"] == "not-deployed"
        assert len(ads.jobs.list()) == 1


@pytest.mark.req("A10", "A22")
def test_all_win_where_there_is_enough_for_all(store_url: str) -> None:
    with acting(store_url) as ads:
        prepared(ads, *(f"m{number}" for number in range(8)), environments=4)
    answers = all_at_once(store_url, 4, try_to_begin)
    assert [said for said, _ in answers] == ["begun"] * 4, answers
    assert {holder: len(names) for holder, names in held(store_url).items()} == dict.fromkeys(NAMES, 2)


@pytest.mark.req("A10", "A12")
def test_one_environment_is_deployed_once_whoever_asks(store_url: str) -> None:
    with acting(store_url) as ads:
        prepared(ads, *(f"m{number}" for number in range(8)), environments=1)
    answers = all_at_once(store_url, 4, try_the_same)
    assert Counter(said for said, _ in answers) == {"begun": 1, "conflict": 3}
    assert all("is at work" in text or "shop" in text for said, text in answers if said == "conflict")
    assert len(held(store_url)["shop"]) == 2


@pytest.mark.req("A10", "A13")
def test_whole_deployments_side_by_side_never_share_a_machine_of_pool_or_cloud(store_url: str) -> None:
    with acting(store_url) as ads:
        with_cloud(ads, quota=20)
        prepared(ads, "m1", "m2", "m3", environments=3)
    answers: list[Any] = all_at_once(store_url, 3, carry_out_own)
    assert answers == ["live,not-deployed,live"] * 3
    with acting(store_url) as ads:
        with ads.app.store.reading() as tx:
            on = Counter(s.machine_id for name in NAMES[:3] for s in tx.standings.of(name))
            owners = {m.id: m.holder for m in tx.machines.list()}
            standing = {s.machine_id: s.environment for name in NAMES[:3] for s in tx.standings.of(name)}
        assert set(on.values()) == {1}
        assert len(on) == 6
        assert {id: owners[id] for id in standing} == standing
        assert seen(ads) == set(pool(ads)) - {"m1", "m2", "m3"}
