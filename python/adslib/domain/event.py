"""Events: the lines of the log (A21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any


class EventLevel(IntEnum):
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log: when, how grave, who, about what, and a sentence. `id` is given by the store."""

    at: datetime
    level: EventLevel
    actor: str
    text: str
    environment: str = ""
    machine: str = ""
    job: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    tenant: str = "default"
    id: int = 0


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which lines to show; empty fields do not filter. `text` is matched without case anywhere in the sentence."""

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    level: EventLevel | None = None
    actor: str = ""
    environment: str = ""
    limit: int = 100
