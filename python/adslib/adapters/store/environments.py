"""Environments in the store."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, insert, select

from adslib.adapters.store.generations import matched_update, refuse_stale
from adslib.adapters.store.moments import from_text, to_text
from adslib.adapters.store.schema import environments, jobs, machines, standings
from adslib.adapters.store.statements import Statements
from adslib.domain.environment import Environment, TestReport
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.lifecycle import ACTIVE_JOB_STATES, EnvironmentState


class Environments:
    """The environments, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, environment: Environment) -> None:
        """Take a new environment.

        Raises:
            Conflict: the name is taken.
        """
        refusal = self._statements.refused(insert(environments), _values(environment))
        if refusal is None:
            return
        if there := self.find(environment.name):
            raise Conflict(
                f"there is already an environment '{there.name}'; it is {there.state}",
                remedy="choose another name, or edit it",
            ) from refusal
        raise refusal

    def get(self, name: str) -> Environment:
        """The environment of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no environment '{name}'", remedy="list them with: ads environment list")
        return found

    def find(self, name: str) -> Environment | None:
        """The environment of this name, if there is one."""
        row = self._statements.first(select(environments).where(environments.c.name == name))
        return _environment(*row) if row else None

    def locked(self, name: str) -> Environment:
        """The same; until the transaction ends, whoever begins a job of it waits."""
        query = select(environments.c.name).where(environments.c.name == name).with_for_update()
        self._statements.first(query)
        return self.get(name)

    def list(self, *, tenant: str | None = None, state: str | None = None) -> list[Environment]:
        """Environments by name; what is None does not filter."""
        query = select(environments).order_by(environments.c.name)
        if tenant is not None:
            query = query.where(environments.c.tenant == tenant)
        if state is not None:
            query = query.where(environments.c.state == state)
        return [_environment(*row) for row in self._statements.rows(query)]

    def update(self, environment: Environment) -> Environment:
        """Write an environment that was read before; returns it with its new generation.

        Raises:
            NotFound: it is gone. Conflict: it was changed since it was read.
        """
        key = environments.c.name == environment.name
        if not matched_update(self._statements, environments, key, environment.generation, _values(environment)):
            refuse_stale(
                self._statements, environments, key, f"environment '{environment.name}'", environment.generation
            )
        return replace(environment, generation=environment.generation + 1)

    def delete(self, name: str) -> None:
        """Remove an environment with its revisions and saved plans; its ended jobs stay.

        Raises:
            NotFound: there is none.
            Conflict: it holds machines, something still stands of it, or a job is under way.
        """
        if self._statements.postgresql and self._statements.writable:
            # Whoever adds a job to it at this moment waits for us, or we for him.
            self._statements.first(select(environments.c.name).where(environments.c.name == name).with_for_update())
        self._refuse_used(name)
        if not self._statements.write(delete(environments).where(environments.c.name == name)):
            raise NotFound(f"there is no environment '{name}'", remedy="list them with: ads environment list")

    def _refuse_used(self, name: str) -> None:
        active = jobs.c.environment == name, jobs.c.state.in_(sorted(ACTIVE_JOB_STATES))
        if job := self._statements.first(select(jobs.c.kind, jobs.c.id).where(*active)):
            raise Conflict(
                f"environment '{name}' has a job under way: {job.kind} {job.id}",
                remedy=f"wait for it, or cancel it with: ads job cancel {job.id}",
            )
        held = self._statements.first(select(machines.c.name).where(machines.c.holder == name))
        if held:
            raise Conflict(
                f"environment '{name}' still holds machine '{held.name}'",
                remedy=f"undeploy it first: ads environment undeploy {name}",
            )
        stands = self._statements.first(select(standings.c.instance).where(standings.c.environment == name))
        if stands:
            raise Conflict(
                f"instance '{stands.instance}' of environment '{name}' still stands",
                remedy=f"undeploy it first: ads environment undeploy {name}",
            )


def _values(environment: Environment) -> dict[str, Any]:
    tests = environment.tests
    return {
        "name": environment.name,
        "state": environment.state,
        "revision": environment.revision,
        "deployed": environment.deployed,
        "project": environment.project,
        "tests": {**asdict(tests), "at": to_text(tests.at)} if tests else None,
        "live_despite": environment.live_despite,
        "tenant": environment.tenant,
        "created": environment.created,
        "generation": environment.generation,
    }


def _environment(
    name: str, state: str, revision: int, deployed: int, project: str, tests: Any, *rest: Any
) -> Environment:
    report = TestReport(from_text(tests["at"]), tests["passed"], tuple(tests["failures"])) if tests else None
    return Environment(name, EnvironmentState(state), revision, deployed, project, report, *rest)
