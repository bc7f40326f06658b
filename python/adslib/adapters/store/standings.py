"""What stands where, in the store: the actual side of planning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from adslib.adapters.store.schema import environments, machines, standings
from adslib.adapters.store.statements import Statements, chunks
from adslib.domain.environment import Standing
from adslib.domain.errors import NotFound


class Standings:
    """The instances that stand, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def of(self, environment: str) -> list[Standing]:
        """What stands of an environment, by instance."""
        query = select(standings).where(standings.c.environment == environment)
        return [Standing(*row) for row in self._statements.rows(query.order_by(standings.c.instance))]

    def on_machine(self, machine_id: str) -> list[Standing]:
        """What stands on a machine, by environment and instance."""
        query = select(standings).where(standings.c.machine_id == machine_id)
        return [
            Standing(*row)
            for row in self._statements.rows(query.order_by(standings.c.environment, standings.c.instance))
        ]

    def put_many(self, stand: Iterable[Standing]) -> None:
        """Record what stands; an instance that is known already is written over.

        Raises:
            NotFound: there is no such environment or machine; nothing was recorded.
        """
        rows = [_values(standing) for standing in stand]
        if not rows:
            return
        try:
            with self._statements.all_or_nothing():
                for chunk in chunks(rows):
                    self._statements.write(self._upsert(), chunk)
        except IntegrityError:
            self._refuse_missing(rows)
            raise

    def remove_many(self, environment: str, instances: Iterable[str]) -> int:
        """Forget instances of an environment; those that are not there do no harm. Returns how many were."""
        return sum(
            self._statements.write(
                delete(standings).where(standings.c.environment == environment, standings.c.instance.in_(chunk))
            )
            for chunk in chunks(instances)
        )

    def _upsert(self) -> Any:
        insert = postgresql_insert if self._statements.postgresql else sqlite_insert
        statement = insert(standings)
        key = [standings.c.environment, standings.c.instance]
        written = {c.name: statement.excluded[c.name] for c in standings.c if not c.primary_key}
        return statement.on_conflict_do_update(index_elements=key, set_=written)

    def _refuse_missing(self, rows: Sequence[dict[str, Any]]) -> None:
        for column, known, noun in (
            ("environment", environments.c.name, "environment"),
            ("machine_id", machines.c.id, "machine with the id"),
        ):
            for chunk in chunks({row[column]: row for row in rows}):
                there = {row[0] for row in self._statements.rows(select(known).where(known.in_(chunk)))}
                for wanted in chunk:
                    if wanted not in there:
                        instance = next(row["instance"] for row in rows if row[column] == wanted)
                        raise NotFound(
                            f"there is no {noun} '{wanted}'", place=f"instance '{instance}'", remedy="plan again"
                        )


def _values(standing: Standing) -> dict[str, Any]:
    return {
        "environment": standing.environment,
        "instance": standing.instance,
        "service": standing.service,
        "machine_id": standing.machine_id,
        "version": standing.version,
        "digest": standing.digest,
        "failed": standing.failed,
        "deployed_at": standing.deployed_at,
        "detail": standing.detail,
    }
