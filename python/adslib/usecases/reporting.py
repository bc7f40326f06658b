"""Reporting: what the playbook did is written down stage by stage, and at the end what became of the environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.desired import Desired, Digests, Seat
from adslib.domain.environment import Environment, Standing, TestReport, left_on
from adslib.domain.errors import Conflict, Invalid
from adslib.domain.event import EventLevel
from adslib.domain.job import Job, JobKind
from adslib.domain.lifecycle import ENVIRONMENT, JOB, EnvironmentEvent, EnvironmentState, JobEvent, JobState
from adslib.domain.plan import removals
from adslib.domain.topology import Instance
from adslib.usecases.log import log
from adslib.usecases.reserving import LEASE
from adslib.usecases.situation import desired

LEFT = "it moved away and was not removed from here yet"


def fenced(app: App, tx: Transaction, job_id: str, attempt: int) -> Job:
    """The job, if the caller still carries it out; its lease is renewed.

    Raises:
        Conflict: the job ended, or another process took it over.
    """
    job = tx.jobs.get(job_id)
    if job.state is not JobState.RUNNING or job.attempt != attempt:
        raise Conflict(
            f"job {job_id} is {job.state} at attempt {job.attempt}; this run (attempt {attempt}) no longer owns it",
            remedy=f"look at: ads job show {job_id}",
        )
    return tx.jobs.update(replace(job, lease=app.clock() + LEASE))


def chosen(job: Job, wanted: Desired) -> list[Instance]:
    """The instances that a deployment works on: those with an action, or all of them when nothing differs."""
    acted = {a["subject"] for a in job.plan["actions"] if a["verb"] in ("deploy", "update", "move", "repair")}
    everything = not acted or bool(job.options.get("all"))
    return [i for i in wanted.topology.instances if everything or i.id in acted]


def to_test(job: Job, wanted: Desired, environment: Environment) -> list[Instance]:
    """The instances whose tests a job runs: those it works on; all of them if they were stopped or failed last."""
    worked_on = {instance.id for instance in chosen(job, wanted)}
    stopped = job.options.get("was") == EnvironmentState.STOPPED
    every = stopped or environment.tests is None or not environment.tests.good
    return [i for i in wanted.topology.instances if (every or i.id in worked_on) and wanted.topology.service(i).tests]


def report(app: App, actor: Actor, job_id: str, attempt: int, stage: int, results: Mapping[str, str]) -> list[str]:
    """Write down how a stage went.

    Args:
        results: instance id → cause of its failure, empty if it was deployed; an instance that is not named failed
            because its host was lost.

    Returns:
        Ids of the instances of later stages that cannot be deployed because something they require failed.
    """
    with app.store.transaction() as tx:
        job = fenced(app, tx, job_id, attempt)
        wanted = desired(tx.revisions.get(job.environment, int(job.plan["revision"])))
        here = [i for i in chosen(job, wanted) if wanted.stage_of[i.service] == stage]
        earlier = job.result.get("failures", {})
        unreached = dict.fromkeys(blocked(wanted, here, earlier, stage - 1), "something it requires failed")
        known = {**_lost_machines(tx, job), **unreached, **results}
        causes = {i.id: known.get(i.id, "its host did not answer") for i in here}
        _write_standings(app, tx, job, wanted, here, causes)
        _saw(tx, job, (id for id, cause in results.items() if not cause), app.clock())
        failures = {**earlier, **{id: cause for id, cause in causes.items() if cause}}
        reported = sorted({*job.result.get("stages", ()), stage})
        result = {**job.result, "failures": failures, "stages": reported}
        job = tx.jobs.update(replace(job, step=f"stage {stage}", result=result))
        for id, cause in causes.items():
            if cause:
                log(
                    tx, app.clock(), actor, f"{id} failed: {cause}",
                    level=EventLevel.ERROR, environment=job.environment, job=job.id,
                )  # fmt: skip
    return blocked(wanted, chosen(job, wanted), failures, stage)


def _saw(tx: Transaction, job: Job, instances: Iterable[str], at: datetime) -> None:
    """These instances answered, so the addresses of their machines are in use (I6)."""
    seats = job.plan["seats"]
    tx.addresses.saw_machines({seats[id] for id in instances if id in seats}, at)


def blocked(wanted: Desired, instances: Iterable[Instance], failures: Mapping[str, str], stage: int) -> list[str]:
    """Instances behind a stage that require, with order, an instance that failed."""
    result = []
    for instance in instances:
        if wanted.stage_of[instance.service] > stage:
            service = wanted.topology.service(instance)
            required = (r.service for r in service.requires if r.service and r.ordered)
            members = (m.id for name in required for m in wanted.topology.members(instance.scope, name))
            if any(id in failures for id in members):
                result.append(instance.id)
    return result


def _lost_machines(tx: Transaction, job: Job) -> dict[str, str]:
    """Instances whose machine is not to be had, with the reason."""
    reasons = {m.name: m.reason for m in tx.machines.list(holder=job.environment) if m.reason}
    reasons |= job.result.get("lost", {})
    seats = job.plan["seats"].items()
    return {id: f"machine '{name}': {reasons[name]}" for id, name in seats if name in reasons}


def _write_standings(
    app: App, tx: Transaction, job: Job, wanted: Desired, here: Sequence[Instance], causes: Mapping[str, str]
) -> None:
    held = {machine.name: machine for machine in tx.machines.list(holder=job.environment)}
    seats = {
        id: Seat(name, held[name].id, held[name].reach.address) if name in held else Seat(name)
        for id, name in job.plan["seats"].items()
    }
    digests = Digests(wanted, seats)
    at = app.clock()
    _keep_what_is_left(tx, job, seats, here)
    tx.standings.put_many(
        [
            Standing(
                environment=job.environment,
                instance=instance.id,
                service=instance.service,
                machine_id=seats[instance.id].id,
                version=wanted.version(instance.service),
                digest=digests.of(instance),
                failed=bool(causes[instance.id]),
                deployed_at=at,
                detail={"software": wanted.software(instance), "message": causes[instance.id]},
            )
            for instance in here
            if seats[instance.id].id
        ]
    )


def _keep_what_is_left(tx: Transaction, job: Job, seats: Mapping[str, Seat], here: Sequence[Instance]) -> None:
    """Keep on record what instances left on machines that they moved away from, until it was removed there."""
    held = {machine.id: machine.name for machine in tx.machines.list(holder=job.environment)}
    known = {standing.instance: standing for standing in tx.standings.of(job.environment)}
    tx.standings.remove_many(job.environment, [left_on(i.id, seats[i.id].machine) for i in here])
    moved = [known[i.id] for i in here if i.id in known and seats[i.id].id and known[i.id].machine_id != seats[i.id].id]
    tx.standings.put_many(
        replace(s, instance=left_on(s.instance, held[s.machine_id]), failed=True, detail={**s.detail, "message": LEFT})
        for s in moved
        if s.machine_id in held
    )


def removed(app: App, actor: Actor, job_id: str, attempt: int, results: Mapping[str, str]) -> None:
    """Write down what was removed; what failed stays recorded and is planned again, unless the job may abandon it.

    Args:
        results: id of a removal → cause of its failure, empty if it was removed; one that is not named failed because
            its host was lost, unless its machine goes as a whole.
    """
    with app.store.transaction() as tx:
        job = fenced(app, tx, job_id, attempt)
        actions = job.plan["actions"]
        going = {"", *(a["machine"] for a in actions if a["verb"] == "delete")}
        leaving = {removal.id: removal.machine for removal in removals(actions)}
        lost = {id: "its host did not answer" for id, machine in leaving.items() if machine not in going}
        causes = {**lost, **results}
        gone = [id for id in leaving if not causes.get(id)]
        tx.standings.remove_many(job.environment, gone)
        wiped = {removal.id: removal.machine for removal in removals(actions) if removal.role}
        failures = {**job.result.get("failures", {}), **{id: why for id, why in causes.items() if why}}
        result = {
            **job.result,
            "failures": failures,
            "abandoned": _abandoned(job, leaving, failures),
            "wiped": [wiped[id] for id in gone if id in wiped],
        }
        tx.jobs.update(replace(job, step="removals", result=result))
        for id in gone:
            text = f"machine '{wiped[id]}' wiped" if id in wiped else f"{id} removed"
            log(tx, app.clock(), actor, text, environment=job.environment, job=job.id)


def _abandoned(job: Job, leaving: Mapping[str, str], failures: dict[str, str]) -> dict[str, dict[str, str]]:
    """Take what is given up out of the failures: machine → what was not removed from it, with the cause.

    Only a machine that this job returns can be given up; where others still stand, a removal that failed is a failure.
    """
    abandoned: dict[str, dict[str, str]] = {}
    if job.options.get("abandon"):
        returned = _returned(job)
        for id in [id for id in leaving if id in failures and leaving[id] in returned]:
            abandoned.setdefault(leaving[id], {})[id] = failures.pop(id)
    return abandoned


def _returned(job: Job) -> set[str]:
    """Names of the machines that a job gives back to the pool."""
    return {action["machine"] for action in job.plan["actions"] if action["verb"] == "release"}


def finish(
    app: App, actor: Actor, job_id: str, attempt: int, said: Sequence[Mapping[str, Any]], kept: Mapping[str, str]
) -> tuple[Job, Environment]:
    """End a job: what failed decides where its environment goes (A12).

    Args:
        said: what the tests said (items: instance, test, ok, cause).
        kept: machines that could not be brought up or given back, with the reason.
    """
    with app.store.transaction() as tx:
        job = fenced(app, tx, job_id, attempt)
        environment = tx.environments.get(job.environment)
        tests = _test_report(app, tx, job, environment, said)
        _saw(tx, job, (str(test["instance"]) for test in said if test["ok"]), app.clock())
        abandoned = job.result.get("abandoned", {})
        machines = {f"machine {name}": why for name, why in kept.items() if name not in abandoned}
        failures = {**_unreported(tx, job), **job.result.get("failures", {}), **machines}
        short = job.kind is JobKind.START and _falls_short(tx, environment)
        after = _after(environment, job, _event(job, bool(failures), short, tests), tests)
        at = app.clock()
        good = not failures and (tests is None or tests.good)
        message = _message(job, after, failures, tests, sum(1 for test in said if test["ok"]))
        result = {**job.result, "failures": failures, "message": message}
        job = tx.jobs.update(
            replace(
                job,
                state=JOB.after(job.state, JobEvent.SUCCEED if good else JobEvent.FAIL, job.id),
                finished=at,
                result=result,
            )
        )
        environment = tx.environments.update(after)
        level = EventLevel.INFO if good else EventLevel.ERROR
        log(tx, at, actor, message, level=level, environment=job.environment, job=job.id)
    return job, environment


def _unreported(tx: Transaction, job: Job) -> dict[str, str]:
    """Instances of stages that nobody reported, with the reason: a run that left them out has not deployed them."""
    if job.kind is not JobKind.DEPLOY:
        return {}
    wanted = desired(tx.revisions.get(job.environment, int(job.plan["revision"])))
    stages = {instance.id: wanted.stage_of[instance.service] for instance in chosen(job, wanted)}
    reported = job.result.get("stages", ())
    return {id: f"stage {stage} did not run" for id, stage in stages.items() if stage not in reported}


def _test_report(
    app: App, tx: Transaction, job: Job, environment: Environment, said: Sequence[Mapping[str, Any]]
) -> TestReport | None:
    """What the tests said; one that never spoke has failed, and one that was good and had no reason to run still is."""
    if job.kind not in (JobKind.DEPLOY, JobKind.TEST, JobKind.START):
        return None
    wanted = desired(tx.revisions.get(job.environment, int(job.plan["revision"])))
    try:
        failures = [f"{test['instance']} {test['test']}: {test.get('cause', '')}" for test in said if not test["ok"]]
        heard = Counter(test["instance"] for test in said)
    except (KeyError, TypeError):
        raise Invalid("a test result needs instance, test and ok", place="tests") from None
    passed = len(said) - len(failures)
    tested = {instance.id for instance in to_test(job, wanted, environment)}
    for instance in wanted.topology.instances:
        silent = len(wanted.topology.service(instance).tests) - heard[instance.id]
        if silent > 0 and instance.id in tested:
            failures.append(f"{instance.id}: {silent} of its tests did not run")
        else:
            passed += max(silent, 0)
    return TestReport(app.clock(), passed, tuple(failures))


def _falls_short(tx: Transaction, environment: Environment) -> bool:
    """Whether it was stopped before all of it stood: starting it again does not make it whole."""
    return not environment.deployed or any(standing.failed for standing in tx.standings.of(environment.name))


def _event(job: Job, failed: bool, short: bool, tests: TestReport | None) -> EnvironmentEvent:
    untrue = job.kind is JobKind.TEST and tests is not None and not tests.good
    if failed or untrue:
        return EnvironmentEvent.FAIL
    return EnvironmentEvent.FALL_SHORT if short else EnvironmentEvent.DONE


def _after(environment: Environment, job: Job, event: EnvironmentEvent, tests: TestReport | None) -> Environment:
    failed = event is EnvironmentEvent.FAIL and job.kind is not JobKind.TEST
    state = ENVIRONMENT.after(environment.state, event, environment.name)
    tested = tests if tests is not None else environment.tests
    if job.kind is JobKind.UNDEPLOY and not failed:
        return replace(environment, state=state, tests=None, deployed=0, live_despite="")
    goes_live = job.kind is not JobKind.TEST and not job.options.get("hold")
    if state is EnvironmentState.READY and goes_live and tests is not None and tests.good:
        state = ENVIRONMENT.after(state, EnvironmentEvent.GO_LIVE, environment.name)
    deployed = int(job.plan["revision"]) if job.kind is JobKind.DEPLOY and not failed else environment.deployed
    return replace(environment, state=state, tests=tested, deployed=deployed, live_despite="")


def _message(job: Job, after: Environment, failures: Mapping[str, Any], tests: TestReport | None, now: int) -> str:
    text = f"{job.kind} of environment '{after.name}' ended: it is {after.state}"
    if failures:
        text += f"; {len(failures)} failed: " + ", ".join(sorted(failures)[:5])
    returned = _returned(job)
    if any(removal.id in failures and removal.machine in returned for removal in removals(job.plan["actions"])):
        text += f"; to give up what cannot be removed: ads environment {job.kind} {after.name} --abandon"
    for machine, left in job.result.get("abandoned", {}).items():
        text += f"; machine '{machine}' abandoned uncleaned, {', '.join(left)} may be left on it"
    if tests is not None:
        earlier = f" ({tests.passed - now} of them earlier)" if tests.passed > now else ""
        text += f"; {tests.passed} tests passed{earlier}" + (
            f", {len(tests.failures)} failed" if tests.failures else ""
        )
    return text
