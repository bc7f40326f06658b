"""Plans that somebody saved to carry them out later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select

from adslib.adapters.store.schema import environments, plans
from adslib.adapters.store.statements import Statements
from adslib.domain.errors import Conflict, NotFound


class SavedPlan(NamedTuple):
    """A saved plan as plain data."""

    id: str
    environment: str
    plan: Mapping[str, Any]
    created: datetime


class Plans:
    """The saved plans, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, plan_id: str, environment: str, plan: Mapping[str, Any], created: datetime) -> None:
        """Keep a plan; one that is kept already stays as it is, since ids come from the content.

        Raises:
            NotFound: there is no such environment. Conflict: another environment has a plan with this id.
        """
        row = {"id": plan_id, "environment": environment, "plan": plan, "created": created}
        if self._statements.refused(insert(plans), row):
            if not self._statements.first(select(environments.c.name).where(environments.c.name == environment)):
                raise NotFound(f"there is no environment '{environment}'", remedy="create it first")
            there = self.get(plan_id)
            if there.environment != environment:
                raise Conflict(
                    f"plan '{plan_id}' belongs to environment '{there.environment}', not to '{environment}'",
                    remedy="plan again",
                )

    def get(self, plan_id: str) -> SavedPlan:
        """The plan with this id.

        Raises:
            NotFound: there is none.
        """
        row = self._statements.first(select(plans).where(plans.c.id == plan_id))
        if row is None:
            raise NotFound(f"there is no saved plan '{plan_id}'", remedy="make one with: ads environment plan")
        return SavedPlan(*row)

    def delete(self, plan_id: str) -> None:
        """Forget a plan.

        Raises:
            NotFound: there is none.
        """
        if not self._statements.write(delete(plans).where(plans.c.id == plan_id)):
            raise NotFound(f"there is no saved plan '{plan_id}'")
