"""Locks of machines: who works on one through its gateway, so that nobody else begins anything there (A10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adslib.domain.job import Owner


@dataclass(frozen=True, slots=True)
class MachineLock:
    """A lock of one machine; it counts as long as its owner lives.

    Args:
        machine_id: the machine. id: of this lock, so that nobody gives back another's.
        doing: what is done, after "it is being". actor: who asked for it. owner: the process that does it.
        lease: until when it counts where nobody can see that process.
    """

    machine_id: str
    id: str
    doing: str
    actor: str
    owner: Owner
    lease: datetime
