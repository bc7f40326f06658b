"""Real processes that want the same thing at once: the database has the last word, on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.store.contest import all_at_once
from adapters.store.records import NOON, OWNER, job, with_shop
from adslib.adapters.store import Store, open_store
from adslib.domain.environment import Environment
from adslib.domain.errors import AdsError, Conflict
from adslib.domain.event import Event, EventFilter, EventLevel

PROCESSES = 8


def contend(url: str, count: int, act: Callable[[Store, int], Any]) -> list[Any]:
    """Let processes act at once, each with a store of its own."""

    def with_store(url: str, number: int) -> Any:
        with open_store(url) as own:
            return act(own, number)

    return all_at_once(url, count, with_store)


@pytest.mark.req("A10")
def test_eight_processes_never_share_a_machine(store: Store, store_url: str) -> None:
    with_shop(store, 40)
    with store.transaction() as tx:
        for number in range(PROCESSES):
            tx.environments.add(Environment(f"e-{number}"))

    def act(own: Store, number: int) -> tuple[set[str], int]:
        """Take what is free in the order of one's own dice, some at a time, until nothing is left."""
        dice = random.Random(number)
        mine: set[str] = set()
        lost = 0
        while True:
            with own.reading() as tx:
                free = [machine.id for machine in tx.machines.list(free=True)]
            if not free:
                return mine, lost
            wanted = dice.sample(free, min(3, len(free)))
            try:
                with own.transaction() as tx:
                    tx.machines.claim(wanted, f"e-{number}")
                mine.update(wanted)
            except Conflict:
                lost += 1

    taken = contend(store_url, PROCESSES, act)
    claimed = [machine for mine, _ in taken for machine in mine]
    assert len(claimed) == len(set(claimed)) == 40
    with store.reading() as tx:
        for number, (mine, _) in enumerate(taken):
            assert {machine.id for machine in tx.machines.list(holder=f"e-{number}")} == mine


@pytest.mark.req("A10", "A22")
def test_eight_processes_start_one_job(store: Store, store_url: str) -> None:
    with_shop(store)

    def act(own: Store, number: int) -> str:
        try:
            with own.transaction() as tx:
                tx.jobs.add(job(f"j-{number}", actor=f"p-{number}"))
        except Conflict as error:
            return str(error)
        return ""

    said = contend(store_url, PROCESSES, act)
    assert said.count("") == 1
    winner = said.index("")
    assert all(f"deploy j-{winner}, queued, by p-{winner}" in message for message in said if message)


@pytest.mark.req("A22")
def test_the_same_request_at_once_makes_one_job(store: Store, store_url: str) -> None:
    with_shop(store)

    def act(own: Store, number: int) -> str:
        with own.transaction() as tx:
            return tx.jobs.add(job(f"j-{number}", request_key="key")).id

    assert len(set(contend(store_url, PROCESSES, act))) == 1


@pytest.mark.req("A22")
def test_one_of_eight_workers_gets_a_job(store: Store, store_url: str) -> None:
    with_shop(store)
    with store.transaction() as tx:
        tx.jobs.add(job("j"))

    def act(own: Store, number: int) -> int | None:
        try:
            with own.transaction() as tx:
                return tx.jobs.claim("j", replace(OWNER, pid=number), NOON).attempt
        except Conflict:
            return None

    assert sorted(contend(store_url, PROCESSES, act), key=str) == [1] + [None] * (PROCESSES - 1)


@pytest.mark.req("A23")
def test_no_update_is_lost(store: Store, store_url: str) -> None:
    with_shop(store)

    def act(own: Store, number: int) -> None:
        for turn in range(5):
            while True:
                with own.reading() as tx:
                    read = tx.environments.get("shop")
                try:
                    with own.transaction() as tx:
                        tx.environments.update(replace(read, revision=read.revision + 1))
                        tx.events.add(Event(NOON, EventLevel.INFO, f"p-{number}", f"turn {turn}"))
                    break
                except Conflict:
                    continue

    contend(store_url, PROCESSES, act)
    with store.reading() as tx:
        shop = tx.environments.get("shop")
        assert (shop.revision, shop.generation) == (1 + PROCESSES * 5, PROCESSES * 5)
        assert len(tx.events.list(EventFilter(limit=1000))) == PROCESSES * 5


@pytest.mark.req("A13")
def test_an_environment_goes_or_gets_a_machine_but_never_both(store: Store, store_url: str) -> None:
    with_shop(store, 1)

    def act(own: Store, number: int) -> str:
        try:
            with own.transaction() as tx:
                if number % 2:
                    tx.environments.delete("shop")
                else:
                    tx.machines.claim(["id-00000"], "shop")
        except AdsError as error:
            return type(error).__name__
        return "done"

    said: list[Any] = contend(store_url, 2, act)
    with store.reading() as tx:
        gone = tx.environments.find("shop") is None
        assert tx.machines.get("m-00000").holder == ("" if gone else "shop")
    assert said == (["NotFound", "done"] if gone else ["done", "Conflict"])
