"""What a run of one of the collection's playbooks begins with (A16, A22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adslib.adapters import processes
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.environment import Environment
from adslib.domain.errors import Invalid
from adslib.domain.job import Job, JobKind
from adslib.domain.plan import Plan
from adslib.domain.reading import read
from adslib.usecases.jobs import Jobs
from adslib.usecases.roles import role_problems, wipe_problems


class Playbooks:
    """For the playbooks of `ads.deploy`: one way in for a person's run and for a job's."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._jobs = Jobs(app, actor)

    def begin(
        self,
        name: str,
        kind: str,
        *,
        job_id: str = "",
        person: int = 0,
        options: Mapping[str, Any],
        expected_plan: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Adopt the job that was reserved for this run, or reserve one that lives as long as the run does.

        Args:
            job_id: of the reserved job, empty: none. person: process id of a person's own ansible-playbook.
        """
        if job_id:
            job = self._jobs.adopt(job_id, name, JobKind(kind))
            with self._app.store.reading() as tx:
                environment = tx.environments.get(name)
            return {**self._begun(environment, dict(job.plan), job, self._jobs.stages(job)), "lines": []}
        if person and kind in (JobKind.DEPLOY, JobKind.UNDEPLOY):
            self._refuse_missing_roles(name, JobKind(kind))
        owner = processes.owner_of(person, person=True) if person else None
        reserved = self._jobs.reserve(
            name,
            JobKind(kind),
            owner=owner,
            options=options,
            expected_plan=expected_plan,
            real=True,
            dry_run=dry_run,
        )
        if reserved.job is None:
            begun = self._begun(reserved.environment, reserved.plan.as_data(), None, _numbers(reserved.plan))
            return {**begun, "lines": reserved.plan.lines()}
        if person:
            settings = self._app.settings
            environ = {"ADS_DATABASE_URL": settings.database_url, "ADS_HOME": str(settings.home)}
            processes.hold(reserved.job.id, reserved.job.attempt, person, environ)
        stages = self._jobs.stages(reserved.job)
        begun = self._begun(reserved.environment, reserved.plan.as_data(), reserved.job, stages)
        return {**begun, "lines": reserved.plan.lines()}

    def _refuse_missing_roles(self, name: str, kind: JobKind) -> None:
        """Refuse a person's run in a folder from which Ansible does not find a role of the environment.

        Raises:
            Invalid: every role that is missing.
        """
        with self._app.store.reading() as tx:
            environment = tx.environments.get(name)
            definition = read(tx.revisions.get(name, environment.revision).rendered)
        problems = wipe_problems(self._app, environment, ran_in="")
        if kind is JobKind.DEPLOY:
            problems = [*role_problems(self._app, definition, environment.project, ran_in=""), *problems]
        if problems:
            raise Invalid(problems=problems)

    def _begun(
        self, environment: Environment, plan: dict[str, Any], job: Job | None, stages: list[int]
    ) -> dict[str, Any]:
        return {
            "environment": environment.name,
            "state": str(environment.state),
            "project": self._app.playbooks.present_project(environment.project),
            "plan": plan,
            "job": job.id if job else "",
            "attempt": job.attempt if job else 0,
            "stages": stages,
        }


def _numbers(plan: Plan) -> list[int]:
    return sorted({action.stage for action in plan.actions if action.stage})
