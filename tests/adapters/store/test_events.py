"""The log in the store, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.store.records import NOON
from adslib.adapters.store import Store
from adslib.domain.event import Event, EventFilter, EventLevel

LINES = [
    Event(NOON, EventLevel.INFO, "ann", "Straße gesperrt", environment="shop", tenant="acme"),
    Event(NOON + timedelta(seconds=1), EventLevel.ERROR, "bob", "machine ÄÖ-1 failed: 100%_", "shop", "m-1", "j-1"),
    Event(NOON + timedelta(seconds=2), EventLevel.DEBUG, "ann", "deploy began", "bank", data={"b": 1, "a": [1.5]}),
]


@pytest.fixture
def log(store: Store) -> Store:
    """A store with three lines."""
    with store.transaction() as tx:
        for line in LINES:
            tx.events.add(line)
    with store.reading() as tx:
        ids = [line.id for line in tx.events.list(EventFilter())]
    assert ids == sorted(set(ids), reverse=True)
    return store


@pytest.mark.req("A21")
def test_lines_come_back_as_they_were_newest_first(log: Store) -> None:
    with log.reading() as tx:
        found = tx.events.list(EventFilter())
    assert [replace(line, id=0) for line in found] == LINES[::-1]


@pytest.mark.req("A21")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(text="STRASSE"), [0]),
        (EventFilter(text="äö-1"), [1]),
        (EventFilter(text="100%_"), [1]),
        (EventFilter(text="%"), [1]),
        (EventFilter(text="e"), [2, 1, 0]),
        (EventFilter(text="nothing like it"), []),
        (EventFilter(since=NOON + timedelta(seconds=1)), [2, 1]),
        (EventFilter(until=NOON + timedelta(seconds=1)), [0]),
        (EventFilter(since=NOON, until=NOON + timedelta(seconds=2)), [1, 0]),
        (EventFilter(level=EventLevel.INFO), [1, 0]),
        (EventFilter(level=EventLevel.CRITICAL), []),
        (EventFilter(actor="ann"), [2, 0]),
        (EventFilter(environment="shop"), [1, 0]),
        (EventFilter(text="f", level=EventLevel.ERROR, actor="bob", environment="shop"), [1]),
        (EventFilter(limit=2), [2, 1]),
    ],
    ids=str,
)
def test_lines_are_filtered(log: Store, wanted: EventFilter, expected: list[int]) -> None:
    with log.reading() as tx:
        assert [line.text for line in tx.events.list(wanted)] == [LINES[number].text for number in expected]


@pytest.mark.req("A21")
def test_pages_follow_each_other_without_gap(log: Store) -> None:
    with log.transaction() as tx:
        for number in range(20):
            tx.events.add(replace(LINES[0], text=f"line {number}"))
    seen: list[int] = []
    before: int | None = None
    while True:
        with log.reading() as tx:
            page = tx.events.list(EventFilter(limit=7), before_id=before)
        if not page:
            break
        seen += [line.id for line in page]
        before = page[-1].id
        with log.transaction() as tx:
            tx.events.add(replace(LINES[0], text="came in meanwhile"))
    assert len(seen) == 23
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.req("A21", "A20")
def test_a_tenant_sees_its_own_lines(log: Store) -> None:
    with log.reading() as tx:
        assert [line.actor for line in tx.events.list(EventFilter(), tenant="acme")] == ["ann"]


@pytest.mark.req("A21")
def test_what_other_programs_print_is_never_refused(store: Store) -> None:
    with store.transaction() as tx:
        tx.events.add(replace(LINES[0], text="a\0b \udcff", data={"out": "a\0b \udcff"}))
        (line,) = tx.events.list(EventFilter(text="A\0B"))
    assert line.text == "a\\x00b \\udcff"
    assert line.data == {"out": "a\0b \udcff"}
