"""Gateways as they were set up, in the store."""

from __future__ import annotations

import builtins
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from adslib.adapters.store.schema import gateways, machines, refreshes
from adslib.adapters.store.statements import Statements
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.gateway_setting import GatewaySetting

LOOK = "list them with: ads gateway list"


class Gateways:
    """The settings of gateways, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, setting: GatewaySetting) -> None:
        """Take a new gateway.

        Raises:
            Conflict: the name is taken.
        """
        row = {"name": setting.name, "kind": setting.kind, "options": setting.options, "created": setting.created}
        if self._statements.refused(insert(gateways), row):
            raise Conflict(f"there is already a gateway '{setting.name}'", remedy="choose another name")

    def get(self, name: str) -> GatewaySetting:
        """The gateway of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no gateway '{name}'", remedy=LOOK)
        return found

    def find(self, name: str) -> GatewaySetting | None:
        """The gateway of this name, if there is one."""
        row = self._statements.first(select(gateways).where(gateways.c.name == name))
        return GatewaySetting(*row) if row else None

    def list(self) -> builtins.list[GatewaySetting]:
        """All gateways, by name."""
        return [GatewaySetting(*row) for row in self._statements.rows(select(gateways).order_by(gateways.c.name))]

    def mark(self, name: str) -> str:
        """How far a gateway's changes were read; empty: it is to be read from the beginning."""
        row = self._statements.first(select(refreshes.c.mark).where(refreshes.c.gateway == name))
        return row.mark if row else ""

    def failure(self, name: str) -> str:
        """Why a gateway was not read the last time; empty: it was."""
        row = self._statements.first(select(refreshes.c.failure).where(refreshes.c.gateway == name))
        return row.failure if row else ""

    def last_read(self) -> dict[str, datetime]:
        """When each gateway was read last, whether it answered or not; by name."""
        return {row[0]: row[1] for row in self._statements.rows(select(refreshes.c.gateway, refreshes.c.at))}

    def refreshed(self, name: str, mark: str, at: datetime, failure: str = "") -> None:
        """Keep how far a gateway was read, and why it was not, if it was not."""
        values = {"mark": mark, "at": at, "failure": failure}
        if not self._statements.write(update(refreshes).where(refreshes.c.gateway == name).values(values)):
            self._statements.write(insert(refreshes), {"gateway": name, **values})

    def delete(self, name: str) -> None:
        """Forget a gateway.

        Raises:
            NotFound: there is none. Conflict: there are machines of it.
        """
        if machine := self._statements.first(select(machines.c.name).where(machines.c.gateway == name)):
            raise Conflict(f"gateway '{name}' still has machine '{machine.name}'", remedy="delete its machines first")
        self._statements.write(delete(refreshes).where(refreshes.c.gateway == name))
        if not self._statements.write(delete(gateways).where(gateways.c.name == name)):
            raise NotFound(f"there is no gateway '{name}'", remedy=LOOK)
