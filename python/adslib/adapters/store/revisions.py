"""Revisions of definitions in the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, null, select

from adslib.adapters.store.schema import environments, revisions
from adslib.adapters.store.statements import Statements
from adslib.domain.environment import Origin, Revision
from adslib.domain.errors import Conflict, NotFound

_LIGHT = [null() if column.name in {"tree", "rendered"} else column for column in revisions.c]


class Revisions:
    """The revisions, as one transaction sees and adds to them; they are never changed (A2)."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, revision: Revision) -> None:
        """Keep a new revision.

        Raises:
            NotFound: there is no such environment. Conflict: somebody else added this number.
        """
        refusal = self._statements.refused(insert(revisions), _values(revision))
        if refusal is None:
            return
        name = revision.environment
        if not self._statements.first(select(environments.c.name).where(environments.c.name == name)):
            raise NotFound(f"there is no environment '{name}'", remedy="create it first")
        if any(known.number == revision.number for known in self.list(name)):
            raise Conflict(
                f"environment '{name}' already has a revision {revision.number}",
                remedy="read the environment again, and repeat the change on what is there now",
            ) from refusal
        raise refusal

    def get(self, environment: str, number: int) -> Revision:
        """A revision with its tree.

        Raises:
            NotFound: the environment has none of this number.
        """
        wanted = revisions.c.environment == environment, revisions.c.number == number
        row = self._statements.first(select(revisions).where(*wanted))
        if row is None:
            raise NotFound(
                f"environment '{environment}' has no revision {number}",
                remedy=f"list them with: ads environment history {environment}",
            )
        return _revision(row)

    def latest(self, environment: str) -> Revision:
        """The newest revision with its tree.

        Raises:
            NotFound: the environment has none.
        """
        query = select(revisions).where(revisions.c.environment == environment)
        row = self._statements.first(query.order_by(revisions.c.number.desc()))
        if row is None:
            raise NotFound(f"environment '{environment}' has no revision", remedy="create the environment first")
        return _revision(row)

    def list(self, environment: str) -> list[Revision]:
        """All revisions, oldest first, without their trees: `tree` and `rendered` are None."""
        query = select(*_LIGHT).where(revisions.c.environment == environment).order_by(revisions.c.number)
        return [_revision(row) for row in self._statements.rows(query)]


def _values(revision: Revision) -> dict[str, Any]:
    return {
        "environment": revision.environment,
        "number": revision.number,
        "tree": revision.tree,
        "rendered": revision.rendered,
        "parameters": revision.parameters,
        "origin": asdict(revision.origin),
        "created": revision.created,
        "created_by": revision.created_by,
        "template": revision.template,
        "comment": revision.comment,
    }


def _revision(row: Any) -> Revision:
    environment, number, tree, rendered, parameters, origin, created, *rest = row
    return Revision(environment, number, tree, rendered, parameters, Origin(**origin), created, *rest)
