"""Templates in the store."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, insert, select

from adslib.adapters.store.generations import matched_update, refuse_stale
from adslib.adapters.store.schema import templates
from adslib.adapters.store.statements import Statements
from adslib.domain.environment import Origin, Template
from adslib.domain.errors import Conflict, NotFound

LOOK = "list them with: ads template list"


class Templates:
    """The templates, as one transaction sees and changes them (A4)."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, template: Template) -> None:
        """Take a new template.

        Raises:
            Conflict: the name is taken.
        """
        if self._statements.refused(insert(templates), _values(template)):
            raise Conflict(f"there is already a template '{template.name}'", remedy="choose another name, or edit it")

    def get(self, name: str) -> Template:
        """The template of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no template '{name}'", remedy=LOOK)
        return found

    def find(self, name: str) -> Template | None:
        """The template of this name, if there is one."""
        row = self._statements.first(select(templates).where(templates.c.name == name))
        return _template(row) if row else None

    def list(self, *, tenant: str | None = None) -> list[Template]:
        """Templates by name; a tenant of None does not filter."""
        query = select(templates).order_by(templates.c.name)
        if tenant is not None:
            query = query.where(templates.c.tenant == tenant)
        return [_template(row) for row in self._statements.rows(query)]

    def update(self, template: Template) -> Template:
        """Write a template that was read before; returns it with its new generation.

        Raises:
            NotFound: it is gone. Conflict: it was changed since it was read.
        """
        key = templates.c.name == template.name
        if not matched_update(self._statements, templates, key, template.generation, _values(template)):
            refuse_stale(self._statements, templates, key, f"template '{template.name}'", template.generation)
        return replace(template, generation=template.generation + 1)

    def delete(self, name: str) -> None:
        """Remove a template; environments made from it stay as they are.

        Raises:
            NotFound: there is none.
        """
        if not self._statements.write(delete(templates).where(templates.c.name == name)):
            raise NotFound(f"there is no template '{name}'", remedy=LOOK)


def _values(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "tree": template.tree,
        "open": template.open,
        "description": template.description,
        "origin": asdict(template.origin),
        "created": template.created,
        "created_by": template.created_by,
        "tenant": template.tenant,
        "generation": template.generation,
    }


def _template(row: Any) -> Template:
    name, tree, open_parts, description, origin, *rest = row
    return Template(name, tree, tuple(open_parts), description, Origin(**origin), *rest)
