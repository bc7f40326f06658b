"""The log in the store (A21)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select

from adslib.adapters.store.columns import holds
from adslib.adapters.store.schema import events
from adslib.adapters.store.statements import Statements
from adslib.domain.event import Event, EventFilter, EventLevel

_COLUMNS = [
    events.c[name] for name in ("at", "level", "actor", "text", "environment", "machine", "job", "data", "tenant", "id")
]


_ADD = insert(events).inline()


class Events:
    """The lines of the log, as one transaction sees and adds to them; they are never changed."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, event: Event) -> None:
        """Write a line at the end of the transaction. Ids grow with time.

        Bytes of other programs that are no text, and zero bytes, are written as escapes: a line is never refused.
        """
        self._statements.write_later(_ADD, **_row(event))

    def add_many(self, new: Sequence[Event]) -> None:
        """Write lines in one statement, in their order; see `add`."""
        if new:
            rows = [_row(event) for event in new]
            self._statements.write_all_later(_ADD, tuple(rows[0]), [tuple(row.values()) for row in rows])

    def list(
        self, wanted: EventFilter, *, before_id: int | None = None, tenant: str | None = None
    ) -> builtins.list[Event]:
        """Lines that pass the filter, newest first.

        Args:
            wanted: at this level or graver; from `since` on, before `until`.
            before_id: only lines older than this one, to go on from the last line of the page before.
        """
        query = select(*_COLUMNS).order_by(events.c.id.desc()).limit(wanted.limit)
        if wanted.text:
            query = query.where(events.c.folded.contains(_storable(wanted.text).casefold(), autoescape=True))
        if wanted.since is not None:
            # The id, too, so that nobody reads on to the beginning of the log; + 0, or SQLite looks for it from there.
            first = select(func.min(events.c.id + 0)).where(events.c.at >= wanted.since).scalar_subquery()
            query = query.where(events.c.at >= wanted.since, events.c.id >= first)
        if wanted.until is not None:
            query = query.where(events.c.at < wanted.until)
        if wanted.level is not None:
            query = query.where(events.c.level >= int(wanted.level))
        if wanted.actor:
            query = query.where(events.c.actor == wanted.actor)
        if wanted.environment:
            query = query.where(holds(events.c.environment, wanted.environment))
        if before_id is not None:
            query = query.where(events.c.id < before_id)
        if tenant is not None:
            query = query.where(events.c.tenant == tenant)
        return [_event(row) for row in self._statements.rows(query)]


def _row(event: Event) -> dict[str, Any]:
    text = _storable(event.text)
    return {
        "at": event.at,
        "level": int(event.level),
        "actor": event.actor,
        "text": text,
        "folded": text.casefold(),
        "environment": event.environment,
        "machine": event.machine,
        "job": event.job,
        "data": event.data,
        "tenant": event.tenant,
    }


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _event(row: Any) -> Event:
    at, level, *rest = row
    return Event(at, EventLevel(level), *rest)
