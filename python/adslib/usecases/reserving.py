"""Reserving: a plan is made, its machines are locked and its job is written, in one transaction (A12, A22).

Nothing outside is touched here. After the commit the store says what is under way; whoever comes next can go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from adslib.adapters import processes
from adslib.adapters.gateways import SIMULATED
from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.definition import Definition
from adslib.domain.environment import Environment
from adslib.domain.errors import Blocked, Conflict, NotFound
from adslib.domain.event import EventLevel
from adslib.domain.job import Job, JobKind, Owner
from adslib.domain.lifecycle import ENVIRONMENT, JOB, EnvironmentEvent, JobEvent, JobState
from adslib.domain.plan import Plan, Verb
from adslib.domain.planner import plan, plan_undeploy
from adslib.usecases.log import log
from adslib.usecases.machine_locks import refuse_locked
from adslib.usecases.situation import DEFAULT_ASIDE, actual, desired, mine, offers

T = TypeVar("T")

ATTEMPTS = 10
"""How often planning is repeated because somebody else took one of the machines in between."""

REMEDY = "add machines or a gateway, or ask for less; nothing is held"

CANCELLED_BY = "cancelled_by"
"""Key of a job's result: who wants it cancelled, written before its processes are ended."""

LEASE = timedelta(seconds=60)
"""How long a job counts as alive without a word of its owner."""

EVENTS = {
    JobKind.DEPLOY: EnvironmentEvent.DEPLOY,
    JobKind.UNDEPLOY: EnvironmentEvent.UNDEPLOY,
    JobKind.TEST: EnvironmentEvent.TEST,
    JobKind.STOP: EnvironmentEvent.STOP,
    JobKind.START: EnvironmentEvent.START,
}


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was reserved: the job (None in a dry run), its plan, and the environment as it is now."""

    environment: Environment
    plan: Plan
    job: Job | None = None


def reserve(
    app: App,
    actor: Actor,
    name: str,
    kind: JobKind,
    *,
    owner: Owner,
    options: Mapping[str, Any],
    expected_plan: str = "",
    real: bool = False,
    dry_run: bool = False,
) -> Reservation:
    """Plan, lock the machines and write the job, all or nothing.

    Any free machine that fits will do: if somebody takes one of them in between, it is planned again.

    Args:
        owner: the process that will carry it out. expected_plan: id of a saved plan; another plan is refused.
        real: Ansible will carry it out, which does not reach simulated machines.

    Raises:
        Blocked: resources are missing, simulated, or the state forbids it; nothing is held.
        Conflict: another job is at work, or the world moved on since the plan was saved.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(_TakenError):
            return _reserve_once(app, actor, name, kind, owner, options, expected_plan, real, dry_run)
    return _reserve_once(app, actor, name, kind, owner, options, expected_plan, real, dry_run)


class _TakenError(Conflict):
    """Between planning and locking, somebody else took one of the machines."""


