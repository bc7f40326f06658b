"""Events: the log, filtered (A21)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import Invalid
from adslib.domain.event import Event, EventFilter

MOST = 10_000


class Events:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def list(self, wanted: EventFilter | None = None, *, before_id: int = 0) -> Sequence[Mapping[str, Any]]:
        """The lines of the actor's tenant that pass a filter, newest first (A21).

        Args:
            before_id: only lines older than this one: the last of the page before; 0: from the newest on.

        Raises:
            Invalid: the window ends before it begins, or the limit is out of bounds.
        """
        self._actor.must(Permission.VIEW, "events")
        wanted = wanted or EventFilter()
        if wanted.since and wanted.until and wanted.since >= wanted.until:
            raise Invalid(
                f"the window ends ({wanted.until.isoformat()}) before it begins ({wanted.since.isoformat()})",
                remedy="let 'until' be later than 'since'",
            )
        if not 0 < wanted.limit <= MOST:
            raise Invalid(f"the limit {wanted.limit} is out of bounds", remedy=f"use 1 to {MOST}")
        with self._app.store.reading() as tx:
            found = tx.events.list(wanted, before_id=before_id or None, tenant=self._actor.tenant)
        return [event_shown(event) for event in found]


def event_shown(event: Event) -> dict[str, Any]:
    """A line of the log as plain data."""
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "level": event.level.name.lower(),
        "actor": event.actor,
        "environment": event.environment,
        "machine": event.machine,
        "job": event.job,
        "text": event.text,
        "data": dict(event.data),
    }
