"""Machines in the store: the pool, and who holds what (A10)."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from adslib.adapters.store.machine_refusals import refuse_held, refuse_stale, refuse_taken, refuse_used
from adslib.adapters.store.machine_rows import machine_of, values_of
from adslib.adapters.store.schema import machines
from adslib.adapters.store.statements import Statements, chunks
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine

LOOK = "list them with: ads machine list"


class Machines:
    """The machines, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add_many(self, new: Iterable[Machine]) -> None:
        """Take new machines, all or none.

        Raises:
            Conflict: a name, an id, or what the gateway calls it is taken. NotFound: no such holder.
        """
        added = builtins.list(new)
        if not added:
            return
        try:
            with self._statements.all_or_nothing():
                self._statements.write(insert(machines), [values_of(machine) for machine in added])
        except IntegrityError:
            refuse_taken(self._statements, added, new=True)
            raise

    def get(self, name: str) -> Machine:
        """The machine of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no machine '{name}'", remedy=LOOK)
        return found

    def find(self, name: str) -> Machine | None:
        """The machine of this name, if there is one."""
        row = self._statements.first(select(machines).where(machines.c.name == name))
        return machine_of(row) if row else None

    def by_id(self, machine_id: str) -> Machine:
        """The machine with this id.

        Raises:
            NotFound: there is none.
        """
        row = self._statements.first(select(machines).where(machines.c.id == machine_id))
        if row is None:
            raise NotFound(f"there is no machine with the id '{machine_id}'", remedy=LOOK)
        return machine_of(row)

    def by_names(self, names: Iterable[str]) -> builtins.list[Machine]:
        """The machines of these names, in this order, in one go.

        Raises:
            NotFound: there is none of one name.
        """
        wanted = builtins.list(names)
        found = {machine.name: machine for machine in self._among(machines.c.name, wanted)}
        for name in wanted:
            if name not in found:
                raise NotFound(f"there is no machine '{name}'", remedy=LOOK)
        return [found[name] for name in wanted]

    def by_ids(self, ids: Iterable[str]) -> builtins.list[Machine]:
        """The machines with these ids; those that are gone are left out."""
        return self._among(machines.c.id, ids)

    def by_refs(self, gateway: str, refs: Iterable[str]) -> builtins.list[Machine]:
        """The machines that a gateway calls so; those that nobody knows are left out."""
        # Said, too, since the index leaves out what has no ref.
        return self._among(machines.c.ref, refs, machines.c.gateway == gateway, machines.c.ref != "")

    def taken_names(self, names: Iterable[str]) -> set[str]:
        """Those of some names that machines have."""
        query = select(machines.c.name)
        return {
            row.name
            for chunk in chunks(dict.fromkeys(names))
            for row in self._statements.rows(query.where(machines.c.name.in_(chunk)))
        }

    def list(
        self,
        *,
        holder: str | None = None,
        free: bool | None = None,
        gateway: str | None = None,
        location: str | None = None,
        state: str | None = None,
        os: str | None = None,
        size: str | None = None,
        name_contains: str | None = None,
        tenant: str | None = None,
    ) -> builtins.list[Machine]:
        """Machines by name; what is None does not filter.

        Args:
            holder: held by this environment. free: held by nobody (True) or by somebody (False).
            size: name of the size, exactly. name_contains: a part of the name, without case.
        """
        query = select(machines).order_by(machines.c.name)
        exact = {
            "holder": holder,
            "gateway": gateway,
            "location": location,
            "state": state,
            "os": os,
            "size": size,
            "tenant": tenant,
        }
        for column, wanted in exact.items():
            if wanted is not None:
                query = query.where(machines.c[column] == wanted)
        if free is not None:
            query = query.where(machines.c.holder.is_(None) if free else machines.c.holder.is_not(None))
        if name_contains is not None:
            query = query.where(machines.c.name.contains(name_contains.lower(), autoescape=True))
        return [machine_of(row) for row in self._statements.rows(query)]

    def names(self, part: str) -> builtins.list[str]:
        """The names that have a part, in order: far cheaper than the machines."""
        query = select(machines.c.name).where(machines.c.name.contains(part, autoescape=True))
        return [row[0] for row in self._statements.rows(query.order_by(machines.c.name))]

    def update(self, machine: Machine) -> Machine:
        """Write a machine that was read before; returns it with its new generation. See `update_many`."""
        return self.update_many([machine])[0]

    def update_many(self, changed: Sequence[Machine]) -> builtins.list[Machine]:
        """Write machines that were read before, all or none; returns them with their new generations.

        Only `claim` and `release` change who holds a machine: the holder must be the one that was read.

        Raises:
            NotFound: one is gone. Conflict: one was changed since it was read, or the new name or ref is taken.
        """
        if not changed:
            return []
        rows = sorted((_change(machine) for machine in changed), key=lambda row: str(row["key"]))
        try:
            with self._statements.all_or_nothing():
                if self._statements.write(_UPDATE, rows) != len(rows):
                    raise _StaleError
        except IntegrityError:
            refuse_taken(self._statements, changed, new=False)
            raise
        except _StaleError:
            refuse_stale(self._statements, changed)
        return [replace(machine, generation=machine.generation + 1) for machine in changed]

    def claim(self, ids: Iterable[str], holder: str) -> None:
        """Let an environment hold machines that nobody holds, all or none (A10).

        Raises:
            Conflict: somebody holds one of them, it says which, and who; or one is being deleted.
            NotFound: no such machine or environment.
        """
        wanted = builtins.list(dict.fromkeys(ids))
        with self._statements.all_or_nothing():
            locked = {row.id: row for row in self._locked(wanted)}
            for machine_id in wanted:
                if machine_id not in locked:
                    raise NotFound(f"there is no machine with the id '{machine_id}'", remedy="plan again")
                if locked[machine_id].holder:
                    refuse_held(locked[machine_id].name, locked[machine_id].holder)
                if locked[machine_id].state == MachineState.DELETING:
                    raise Conflict(f"machine '{locked[machine_id].name}' is being deleted", remedy="plan again")
            if self._hand(wanted, None, holder) != len(wanted):
                raise Conflict("somebody else took one of the machines at this moment", remedy="plan again")

    def release(self, ids: Iterable[str], holder: str, at: datetime | None = None) -> int:
        """Give machines back that an environment holds; those that nobody holds do no harm (A13).

        Args:
            at: now: from then on they are idle.

        Returns how many were given back.

        Raises:
            Conflict: another environment holds one of them; none was given back.
        """
        wanted = builtins.list(dict.fromkeys(ids))
        with self._statements.all_or_nothing():
            for row in self._locked(wanted):
                if row.holder not in {None, holder}:
                    refuse_held(row.name, row.holder)
            return self._hand(wanted, holder, None, at)

    def delete_many(self, ids: Iterable[str]) -> int:
        """Forget machines, all or none; those that are not there do no harm. Returns how many were.

        Raises:
            Conflict: an instance still stands on one of them.
        """
        wanted = builtins.list(dict.fromkeys(ids))
        with self._statements.all_or_nothing():
            # Whoever lets an instance stand on one at this moment waits for us, or we for him.
            self._locked(wanted)
            refuse_used(self._statements, wanted)
            return sum(
                self._statements.write(delete(machines).where(machines.c.id.in_(chunk))) for chunk in chunks(wanted)
            )

    def _locked(self, ids: Sequence[str]) -> builtins.list[Any]:
        """Lock machines in the order of their ids, so that two who want the same ones do not block each other."""
        columns = (machines.c.id, machines.c.name, machines.c.holder, machines.c.state)
        query = select(*columns).order_by(machines.c.id).with_for_update()
        return [
            row for chunk in chunks(sorted(ids)) for row in self._statements.rows(query.where(machines.c.id.in_(chunk)))
        ]

    def _among(self, column: Any, values: Iterable[str], *conditions: Any) -> builtins.list[Machine]:
        return [
            machine_of(row)
            for chunk in chunks(dict.fromkeys(values))
            for row in self._statements.rows(select(machines).where(column.in_(chunk), *conditions))
        ]

    def _hand(
        self, ids: Sequence[str], giver: str | None, taker: str | None, idle_since: datetime | None = None
    ) -> int:
        hand = (
            update(machines)
            .where(machines.c.holder.is_(None) if giver is None else machines.c.holder == giver)
            .values(holder=taker, idle_since=idle_since, generation=machines.c.generation + 1)
        )
        try:
            with self._statements.all_or_nothing():
                return sum(self._statements.write(hand.where(machines.c.id.in_(chunk))) for chunk in chunks(ids))
        except IntegrityError as error:
            raise NotFound(f"there is no environment '{taker}'", remedy="create it first") from error


class _StaleError(Exception):
    """Not all machines had the generation that was read; what was written is being taken back."""


_UPDATE = (
    update(machines)
    .where(
        machines.c.id == bindparam("key"),
        machines.c.generation == bindparam("seen"),
        machines.c.holder.is_not_distinct_from(bindparam("held")),
    )
    .values({c.name: bindparam(f"new_{c.name}") for c in machines.c if c.name not in {"id", "holder"}})
)


def _change(machine: Machine) -> dict[str, Any]:
    values = values_of(machine)
    written = {f"new_{name}": value for name, value in values.items() if name not in {"id", "holder"}}
    seen = {"key": machine.id, "seen": machine.generation, "held": values["holder"]}
    return {**written, **seen, "new_generation": machine.generation + 1}
