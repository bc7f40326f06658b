"""Writing the event log (A21): every use case says what it did, in the transaction in which it did it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.event import Event, EventLevel


def log(
    tx: Transaction,
    at: datetime,
    actor: Actor,
    text: str,
    *,
    level: EventLevel = EventLevel.INFO,
    environment: str = "",
    machine: str = "",
    job: str = "",
    **data: Any,
) -> None:
    """Add a line to the event log."""
    tx.events.add(Event(at, level, actor.name, text, environment, machine, job, data, actor.tenant))
