"""The log, filtered by text, time window, level, user and environment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from adslib.domain.actor import Permission
from adslib.domain.errors import Forbidden, Invalid
from adslib.domain.event import Event, EventFilter, EventLevel
from adslib.domain.moments import moment_of
from adslib.usecases.ads import Ads

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def logged(ads: Ads) -> Ads:
    """A log with a line every hour from noon on."""
    lines = [
        (EventLevel.INFO, "ann", "machine 'web1' added", ""),
        (EventLevel.WARNING, "bob", "deploy of 'shop' interrupted", "shop"),
        (EventLevel.ERROR, "ann", "web-1 FAILED: Straße closed", "shop"),
        (EventLevel.DEBUG, "bob", "100 % of it", "other"),
    ]
    with ads.app.store.transaction() as tx:
        for hour, (level, actor, text, environment) in enumerate(lines):
            tx.events.add(Event(NOON + timedelta(hours=hour), level, actor, text, environment))
        tx.events.add(Event(NOON, EventLevel.CRITICAL, "mallory", "not yours", tenant="other"))
    return ads


@pytest.mark.req("A21")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EventFilter(), [3, 2, 1, 0]),
        (EventFilter(text="failed"), [2]),
        (EventFilter(text="STRASSE"), [2]),
        (EventFilter(text="100 %"), [3]),
        (EventFilter(text="_"), []),
        (EventFilter(level=EventLevel.WARNING), [2, 1]),
        (EventFilter(actor="ann"), [2, 0]),
        (EventFilter(environment="shop"), [2, 1]),
        (EventFilter(since=NOON + timedelta(hours=1)), [3, 2, 1]),
        (EventFilter(until=NOON + timedelta(hours=1)), [0]),
        (EventFilter(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)), [2, 1]),
        (EventFilter(limit=2), [3, 2]),
        (EventFilter(text="i", actor="bob", environment="shop", level=EventLevel.INFO), [1]),
    ],
)
def test_filters(logged: Ads, wanted: EventFilter, found: list[int]) -> None:
    rows = logged.events.list(wanted)
    assert [datetime.fromisoformat(row["at"]) for row in rows] == [NOON + timedelta(hours=hour) for hour in found]


@pytest.mark.req("A21")
def test_pages_follow_each_other(logged: Ads) -> None:
    first = logged.events.list(EventFilter(limit=3))
    second = logged.events.list(EventFilter(limit=3), before_id=first[-1]["id"])
    assert [row["text"] for row in second] == ["machine 'web1' added"]


def test_a_line_as_data(logged: Ads) -> None:
    row = logged.events.list(EventFilter(text="interrupted"))[0]
    assert row == {
        "id": row["id"],
        "at": "2026-05-01T13:00:00+00:00",
        "level": "warning",
        "actor": "bob",
        "environment": "shop",
        "machine": "",
        "job": "",
        "text": "deploy of 'shop' interrupted",
        "data": {},
    }


@pytest.mark.req("A20", "A21")
def test_each_tenant_reads_its_own(logged: Ads, acting: Callable[..., Ads]) -> None:
    assert [row["actor"] for row in acting("mallory", tenant="other").events.list()] == ["mallory"]
    assert "mallory" not in {row["actor"] for row in logged.events.list()}
    with pytest.raises(Forbidden):
        acting("nobody", permissions={Permission.DEFINE}).events.list()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (EventFilter(since=NOON, until=NOON), "the window ends"),
        (EventFilter(limit=0), "limit 0 is out of bounds"),
        (EventFilter(limit=10_001), "limit 10001 is out of bounds"),
    ],
)
def test_wrong_filters(ads: Ads, wanted: EventFilter, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        ads.events.list(wanted)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOON - timedelta(hours=2)),
        ("90s", NOON - timedelta(seconds=90)),
        ("30 m", NOON - timedelta(minutes=30)),
        ("7d", NOON - timedelta(days=7)),
        ("1w", NOON - timedelta(days=7)),
        ("2026-05-01", NOON - timedelta(hours=12)),
        ("2026-05-01T11:00:00+02:00", NOON - timedelta(hours=3)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert moment_of(text, NOON) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2", "h", "99999999999d", "2026-13-01", "-2h"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(Invalid, match="is no time"):
        moment_of(text, NOON, "--since")
