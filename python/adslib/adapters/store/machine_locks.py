"""Locks of machines in the store (A10)."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import delete, insert, select

from adslib.adapters.store.schema import machine_locks
from adslib.adapters.store.statements import Statements
from adslib.domain.errors import Conflict
from adslib.domain.job import Owner
from adslib.domain.machine_lock import MachineLock


class MachineLocks:
    """The locks, as one transaction sees and changes them; there are as many as processes at work on machines."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, lock: MachineLock) -> None:
        """Take a lock.

        Raises:
            Conflict: somebody else has one of this machine.
        """
        if refusal := self._statements.refused(insert(machine_locks), asdict(lock)):
            raise Conflict("somebody else locked the machine at this moment", remedy="try again") from refusal

    def list(self) -> builtins.list[MachineLock]:
        """All of them, also those whose owners are gone."""
        rows = self._statements.rows(select(machine_locks).order_by(machine_locks.c.machine_id))
        return [MachineLock(**{**row._mapping, "owner": Owner(**row.owner)}) for row in rows]

    def delete_many(self, ids: Iterable[str]) -> None:
        """Give locks back, by their own ids; those that are not there do no harm."""
        self._statements.write(delete(machine_locks).where(machine_locks.c.id.in_(builtins.list(ids))))
