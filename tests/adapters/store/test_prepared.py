"""Statements that run on the driver itself: they keep and tell the same as those that SQLAlchemy runs."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, bindparam, literal_column, or_, select, update

from adapters.store.records import NOON
from adslib.adapters.store import Crossed, Store, Transaction
from adslib.adapters.store.address_schema import addresses
from adslib.adapters.store.prepared import TOGETHER
from adslib.domain.assignment import Assignment
from adslib.domain.block import Strip
from adslib.domain.errors import Failed, Invalid
from adslib.domain.event import Event, EventFilter, EventLevel
from adslib.domain.network import Held, Network
from adslib.domain.prefix import Address, Prefix, read_prefix
from servers import plain

BLUE = Network("n", "blue", "default", read_prefix("10.0.0.0/24"))
ONE = Assignment("a", "n", "default", 4, 1, "", None, "", None, "", "", "", "", "", "default", NOON, "ann")
LINE = Event(NOON, EventLevel.INFO, "ann", "something happened")

# PostgreSQL keeps no zero bytes, and no database half a character.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    ["%", "%s", "%%(ids)s", ":ids", "?", "$1", "{a}", '"', "'", "\\", "NULL", "é", "e\u0301", "😀"]
)
TAGS = st.dictionaries(TEXTS, TEXTS)
ELSEWHERE = timezone(timedelta(hours=5, minutes=45))
MOMENTS = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000)).map(
    lambda since: (NOON + since).astimezone(ELSEWHERE)
)
NUMBERS = st.integers(0, 2**128 - 1)
MANY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def blue(store: Store) -> Store:
    """A store with a network and an address of it."""
    with store.transaction() as tx:
        tx.networks.add(BLUE)
        tx.addresses.add([ONE])
    return store


@pytest.mark.req("I2", "I9")
@MANY
@given(
    id=TEXTS, number=st.none() | NUMBERS, label=st.none() | TEXTS, place=st.none() | st.integers(-(2**63), 2**63 - 1),
    why=TEXTS, at=MOMENTS, others=st.lists(TEXTS),
)  # fmt: skip
def test_an_assignment_is_read_as_it_was_written_on_either_road(
    blue: Store, id: str, number: int | None, label: str | None, place: int | None, why: str, at: datetime,
    others: list[str],
) -> None:  # fmt: skip
    new = ONE._replace(id=f"b{id}", space="other", version=6, number=number, zone=why, label=label)
    new = new._replace(place=place, why=why, given=at, seen=at)
    with blue.transaction() as tx:
        tx.addresses.add([new, ONE._replace(id="c", number=2)])
        assert tx.addresses.list(space="other") == [new]
        found = tx.addresses.by_ids([*others, new.id])
        assert found[new.id] == new
        assert found.keys() <= {*others, new.id}
        tx.addresses.end([new.id], at, why)
        assert tx.addresses.ended([new.id]) == {new.id: at}
        if number is not None:
            assert tx.addresses.history("other", Address(6, number)) == [(new, at, why)]
        tx.undo()


@pytest.mark.req("I2", "A22")
@MANY
@given(
    count=st.integers(2, 3 * TOGETHER), labels=st.lists(TEXTS, min_size=2, max_size=4), why=st.lists(TEXTS, min_size=1),
    places=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1), at=st.lists(MOMENTS, min_size=1),
)  # fmt: skip
def test_many_are_read_as_they_were_written_whatever_they_have_in_common(
    blue: Store, count: int, labels: list[str], why: list[str], places: list[int | None], at: list[datetime]
) -> None:
    new = [
        ONE._replace(
            id=f"{number:03}", space="other", number=number, zone=f"{number}", label=labels[number % len(labels)],
            place=places[number % len(places)], why=why[number % len(why)], given=at[number % len(at)],
        )
        for number in range(count)
    ]  # fmt: skip
    with blue.transaction() as tx:
        tx.addresses.add(new)
        assert tx.addresses.list(space="other") == new
        tx.undo()


@pytest.mark.req("A21", "A22")
def test_lines_that_are_all_alike_are_all_written(blue: Store) -> None:
    with blue.transaction() as tx:
        tx.events.add_many([LINE, replace(LINE, data={"a": 1}), replace(LINE, data={"a": True})] + [LINE] * TOGETHER)
    with blue.reading() as tx:
        found = tx.events.list(EventFilter())[::-1]
    assert [replace(line, id=0) for line in found] == [
        LINE, replace(LINE, data={"a": 1}), replace(LINE, data={"a": True}), *[LINE] * TOGETHER,
    ]  # fmt: skip
    assert [type(line.data["a"]) for line in found[1:3]] == [int, bool]


@pytest.mark.req("I1", "I9")
@MANY
@given(tags=TAGS, why=TEXTS, numbers=st.lists(NUMBERS), position=st.integers(-(2**31), 2**31 - 1), name=TEXTS)
def test_a_network_is_read_as_it_was_written(
    store: Store, tags: dict[str, str], why: str, numbers: list[int], position: int, name: str
) -> None:
    places = tuple(Address(6, number) for number in numbers)
    network = Network(
        "m", name, "other", Prefix(6, 0, 0), lan=why, position=position, gateway=next(iter(places), None),
        resolvers=places, held=tuple(Held(place, place, why) for place in places), tags=tags,
    )  # fmt: skip
    with store.transaction() as tx:
        tx.networks.add(network)
        assert tx.networks.named(name) == tx.networks.list(space="other") == [network]
        tx.undo()


@pytest.mark.req("I1")
def test_a_network_that_was_read_is_nobodys_to_change(blue: Store) -> None:
    with blue.reading() as tx:
        tags: Any = tx.networks.get("blue").tags
        with pytest.raises(TypeError):
            tags["colour"] = "red"


@pytest.mark.req("I2")
def test_none_and_thousands_are_looked_for_alike(blue: Store) -> None:
    with blue.reading() as tx:
        assert tx.addresses.by_ids([]) == {}
        assert list(tx.addresses.by_ids(["a", *map(str, range(70_000))])) == ["a"]


@pytest.mark.req("I5")
def test_a_word_is_not_looked_for_up_to_its_zero_byte(blue: Store) -> None:
    with pytest.raises(Invalid, match="the value cannot be stored"), blue.reading() as tx:
        tx.addresses.by_ids(["a\0b"])


@pytest.mark.req("A22")
@pytest.mark.parametrize(
    "write",
    [
        lambda tx: tx.addresses.end(["a"], NOON.replace(tzinfo=None), "ann"),
        lambda tx: tx.addresses.add([ONE._replace(id="b", number="5")]),
        lambda tx: tx.addresses.add([ONE._replace(id="b", number=2**128)]),
        lambda tx: tx.addresses.add([ONE._replace(id="b", number=2, place=2**63)]),
        lambda tx: tx.addresses.add([ONE._replace(id="\udc80", number=2)]),
        lambda tx: tx.addresses.add([ONE._replace(id=id, number=2, place=2**63) for id in "bc"]),
    ],
)
def test_a_value_that_cannot_be_stored_is_told_and_nothing_is(
    blue: Store, write: Callable[[Transaction], object]
) -> None:
    def fail() -> None:
        with blue.transaction() as tx:
            tx.events.add(LINE)
            write(tx)

    with pytest.raises(Invalid, match="the value cannot be stored"):
        fail()
    with blue.reading() as tx:
        assert tx.addresses.list() == [ONE]
        assert tx.events.list(EventFilter()) == []


@pytest.mark.req("A22")
@pytest.mark.parametrize("goes_on", [True, False])
def test_whoever_goes_on_after_a_failure_never_commits_half(blue: Store, goes_on: bool) -> None:
    def fail() -> None:
        with blue.transaction() as tx:
            tx.events.add(LINE)
            tx.networks.list()
            tx.addresses.add([ONE._replace(id="b")])
            with suppress(Crossed):
                tx.networks.list()
            if goes_on:
                tx.addresses.add([ONE._replace(id="c", number=3)])

    with pytest.raises((Crossed, Failed), match=r"faster|aborted"):
        fail()
    with blue.reading() as tx:
        assert tx.addresses.list() == [ONE]
        assert tx.events.list(EventFilter()) == []


@pytest.mark.req("A22")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_is_damaged_behind_the_first_row_is_told(blue: Store, store_url: str) -> None:
    with blue.transaction() as tx:
        tx.addresses.add([ONE._replace(id="b", number=2)])
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as database, database:
        database.execute("UPDATE addresses SET why = CAST(x'ff' AS TEXT) WHERE id = 'b'")
    with pytest.raises(Failed, match=r"the store does not work.*why"), blue.reading() as tx:
        tx.addresses.locked(["a", "b"])


@pytest.mark.req("A22", "A23")
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "act",
    [
        lambda tx: tx.networks.named("blue"),
        lambda tx: tx.networks.list(),
        lambda tx: tx.addresses.add([ONE._replace(id="c", number=3)]),
        lambda tx: None,
    ],
)
def test_a_connection_that_is_lost_in_a_transaction_is_one_error_and_the_next_has_another(
    blue: Store,
    store_url: str,
    act: Callable[[Transaction], object],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # As where nobody has set up any logging: warnings would go to the terminal.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'ads'"

    def fail() -> None:
        with blue.transaction() as tx:
            tx.addresses.add([ONE._replace(id="b", number=2)])
            tx.networks.list()
            with psycopg.connect(plain(store_url), autocommit=True) as connection:
                connection.execute(f"{others} AND datname = current_database()")
            act(tx)

    with pytest.raises(Failed, match="the store does not work: the server"):
        fail()
    with blue.transaction() as tx:
        assert tx.addresses.list() == [ONE]
        tx.addresses.end(["a"], NOON, "ann")
    assert capfd.readouterr().err == ""


@pytest.mark.req("I2", "A21")
def test_changes_of_several_tables_are_all_written_or_none(blue: Store) -> None:
    def give(id: str) -> None:
        with blue.transaction() as tx:
            tx.events.add(LINE)
            tx.addresses.add([ONE._replace(id=id, number=2)])

    give("b")
    with pytest.raises(Crossed):
        give("c")
    with blue.reading() as tx:
        assert set(tx.addresses.by_ids(["a", "b", "c"])) == {"a", "b"}
        assert [line.text for line in tx.events.list(EventFilter())] == [LINE.text]


@pytest.mark.req("I2", "I5")
def test_changes_of_one_table_follow_each_other(blue: Store) -> None:
    strip = Strip("n", range(256), ())
    with blue.transaction() as tx:
        assert tx.blocks.take(strip, 3) == [0, 1, 2]
    with blue.transaction() as tx:
        # Both are changes of the same block, written together at the end.
        tx.blocks.rest("n", [0])
        tx.blocks.give_back("n", [1])
        tx.addresses.end(["a"], NOON, "ann")
    with blue.transaction() as tx:
        assert tx.blocks.taken(["n"]) == {"n": 1}
        assert tx.blocks.take(strip, 1) == [1]
        assert tx.addresses.by_ids(["a"]) == {}
        assert [was.id for was, _, _ in tx.addresses.history("default", Address(4, 1))] == ["a"]


# A parameter that is named twice, one that is always the same, and what is no mark although it looks like one.
FOUND = (
    select(addresses.c.id, literal_column("'100%s %% ?'", Text))
    .where(or_(addresses.c.id == bindparam("word"), addresses.c.why == bindparam("word")))
    .where(addresses.c.actor.like("%nn%"), addresses.c.version == bindparam("version"))
)
SAID = update(addresses).where(addresses.c.id == bindparam("which")).values(why=bindparam("said"))


@pytest.mark.req("I2")
@pytest.mark.parametrize("values", [{"word": "a", "version": 4}, {"version": 4, "word": "a"}])
def test_parameters_are_given_in_any_order(blue: Store, values: dict[str, Any]) -> None:
    with blue.reading() as tx:
        assert [tuple(row) for row in tx.addresses._statements.rows(FOUND, values)] == [("a", "100%s %% ?")]


@pytest.mark.req("A22")
@pytest.mark.parametrize("values", [{"said": "x"}, {"said": "x", "which": "a", "who": "ann"}])
def test_a_parameter_that_is_missing_or_none_of_the_statement_is_a_defect(blue: Store, values: dict[str, Any]) -> None:
    with blue.transaction() as tx, pytest.raises(TypeError, match=r"parameters are \['said', 'which'\], not"):
        tx.addresses._statements.write_later(SAID, **values)


@pytest.mark.req("I2")
def test_rows_are_written_as_they_were_given_whatever_becomes_of_their_list(blue: Store) -> None:
    # A column may begin with nothing, and its values may be of any size.
    given = [
        ONE._replace(id=f"b{number}", version=6, number=place, label=label, place=rank, seen=seen)
        for number, (place, label, rank, seen) in enumerate(
            [(None, None, None, None), (5, "x", None, None), (2**127, None, 2**40, NOON), (None, "y", -(2**63), NOON)]
        )
    ]
    wanted = {each.id: each for each in given}
    with blue.transaction() as tx:
        tx.addresses.add(given)
        given.clear()
        tx.addresses.add(given)
    with blue.reading() as tx:
        assert tx.addresses.by_ids(wanted) == wanted
