"""Jobs: reserved, carried out step by step, reported, ended, recovered (A12, A16, A22)."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adslib.adapters import processes
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import Blocked, Conflict
from adslib.domain.job import Job, JobKind, Owner
from adslib.domain.lifecycle import JobEvent, JobState
from adslib.usecases import providing, reporting, reserving
from adslib.usecases.commissioning import publish_names
from adslib.usecases.hosting import hosts_of, stage_numbers
from adslib.usecases.outcome import Outcome
from adslib.usecases.situation import mine, my_job, shown

PERMISSIONS = {
    JobKind.DEPLOY: Permission.DEPLOY,
    JobKind.UNDEPLOY: Permission.DEPLOY,
    JobKind.TEST: Permission.OPERATE,
    JobKind.STOP: Permission.OPERATE,
    JobKind.START: Permission.OPERATE,
}


def job_shown(job: Job) -> dict[str, Any]:
    """A job as plain data, without its plan."""
    return {
        "job": job.id,
        "environment": job.environment,
        "kind": str(job.kind),
        "state": str(job.state),
        "step": job.step,
        "attempt": job.attempt,
        "actor": job.actor,
        "created": job.created.isoformat() if job.created else None,
        "finished": job.finished.isoformat() if job.finished else None,
        "artifacts": job.artifacts,
        "message": job.result.get("message", ""),
        "failures": dict(job.result.get("failures", {})),
    }


class Jobs:
    """One method a use case; the steps of a job are called by the playbooks, each fenced by the job's attempt."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def list(self, *, environment: str = "", state: str = "", limit: int = 50) -> Sequence[Mapping[str, Any]]:
        """Jobs, newest first."""
        self._actor.must(Permission.VIEW, "jobs")
        with self._app.store.reading() as tx:
            jobs = tx.jobs.list(
                environment=environment or None, state=state or None, tenant=self._actor.tenant, limit=limit
            )
        return [job_shown(job) for job in jobs]

    def show(self, job_id: str) -> Mapping[str, Any]:
        """One job with its plan."""
        self._actor.must(Permission.VIEW, f"job '{job_id}'")
        with self._app.store.reading() as tx:
            job = my_job(tx, self._actor, job_id)
        return {**job_shown(job), "plan": dict(job.plan), "options": dict(job.options)}

    def reserve(
        self,
        name: str,
        kind: JobKind,
        *,
        owner: Owner | None = None,
        options: Mapping[str, Any] | None = None,
        expected_plan: str = "",
        real: bool = False,
        dry_run: bool = False,
    ) -> reserving.Reservation:
        """Recover what an earlier job left, plan, lock the machines and write a new job.

        Args:
            real: Ansible will carry it out, which does not reach simulated machines.

        Raises:
            Blocked: resources are missing, simulated, or the state forbids it. Conflict: another job is at work.
        """
        self._actor.must(PERMISSIONS[kind], f"environment '{name}'")
        if not dry_run:
            reserving.recover(self._app, self._actor, name)
        return reserving.reserve(
            self._app,
            self._actor,
            name,
            kind,
            owner=owner or self._app.owner,
            options=options or {},
            expected_plan=expected_plan,
            real=real,
            dry_run=dry_run,
        )

    def adopt(self, job_id: str, name: str, kind: JobKind) -> Job:
        """The job that was reserved for a playbook run.

        Raises:
            Conflict: it is another environment's or kind's, or no longer at work.
        """
        self._actor.must(PERMISSIONS[kind], f"environment '{name}'")
        with self._app.store.reading() as tx:
            job = my_job(tx, self._actor, job_id)
        if (job.environment, job.kind) != (name, kind) or job.state is not JobState.RUNNING:
            raise Conflict(
                f"job {job_id} is a {job.kind} of '{job.environment}', {job.state}; this run is a {kind} of '{name}'",
                remedy="leave ads_job out to begin a new job",
            )
        return job

    def provide(
        self, job_id: str, attempt: int, told: Callable[[str], None] = lambda line: None
    ) -> tuple[builtins.list[dict[str, Any]], dict[str, str]]:
        """Make and start the machines of a job; hosts are what Ansible can reach afterwards.

        Returns:
            Hosts (name, groups, variables), and the machines that are not to be had with the reason.
        """
        job = self._fenced(job_id, attempt)
        machines = providing.provide(self._app, self._actor, job, told)
        publish_names(self._app, self._actor, job)
        return hosts_of(self._app, job, machines), providing.failed(machines)

    def hosts(self, name: str, job: Job | None = None) -> builtins.list[dict[str, Any]]:
        """The hosts of an environment as they stand."""
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        with self._app.store.reading() as tx:
            mine(tx, self._actor, name)
            machines = tx.machines.list(holder=name)
            if job is None:
                reservation = Job("", name, JobKind.DEPLOY, JobState.QUEUED, plan=self._standing_plan(name, tx))
        return hosts_of(self._app, job or reservation, machines)

    def _standing_plan(self, name: str, tx: Any) -> dict[str, Any]:
        held = {machine.id: machine.name for machine in tx.machines.list(holder=name)}
        seats = {s.instance: held[s.machine_id] for s in tx.standings.of(name) if s.machine_id in held}
        return {"seats": seats, "actions": [], "revision": tx.environments.get(name).revision}

    def stages(self, job: Job) -> builtins.list[int]:
        """Numbers of the stages that a job works on."""
        return stage_numbers(self._app, job)

    def report(self, job_id: str, attempt: int, stage: int, results: Mapping[str, str]) -> builtins.list[str]:
        """Write down how a stage went; see `reporting.report`."""
        return reporting.report(self._app, self._actor, job_id, attempt, stage, results)

    def removed(self, job_id: str, attempt: int, results: Mapping[str, str]) -> None:
        """Write down which instances were removed."""
        reporting.removed(self._app, self._actor, job_id, attempt, results)

    def rest(self, job_id: str, attempt: int, told: Callable[[str], None] = lambda line: None) -> dict[str, str]:
        """Stop the machines of a job; those that would not, with the reason."""
        job = self._fenced(job_id, attempt)
        stopped = providing.rest(self._app, self._actor, job, told)
        return {machine.name: machine.reason for machine in stopped if machine.reason}

    def give_back(self, job_id: str, attempt: int, told: Callable[[str], None] = lambda line: None) -> dict[str, str]:
        """Return the machines that a job no longer needs; those that could not be, with the reason."""
        job = self._fenced(job_id, attempt)
        kept = {m.name: m.reason for m in providing.give_back(self._app, self._actor, job, told)}
        publish_names(self._app, self._actor, job)
        return kept

    def finish(
        self,
        job_id: str,
        attempt: int,
        *,
        tests: Sequence[Mapping[str, Any]] = (),
        kept: Mapping[str, str] | None = None,
    ) -> Outcome:
        """End a job with what its tests said (items: instance, test, ok, cause)."""
        job, environment = reporting.finish(self._app, self._actor, job_id, attempt, tests, kept or {})
        result = job_shown(job)
        return Outcome(True, {}, {**shown(environment), "last_job": result}, job=job.id, message=result["message"])

    def cancel(self, job_id: str) -> Outcome:
        """End a job on the way: its playbook is stopped, its environment falls to what the lifecycle says.

        Raises:
            Blocked: it is no longer at work. Conflict: a person's own ansible-playbook carries it out, or it is at
                work on another host, or its processes do not end.
        """
        self._actor.must(Permission.OPERATE, f"job '{job_id}'")
        with self._app.store.reading() as tx:
            job = my_job(tx, self._actor, job_id)
        if job.state is not JobState.RUNNING:
            raise Blocked(f"job {job_id} is {job.state}: there is nothing to cancel")
        if job.owner and job.owner.person and processes.alive(job.owner):
            raise Conflict(
                f"job {job_id} is carried out by somebody's own ansible-playbook, process {job.owner.pid}",
                remedy="end that process; ads never ends a person's",
            )
        if job.owner and processes.alive(job.owner) is None:
            raise Conflict(f"job {job_id} runs on {job.owner.host}", remedy="cancel it there")
        # Whoever carries it out sees its playbook end when we do, and may be the first to write that down.
        reserving.wish_cancelled(self._app, job_id, self._actor.name)
        if not processes.end_marked(job.id):
            raise Conflict(
                f"processes {processes.marked(job.id)} of job {job.id} do not end", remedy="end them, then cancel again"
            )
        ended = reserving.interrupt(self._app, self._actor, job, f"cancelled by {self._actor.name}", JobEvent.CANCEL)
        return Outcome(True, job_shown(job), job_shown(ended), job=job.id, message=f"job {job_id} cancelled")

    def lost(self, job_id: str, why: str, *, cancelled: bool = False) -> Mapping[str, Any]:
        """Write down that the run of a job ended without finishing it."""
        with self._app.store.reading() as tx:
            job = tx.jobs.get(job_id)
        if job.state is JobState.RUNNING:
            event = JobEvent.CANCEL if cancelled else JobEvent.LOSE
            job = reserving.interrupt(self._app, self._actor, job, why, event)
        return job_shown(job)

    def renew(self, job_id: str, attempt: int) -> bool:
        """Keep a job alive for another lease; False: it is no longer this attempt's."""
        with self._app.store.transaction() as tx:
            return tx.jobs.renew(job_id, attempt, self._app.clock() + reserving.LEASE)

    def keep_artifacts(self, job_id: str, folder: str) -> None:
        """Write down where the output of a job's run is."""
        with self._app.store.transaction() as tx:
            tx.jobs.update(replace(tx.jobs.get(job_id), artifacts=folder))

    def _fenced(self, job_id: str, attempt: int) -> Job:
        with self._app.store.transaction() as tx:
            return reporting.fenced(self._app, tx, job_id, attempt)