def _reserve_once(
    app: App,
    actor: Actor,
    name: str,
    kind: JobKind,
    owner: Owner,
    options: Mapping[str, Any],
    expected_plan: str,
    real: bool,
    dry_run: bool,
) -> Reservation:
    offered = offers(app, _defined(app, actor, name)) if kind is JobKind.DEPLOY else ()
    opened = app.store.reading() if dry_run else app.store.transaction()
    with opened as tx:
        environment = at_rest(app, tx, mine(tx, actor, name), dry_run=dry_run)
        refuse_locked(app, tx, tx.machines.list(holder=name))
        state = ENVIRONMENT.after(environment.state, EVENTS[kind], name)
        made = _plan(app, tx, environment, kind, offered)
        if made.blocked and not dry_run:
            raise Blocked(
                f"environment '{name}' cannot be deployed: " + "; ".join(str(b) for b in made.blocked),
                remedy=REMEDY if offered else f"{REMEDY}; {DEFAULT_ASIDE}",
            )
        if real and kind is JobKind.DEPLOY and not made.blocked:
            _refuse_simulated(tx, made)
        if expected_plan and made.id != expected_plan:
            raise Conflict(
                f"the saved plan {expected_plan} no longer holds: planning now gives {made.id}",
                remedy=f"look at: ads environment plan {name}",
            )
        if dry_run:
            return Reservation(environment, made)
        at = app.clock()
        _lock_machines(app, tx, environment, made)
        written = {**options, "was": str(environment.state)}
        job = Job(
            id=app.new_id(),
            environment=name,
            kind=kind,
            state=JobState.RUNNING,
            plan=made.as_data(),
            options=written,
            attempt=1,
            owner=owner,
            lease=at + LEASE,
            actor=actor.name,
            created=at,
            tenant=environment.tenant,
        )
        tx.jobs.add(job)
        _refuse_worked_on(app, tx, name)
        environment = tx.environments.update(replace(environment, state=state))
        log(tx, at, actor, f"{kind} of environment '{name}' began", environment=name, job=job.id, plan=made.counts())
    return Reservation(environment, made, job)


def _defined(app: App, actor: Actor, name: str) -> Definition:
    with app.store.reading() as tx:
        return desired(tx.revisions.get(name, mine(tx, actor, name).revision)).definition


def at_rest(app: App, tx: Transaction, environment: Environment, *, dry_run: bool) -> Environment:
    """An environment that no job is at work on; call `recover` first, outside of the transaction, unless in a dry run.

    In a dry run it is shown as it would be once a job whose owner is gone was cleared away.

    Raises:
        Conflict: a job is at work; it says which, whose, and what can be done.
    """
    active = tx.jobs.active(environment.name)
    if active is None:
        return environment
    if dry_run and gone(active, app.clock()):
        return _fallen(environment)
    who = f"process {active.owner.pid} on {active.owner.host}" if active.owner else "nobody yet"
    raise Conflict(
        f"job {active.id} ({active.kind}) of environment '{environment.name}' is at work: {active.actor}, {who}",
        remedy=f"wait for it, or end it with: ads job cancel {active.id}",
    )


def _fallen(environment: Environment) -> Environment:
    """What an interruption makes of an environment."""
    passing = ENVIRONMENT.passing.get(environment.state)
    return replace(environment, state=passing.interrupted) if passing else environment


def _plan(app: App, tx: Transaction, environment: Environment, kind: JobKind, offered: Any) -> Plan:
    if kind is JobKind.DEPLOY:
        now = actual(app, tx, environment, offered)
        return plan(desired(tx.revisions.get(environment.name, environment.revision)), now)
    if kind is JobKind.UNDEPLOY:
        return plan_undeploy(actual(app, tx, environment, ()))
    held = {machine.id: machine.name for machine in tx.machines.list(holder=environment.name)}
    standing = tx.standings.of(environment.name)
    seats = {s.instance: held[s.machine_id] for s in standing if s.machine_id in held}
    # What was stopped comes back as it stood; an edit since then is for a deployment.
    revision = (kind is JobKind.START and environment.deployed) or environment.revision
    return Plan(environment.name, revision, environment.generation, seats=seats)


def _refuse_simulated(tx: Transaction, made: Plan) -> None:
    simulated = {setting.name for setting in tx.gateways.list() if setting.kind in SIMULATED}
    if not simulated:
        return
    standing = tx.machines.by_names({*made.seats.values()} - {new.name for new in made.new})
    pairs = [*((new.gateway, new.name) for new in made.new), *((old.gateway, old.name) for old in standing)]
    found = sorted(pair for pair in pairs if pair[0] in simulated)
    if found:
        gateway, names = found[0][0], [name for _, name in found]
        raise Blocked(
            f"environment '{made.environment}' cannot be deployed: nothing can be deployed on simulated machines: "
            f"{', '.join(names[:5])}{' …' if len(names) > 5 else ''} of gateway '{gateway}'",
            remedy="name another gateway in the definition (machine: {gateway: NAME}), or remove this one with its "
            f"machines: ads gateway remove {gateway}; nothing is held",
        )


