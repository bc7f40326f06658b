"""Jobs in the store; the row is the truth."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, insert, null, select, update

from adslib.adapters.store.generations import matched_update, refuse_stale
from adslib.adapters.store.schema import environments, jobs
from adslib.adapters.store.statements import Statements
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.job import Job, JobKind, Owner
from adslib.domain.lifecycle import ACTIVE_JOB_STATES, JobState

NOT_READ: Final[Mapping[str, Any]] = MappingProxyType({})
"""The plan of a job that came from a list: plans are large, so `get` reads them and `update` leaves this one alone."""

_ACTIVE = sorted(ACTIVE_JOB_STATES)
_LIGHT = [null() if column.name == "plan" else column for column in jobs.c]
# What a job is for never changes.
_FIXED = frozenset({"id", "environment", "kind", "request_key", "created", "tenant"})


class Jobs:
    """The jobs, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, job: Job) -> Job:
        """Take a new job; returns it, or the earlier one if this request was made before.

        Raises:
            Conflict: another job of the environment is under way, or the request key was used for something else.
            NotFound: there is no such environment.
        """
        earlier = self._of_request(job)
        if earlier:
            return earlier
        # Whoever deletes the environment at this moment waits for us, or we for him.
        there = select(environments.c.name).where(environments.c.name == job.environment)
        if self._statements.writable:
            there = there.with_for_update(read=True, key_share=True)
        if not self._statements.first(there):
            raise NotFound(f"there is no environment '{job.environment}'", remedy="create it first")
        refusal = self._statements.refused(insert(jobs), _values(job))
        if refusal is None:
            return job
        # The same request, or another job, may have come in at this moment.
        earlier = self._of_request(job)
        if earlier:
            return earlier
        if running := self.active(job.environment):
            raise Conflict(
                f"environment '{job.environment}' has a job under way: {running.kind} {running.id}, {running.state}"
                + (f", by {running.actor}" if running.actor else ""),
                remedy=f"wait for it, or cancel it with: ads job cancel {running.id}",
            )
        if self._statements.first(select(jobs.c.id).where(jobs.c.id == job.id)):
            raise Conflict(f"there is already a job {job.id}", remedy="repeat it") from refusal
        raise refusal

    def get(self, job_id: str) -> Job:
        """The job with this id.

        Raises:
            NotFound: there is none.
        """
        row = self._statements.first(select(jobs).where(jobs.c.id == job_id))
        if row is None:
            raise NotFound(f"there is no job {job_id}", remedy="list them with: ads job list")
        return _job(row)

    def active(self, environment: str) -> Job | None:
        """The job of an environment that is queued or running, if there is one."""
        wanted = jobs.c.environment == environment, jobs.c.state.in_(_ACTIVE)
        row = self._statements.first(select(jobs).where(*wanted))
        return _job(row) if row else None

    def list(
        self,
        *,
        environment: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        lease_before: datetime | None = None,
        tenant: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> builtins.list[Job]:
        """Jobs, newest first, without their plans: `plan` is `NOT_READ`. What is None does not filter.

        Args:
            lease_before: only those whose lease ends before this moment. since: only those made at or after it.
        """
        query = select(*_LIGHT).order_by(jobs.c.id.desc()).limit(limit)
        exact = {"environment": environment, "state": state, "kind": kind, "tenant": tenant}
        for column, wanted in exact.items():
            if wanted is not None:
                query = query.where(jobs.c[column] == wanted)
        if lease_before is not None:
            query = query.where(jobs.c.lease < lease_before)
        if since is not None:
            query = query.where(jobs.c.created >= since)
        return [_job(row) for row in self._statements.rows(query)]

    def update(self, job: Job) -> Job:
        """Write a job that was read before; returns it with its new generation.

        What it is for stays as it was: environment, kind, request key, tenant; so does a plan that was `NOT_READ`.

        Raises:
            NotFound: it is gone. Conflict: it was changed since it was read, or claimed by somebody else.
        """
        left_alone = _FIXED | {"plan"} if job.plan is NOT_READ else _FIXED
        values = {name: value for name, value in _values(job).items() if name not in left_alone}
        key = jobs.c.id == job.id
        if not matched_update(self._statements, jobs, key, job.generation, values):
            refuse_stale(self._statements, jobs, key, f"job {job.id}", job.generation)
        return replace(job, generation=job.generation + 1)

    def claim(self, job_id: str, owner: Owner, lease: datetime) -> Job:
        """Take a queued job to carry it out; returns it running, with the next attempt as fencing token.

        Raises:
            NotFound: there is no such job. Conflict: it is not queued; it says what it is, and whose.
        """
        take = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                owner=asdict(owner),
                lease=lease,
                attempt=jobs.c.attempt + 1,
                generation=jobs.c.generation + 1,
            )
        )
        taken = self._statements.write(take)
        job = self.get(job_id)
        if not taken:
            by = f" by process {job.owner.pid} on {job.owner.host}" if job.owner else ""
            raise Conflict(
                f"job {job_id} cannot be claimed: it is {job.state}{by}", remedy="leave it, or start another"
            )
        return job

    def renew(self, job_id: str, attempt: int, lease: datetime) -> bool:
        """Prolong the lease of a running job; False: this attempt is no longer the one that counts.

        The generation stays, so that a renewal never makes a report stale.
        """
        mine: tuple[ColumnElement[bool], ...] = (
            jobs.c.id == job_id,
            jobs.c.attempt == attempt,
            jobs.c.state == JobState.RUNNING,
        )
        return self._statements.write(update(jobs).where(*mine).values(lease=lease)) == 1

    def _of_request(self, job: Job) -> Job | None:
        if not job.request_key:
            return None
        row = self._statements.first(select(jobs).where(jobs.c.request_key == job.request_key))
        if row is None:
            return None
        earlier = _job(row)
        if (earlier.environment, earlier.kind, earlier.tenant) != (job.environment, job.kind, job.tenant):
            raise Conflict(
                f"the request key '{job.request_key}' was used before, for another request",
                remedy="give every request a key of its own",
            )
        return earlier


def _values(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "environment": job.environment,
        "kind": job.kind,
        "state": job.state,
        "plan": job.plan,
        "options": job.options,
        "step": job.step,
        "attempt": job.attempt,
        "owner": asdict(job.owner) if job.owner else None,
        "lease": job.lease,
        "request_key": job.request_key or None,
        "artifacts": job.artifacts,
        "result": job.result,
        "actor": job.actor,
        "created": job.created,
        "finished": job.finished,
        "tenant": job.tenant,
        "generation": job.generation,
    }


def _job(row: Any) -> Job:
    id_, environment, kind, state, plan, options, step, attempt, owner, lease, request_key, *rest = row
    return Job(
        *(id_, environment, JobKind(kind), JobState(state), NOT_READ if plan is None else plan, options, step, attempt),
        *(Owner(**owner) if owner else None, lease, request_key or "", *rest),
    )
