"""A gateway as an operations team set it up: which kind, under which name, with which options (A9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class GatewaySetting:
    """What is needed to reach a gateway.

    Args:
        kind: which connector (`sim`, `static`, `local`, …).
        options: plain data for the connector; secrets are named (`{secret: name}`), never written here.
    """

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    created: datetime | None = None
