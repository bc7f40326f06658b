"""The rules by which the pool grows and shrinks, in the store (A11)."""

from __future__ import annotations

import builtins
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from adslib.adapters.store.schema import pool_rules
from adslib.adapters.store.statements import Statements
from adslib.domain.pool_rule import PoolRule


class PoolRules:
    """The rules, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def put(self, rule: PoolRule) -> None:
        """Take a rule, or give one that is there another content."""
        values = asdict(rule)
        if not self._statements.write(update(pool_rules).where(pool_rules.c.name == rule.name).values(values)):
            self._statements.write(insert(pool_rules), values)

    def find(self, name: str) -> PoolRule | None:
        """The rule of this name, if there is one."""
        row = self._statements.first(select(pool_rules).where(pool_rules.c.name == name))
        return PoolRule(*row) if row else None

    def list(self, tenant: str, *, lock: bool = False) -> builtins.list[PoolRule]:
        """The rules of a tenant, by name.

        Args:
            lock: until the transaction ends, whoever else locks them waits: so two never make the same machines.
        """
        query = select(pool_rules).where(pool_rules.c.tenant == tenant).order_by(pool_rules.c.name)
        return [PoolRule(*row) for row in self._statements.rows(query.with_for_update() if lock else query)]

    def acted(self, names: builtins.list[str], at: datetime) -> None:
        """Rules made the pool grow or shrink: their cool-down begins."""
        self._statements.write(update(pool_rules).where(pool_rules.c.name.in_(names)).values(acted=at))

    def delete(self, name: str) -> None:
        """Forget a rule; its machines stay."""
        self._statements.write(delete(pool_rules).where(pool_rules.c.name == name))
