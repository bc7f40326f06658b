"""Updates that match the generation they were made from, so that nobody overwrites what he has not seen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, select, update

from adslib.adapters.store.statements import Statements, Values
from adslib.domain.errors import Conflict, NotFound

AGAIN = "read it again, and repeat the change on what is there now"


def matched_update(
    statements: Statements, table: Table, key: ColumnElement[bool], generation: int, values: Values
) -> bool:
    """Write values and the next generation, if the row still has this generation; tells whether it had."""
    change = update(table).where(key, table.c.generation == generation).values({**values, "generation": generation + 1})
    return statements.write(change) == 1


def refuse_stale(statements: Statements, table: Table, key: ColumnElement[bool], what: str, generation: int) -> None:
    """Say why an update matched nothing.

    Raises:
        NotFound: there is no such row. Conflict: it has another generation.
    """
    seen: list[ColumnElement[Any]] = [table.c.generation]
    if "state" in table.c:
        seen.append(table.c.state)
    row = statements.first(select(*seen).where(key))
    if row is None:
        raise NotFound(f"there is no {what} any more")
    state = f" and {row.state}" if "state" in table.c else ""
    raise Conflict(
        f"{what} was changed by somebody else: it is at generation {row.generation}{state}, you have read {generation}",
        remedy=AGAIN,
    )
