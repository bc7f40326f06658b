"""Transactions: all or nothing, never nested, the same on both databases."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from adapters.store.contest import killed
from adapters.store.records import NOON, job, machine, revision, standing, with_shop
from adslib.adapters.store import Crossed, Store, Transaction, connecting, open_store
from adslib.domain.assignment import Assignment
from adslib.domain.environment import Environment, Template
from adslib.domain.errors import Conflict, Failed
from adslib.domain.event import Event, EventFilter, EventLevel
from adslib.domain.gateway_setting import GatewaySetting

LINE = Event(NOON, EventLevel.INFO, "ann", "something happened")


def write_everything(tx: Transaction) -> None:
    """Write something of every noun."""
    tx.environments.add(Environment("e"))
    tx.revisions.add(revision("e", 1))
    tx.templates.add(Template("t", {}, ()))
    tx.machines.add_many([machine(1)])
    tx.machines.claim(["id-00001"], "e")
    tx.standings.put_many([standing("media-1", "id-00001", "e")])
    tx.jobs.add(job("j", "e"))
    tx.plans.add("p", "e", {}, NOON)
    tx.gateways.add(GatewaySetting("g", "sim"))
    tx.events.add(LINE)


def counts(store: Store) -> list[int]:
    """How many of every noun there are."""
    with store.reading() as tx:
        lists = (
            *(tx.environments.list(), tx.revisions.list("e"), tx.templates.list(), tx.machines.list(holder="e")),
            *(tx.standings.of("e"), tx.jobs.list(), tx.gateways.list(), tx.events.list(EventFilter())),
        )
        return [len(found) for found in lists]


@pytest.mark.req("A22")
def test_what_ends_well_lasts(store: Store, store_url: str) -> None:
    with store.transaction() as tx:
        write_everything(tx)
    store.close()
    with open_store(store_url) as again:
        assert counts(again) == [1] * 8


@pytest.mark.req("A22")
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Conflict])
def test_what_raises_leaves_nothing(store: Store, error: type[BaseException]) -> None:
    def write_and_fail() -> None:
        with store.transaction() as tx:
            write_everything(tx)
            raise error("stop")

    with pytest.raises(error, match="stop"):
        write_and_fail()
    assert counts(store) == [0] * 8
    with store.transaction() as tx:
        write_everything(tx)


@pytest.mark.req("A22", "A23")
@pytest.mark.parametrize("moment", ["before", "written", "after"])
def test_a_kill_at_the_commit_leaves_all_or_nothing(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    commit = Transaction.commit

    def act(die: Callable[[], None]) -> None:
        def dying(self: Transaction) -> None:
            if moment == "written":
                self.events._statements.flush()
            if moment == "after":
                commit(self)
            die()

        monkeypatch.setattr(Transaction, "commit", dying)
        with open_store(store_url) as own, own.transaction() as tx:
            write_everything(tx)

    killed(act)
    assert counts(store) == [int(moment == "after")] * 8
    # No lock is left behind either.
    with store.transaction() as tx:
        tx.events.add(LINE)


@pytest.mark.req("A22", "A23")
def test_a_kill_in_the_middle_loses_nothing_that_was_committed(store: Store, store_url: str) -> None:
    def act(die: Callable[[], None]) -> None:
        with open_store(store_url) as own:
            for number in range(20):
                with own.transaction() as tx:
                    tx.environments.add(Environment(f"e-{number}"))
            with own.transaction() as tx:
                tx.environments.add(Environment("half"))
                tx.machines.add_many([machine(number) for number in range(500)])
                die()

    killed(act)
    with store.transaction() as tx:
        assert {environment.name for environment in tx.environments.list()} == {f"e-{number}" for number in range(20)}
        assert tx.machines.list() == []
        tx.environments.add(Environment("half"))


@pytest.mark.parametrize("outer", ["transaction", "reading"])
@pytest.mark.parametrize("inner", ["transaction", "reading"])
def test_transactions_are_never_nested(store: Store, outer: str, inner: str) -> None:
    with getattr(store, outer)(), pytest.raises(RuntimeError, match="never nested"), getattr(store, inner)():
        pytest.fail("a transaction was opened in a transaction")
    with getattr(store, inner)():
        pass


def test_each_thread_has_a_transaction_of_its_own(store: Store) -> None:
    seen: list[int] = []

    def look() -> None:
        with store.reading() as tx:
            seen.append(len(tx.environments.list()))

    with store.transaction() as tx:
        tx.environments.add(Environment("shop"))
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(30)
    assert seen == [0], "a reader waits for no writer, and sees what is committed only"


@pytest.mark.req("A22")
def test_a_reading_writes_nothing(store: Store) -> None:
    with_shop(store, 1)
    writes: list[Callable[[Transaction], object]] = [
        lambda tx: tx.environments.add(Environment("e")),
        lambda tx: tx.environments.update(tx.environments.get("shop")),
        lambda tx: tx.environments.delete("shop"),
        lambda tx: tx.revisions.add(revision("shop", 1)),
        lambda tx: tx.templates.add(Template("t", {}, ())),
        lambda tx: tx.machines.add_many([machine(7)]),
        lambda tx: tx.machines.claim(["id-00000"], "shop"),
        lambda tx: tx.machines.release(["id-00000"], "shop"),
        lambda tx: tx.machines.delete_many(["id-00000"]),
        lambda tx: tx.standings.put_many([standing("media-1", "id-00000")]),
        lambda tx: tx.standings.remove_many("shop", ["media-1"]),
        lambda tx: tx.jobs.add(job("j")),
        lambda tx: tx.plans.add("p", "shop", {}, NOON),
        lambda tx: tx.gateways.add(GatewaySetting("g", "sim")),
        lambda tx: tx.events.add(LINE),
    ]
    for write in writes:
        with pytest.raises(RuntimeError, match="a reading changes nothing"), store.reading() as tx:
            write(tx)
    with store.transaction() as tx:
        tx.events.add(LINE)
    assert counts(store) == [2, 0, 0, 0, 0, 0, 0, 1]


def refuses(store: Store) -> None:
    """The database itself lets a reading change nothing."""
    for _ in range(2):
        with store.reading() as tx, pytest.raises(DBAPIError, match=r"readonly database|read-only transaction"):
            tx.events._statements.connection.execute(text("DELETE FROM events"))


def takes(store: Store) -> None:
    """The database takes what a transaction changes."""
    for _ in range(2):
        with store.transaction() as tx:
            tx.events.add(LINE)


@pytest.mark.req("A22")
def test_the_database_too_refuses_what_a_reading_writes(store: Store) -> None:
    for act in (refuses, takes, refuses, takes):
        act(store)
    # Two connections at once, of which one is dropped afterwards.
    for outer in (store.reading, store.transaction):
        with outer(), ThreadPoolExecutor(1) as thread:
            thread.submit(refuses, store).result(30)
        takes(store)
        refuses(store)
    with store.reading() as tx:
        tx.events._statements.connection.invalidate()
    takes(store)
    refuses(store)


@pytest.mark.req("A22")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("before", [refuses, takes])
def test_a_transaction_that_did_not_begin_changes_nothing_about_the_next(
    store_url: str, before: Callable[[Store], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "LONGEST_WAIT", 0.05)
    path = store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other, open_store(store_url) as own:
        before(own)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Failed, match="locked"), own.transaction():
            pytest.fail("a transaction began beside another one")
        refuses(own)
        other.execute("ROLLBACK")
        takes(own)


class Interrupted(sqlite3.Connection):
    """A connection that Ctrl-C meets once, right after it changed between reading and writing."""

    met = False

    def execute(self, *words: Any) -> sqlite3.Cursor:
        """Run a statement, and be interrupted."""
        cursor = super().execute(*words)
        if words[0].startswith("PRAGMA query_only") and not Interrupted.met:
            Interrupted.met = True
            signal.raise_signal(signal.SIGINT)
        return cursor


@pytest.mark.req("A22")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("before", "interrupted"), [(refuses, "transaction"), (takes, "reading")])
def test_an_interrupt_between_reading_and_writing_confuses_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch, before: Callable[[Store], None], interrupted: str
) -> None:
    event.listen(store._database.engine, "do_connect", lambda *told: told[-1].update(factory=Interrupted))
    store._database.engine.dispose()
    monkeypatch.setattr(Interrupted, "met", True)
    before(store)
    monkeypatch.setattr(Interrupted, "met", False)
    with pytest.raises(KeyboardInterrupt), getattr(store, interrupted)():
        pytest.fail("it was not interrupted")
    before(store)
    refuses(store)
    takes(store)


@pytest.mark.req("A22")
def test_what_was_undone_changes_nothing_any_more(store: Store) -> None:
    with store.transaction() as tx:
        tx.undo()
        with pytest.raises(RuntimeError, match="nor does what was undone"):
            tx.events.add(LINE)
    assert counts(store) == [0] * 8


@pytest.mark.req("A22")
def test_a_reading_sees_one_moment(store: Store, store_url: str) -> None:
    with open_store(store_url) as other, store.reading() as tx:
        assert tx.environments.list() == []
        with other.transaction() as writing:
            writing.environments.add(Environment("shop"))
        assert tx.environments.list() == []
    with store.reading() as tx:
        assert len(tx.environments.list()) == 1


@pytest.mark.req("A22")
def test_a_fork_goes_on_in_both_halves(store: Store) -> None:
    with store.transaction() as tx:
        tx.environments.add(Environment("before"))
    for number in range(3):
        child = os.fork()
        if not child:
            code = 1
            try:
                with store.transaction() as tx:
                    tx.environments.add(Environment(f"child-{number}"))
                store.close()
                code = 0
            finally:
                os._exit(code)
        with store.transaction() as tx:
            tx.environments.add(Environment(f"parent-{number}"))
        assert os.waitpid(child, 0)[1] == 0
    with store.reading() as tx:
        assert len(tx.environments.list()) == 7


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="is closed"), store.reading():
        pytest.fail("a closed store was read")


@pytest.mark.req("I2")
def test_what_is_refused_as_it_is_committed_leaves_the_connection_fit_for_the_next(store_url: str) -> None:
    words = ("", "", "", "", "default", NOON, "ann")
    one = Assignment("a", "n", "default", 4, 1, "", None, "", None, "", *words)
    with open_store(store_url) as store:
        with store.transaction() as tx:
            tx.addresses.add([one])
        for _ in range(2):
            with pytest.raises(Crossed), store.transaction() as tx:
                tx.addresses.add([one._replace(id="b")])
        with store.reading() as tx:
            assert tx.addresses.list() == [one]