def _lock_machines(app: App, tx: Transaction, environment: Environment, made: Plan) -> None:
    wanted = [action.machine for action in made.actions if action.verb is Verb.ALLOCATE]
    try:
        tx.machines.claim([machine.id for machine in tx.machines.by_names(wanted)], environment.name)
    except (Conflict, NotFound) as error:
        raise _TakenError(problems=error.problems) from error
    tx.machines.add_many(
        new.intended(app.new_id(), tenant=environment.tenant, holder=environment.name) for new in made.new
    )


def _refuse_worked_on(app: App, tx: Transaction, environment: str) -> None:
    """Look again now that nobody can lock a machine of the environment any more."""
    try:
        refuse_locked(app, tx, tx.machines.list(holder=environment))
    except Conflict as error:
        raise _TakenError(problems=error.problems) from error


def recover(app: App, actor: Actor, name: str) -> Job | None:
    """Clear away a job whose owner is gone: end what it left running, then write down that it was interrupted.

    Returns:
        The interrupted job, None if there was none.

    Raises:
        NotFound: no such environment. Conflict: a person's own ansible-playbook is at work, which ads does not end.
    """
    with app.store.reading() as tx:
        mine(tx, actor, name)
        job = tx.jobs.active(name)
    if job is None or not gone(job, app.clock()):
        return None
    if not processes.end_marked(job.id):
        raise Conflict(
            f"processes {processes.marked(job.id)} of the interrupted job {job.id} do not end",
            remedy="end them, then try again",
        )
    return interrupt(app, actor, job, "its owner is gone")


def gone(job: Job, at: datetime) -> bool:
    """Whether the owner of a running job is gone."""
    return job.state is JobState.RUNNING and processes.gone(job.owner, job.lease, at)


def wish_cancelled(app: App, job_id: str, who: str) -> None:
    """Write down that somebody wants a job cancelled; then it ends as cancelled, whoever sees its end first."""

    def write() -> None:
        with app.store.transaction() as tx:
            job = tx.jobs.get(job_id)
            if job.state is JobState.RUNNING:
                tx.jobs.update(replace(job, result={**job.result, CANCELLED_BY: who}))

    _until_it_holds(write)


def interrupt(app: App, actor: Actor, job: Job, why: str, event: JobEvent = JobEvent.LOSE) -> Job:
    """Write down that a job ended on the way; its environment falls to what the lifecycle says.

    Several may see the end of one job at the same moment; the first writes it down.
    """
    return _until_it_holds(lambda: _interrupt_once(app, actor, job.id, why, event))


def _until_it_holds(act: Callable[[], T]) -> T:
    """Do again what somebody else's change of the same rows undid: the job's playbook, or another who ends it."""
    for _ in range(ATTEMPTS - 1):
        with suppress(Conflict):
            return act()
    return act()


def _interrupt_once(app: App, actor: Actor, job_id: str, why: str, event: JobEvent) -> Job:
    with app.store.transaction() as tx:
        job = tx.jobs.get(job_id)
        if job.state is not JobState.RUNNING:
            return job
        who = job.result.get(CANCELLED_BY)
        if who:
            event, why = JobEvent.CANCEL, f"cancelled by {who}"
        at = app.clock()
        state = JOB.after(job.state, event, job.id)
        ended = tx.jobs.update(replace(job, state=state, finished=at, result={**job.result, "message": why}))
        environment = tx.environments.get(job.environment)
        fallen = _fallen(environment)
        if fallen != environment:
            tx.environments.update(fallen)
        text = f"{job.kind} of environment '{job.environment}' {state}: {why}"
        log(tx, at, actor, text, level=EventLevel.WARNING, environment=job.environment, job=job.id)
    return ended
