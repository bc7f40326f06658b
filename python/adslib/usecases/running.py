"""Running: a reserved job is carried out by its playbook, inline, with its lease kept alive (A12, A16, A22)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from adslib.adapters import processes
from adslib.adapters.documents import Document
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import AdsError, Conflict, Failed, Invalid, Problem, Unsupported
from adslib.domain.job import Job, JobKind
from adslib.domain.lifecycle import JobState
from adslib.domain.plan import Plan
from adslib.usecases import environments
from adslib.usecases.hosting import project_for
from adslib.usecases.jobs import Jobs
from adslib.usecases.listening import Listener, OnEvent, ignore
from adslib.usecases.outcome import Outcome
from adslib.usecases.reserving import Reservation
from adslib.usecases.roles import role_problems, wipe_problems
from adslib.usecases.situation import project_of

RENEW_EVERY = 10.0
LOOK_EVERY = 0.1
LONGEST_PATIENCE = 86400
PASSED_ON = ("abandon", "patience")
"""Options of a job that its playbook needs from its start; it knows the others by the job."""

Cancelled = Callable[[], bool]


def never() -> bool:
    """Never cancel."""
    return False


class Running:
    """Deploy, undeploy, test, stop and start: reserve a job and carry it out. One method a use case."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor
        self._jobs = Jobs(app, actor)
        # Imported as a module: environments offers these verbs too, and asks this module for them.
        self._environments = environments.Environments(app, actor)

    def deploy(
        self,
        name: str,
        *,
        hold: bool = False,
        everything: bool = False,
        abandon: bool = False,
        discard: bool = False,
        plan: str = "",
        patience: int | None = None,
        dry_run: bool = False,
        on_event: OnEvent = ignore,
        cancelled: Cancelled = never,
    ) -> Outcome:
        """Make what stands what is defined, test it, and let it go live if the tests pass (A12, A16).

        Args:
            hold: stay ready. everything: look at every instance, even where nothing differs.
            abandon: give up a machine that is returned and cannot be cleaned: what stood on it is forgotten, and it is
                released as `failed`, so that nobody is handed it.
            discard: delete a machine at once that was made for this and cannot be used; otherwise it is kept to be
                looked at, and goes with the next deployment.
            plan: id of a saved plan, which must still hold.
            patience: seconds to wait for each machine that does not answer; None: as the playbook does.

        Raises:
            Blocked: resources are missing or the state forbids it; nothing is held. Conflict: a job is at work.
            Invalid: a role cannot be found, or nobody can wait that long.
        """
        self._actor.must(Permission.DEPLOY, f"environment '{name}'")
        if plan:
            with self._app.store.reading() as tx:
                saved = tx.plans.get(plan)
            if saved.environment != name:
                raise Conflict(
                    f"plan {plan} is one of environment '{saved.environment}'", remedy=f"ads environment plan {name}"
                )
        problems = self.role_problems(name)
        if problems:
            raise Invalid(problems=problems)
        options = {"hold": hold, "all": everything, "abandon": abandon, "discard": discard, **_patience(patience)}
        return self._run(name, JobKind.DEPLOY, options, plan, dry_run, on_event, cancelled)

    def undeploy(
        self,
        name: str,
        *,
        abandon: bool = False,
        patience: int | None = None,
        dry_run: bool = False,
        on_event: OnEvent = ignore,
        cancelled: Cancelled = never,
    ) -> Outcome:
        """Remove what stands and return every machine (A13); see `deploy`."""
        self._actor.must(Permission.DEPLOY, f"environment '{name}'")
        return self._run(
            name, JobKind.UNDEPLOY, {"abandon": abandon, **_patience(patience)}, "", dry_run, on_event, cancelled
        )

    def test(
        self,
        name: str,
        *,
        patience: int | None = None,
        dry_run: bool = False,
        on_event: OnEvent = ignore,
        cancelled: Cancelled = never,
    ) -> Outcome:
        """Run the tests again (A12); see `deploy`."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        return self._run(name, JobKind.TEST, _patience(patience), "", dry_run, on_event, cancelled)

    def stop(
        self,
        name: str,
        *,
        patience: int | None = None,
        dry_run: bool = False,
        on_event: OnEvent = ignore,
        cancelled: Cancelled = never,
    ) -> Outcome:
        """Shut down the machines that ads made; those added by hand stay ready, with what runs there (A14)."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        return self._run(name, JobKind.STOP, _patience(patience), "", dry_run, on_event, cancelled)

    def start(
        self,
        name: str,
        *,
        hold: bool = False,
        patience: int | None = None,
        dry_run: bool = False,
        on_event: OnEvent = ignore,
        cancelled: Cancelled = never,
    ) -> Outcome:
        """Start a stopped environment again (A14); see `deploy`."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        return self._run(name, JobKind.START, {"hold": hold, **_patience(patience)}, "", dry_run, on_event, cancelled)

    def role_problems(self, name: str, document: Document | None = None) -> list[Problem]:
        """The roles of an environment's services that Ansible does not find from its project.

        Args:
            document: a definition to look at in the place of the environment's own.
        """
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        if document is not None:
            definition, project = document.definition, project_of(document)
        else:
            definition = self._environments.document(name).definition
            project = str(self._environments.show(name)["project"])
        return role_problems(self._app, definition, project, ran_in=project)

    def kill(self, name: str) -> None:
        """End every process of an environment's running job at once."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        with self._app.store.reading() as tx:
            job = tx.jobs.active(name)
        if job:
            processes.end_marked(job.id, asked=0.5)

    def _refuse_missing_wipes(self, name: str) -> None:
        with self._app.store.reading() as tx:
            environment = tx.environments.get(name)
        ran_in = self._app.playbooks.present_project(environment.project)
        problems = wipe_problems(self._app, environment, ran_in=ran_in)
        if problems:
            raise Invalid(problems=problems)

    def _run(
        self,
        name: str,
        kind: JobKind,
        options: Mapping[str, Any],
        plan: str,
        dry_run: bool,
        on_event: OnEvent,
        cancelled: Cancelled,
    ) -> Outcome:
        before = self._environments.show(name)
        if kind in (JobKind.DEPLOY, JobKind.UNDEPLOY):
            self._refuse_missing_wipes(name)
        reserved = self._jobs.reserve(name, kind, options=options, expected_plan=plan, real=True, dry_run=dry_run)
        if reserved.job is None:
            changed = bool(reserved.plan.actions) or kind in (JobKind.STOP, JobKind.START)
            return Outcome(changed, before, before, plan=reserved.plan, message=_preview(reserved.plan, kind))
        return carry_out(self._app, self._actor, reserved, before, on_event, cancelled)


def _patience(seconds: int | None) -> dict[str, int]:
    """The option of a job that says how long to wait for a machine.

    Raises:
        Invalid: it is no time to wait.
    """
    if seconds is None:
        return {}
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= LONGEST_PATIENCE:
        raise Invalid(
            f"{seconds!r} is no time to wait for a machine",
            place="patience",
            remedy=f"give whole seconds from 1 to {LONGEST_PATIENCE}",
        )
    return {"patience": seconds}


def _preview(plan: Plan, kind: JobKind) -> str:
    if plan.blocked:
        return f"{kind} would be refused: resources are missing"
    return f"{kind} would do: {', '.join(f'{n} × {verb}' for verb, n in plan.counts().items()) or 'nothing new'}"


def carry_out(
    app: App,
    actor: Actor,
    reserved: Reservation,
    before: Mapping[str, Any],
    on_event: OnEvent = ignore,
    cancelled: Cancelled = never,
) -> Outcome:
    """Run the playbook of a reserved job to its end, and see that its row ends too.

    Args:
        before: the environment as it was shown before. on_event: hears the events of ansible-runner.
        cancelled: asked ten times a second; True ends the run: the job is cancelled.

    Returns:
        The environment afterwards as `after`, with the job as `after["job"]`.
    """
    job = reserved.job
    assert job is not None
    jobs = Jobs(app, actor)
    listener = Listener(on_event)
    wish = threading.Event()
    why = "its run was ended"
    try:
        jobs.keep_artifacts(job.id, str(app.playbooks.folder(job.id) / "artifacts" / "run"))
        with _kept_alive(app, jobs, job, cancelled, wish):
            run = app.playbooks.run(
                job.id,
                str(job.kind),
                project=project_for(app, job.kind, reserved.environment.project),
                variables=_variables(job, len(reserved.plan.stages)),
                environ=_environ(app),
                on_event=listener,
                cancelled=never,
            )
        ended = "was cut off" if run.rc is None else f"ended with exit code {run.rc}"
        why = "; ".join([f"its playbook {ended} before it was done", *listener.causes[-3:]])
    except AdsError as error:
        why = str(error)
        raise
    finally:
        processes.end_marked(job.id)
        if wish.is_set():
            why = f"cancelled by {actor.name}"
        jobs.lost(job.id, why, cancelled=wish.is_set())
    shown = jobs.show(job.id)
    after = {
        **environments.Environments(app, actor).show(job.environment),
        "job": {k: v for k, v in shown.items() if k != "plan"},
    }
    changed = bool(reserved.plan.actions) or listener.changes > 0 or before["state"] != after["state"]
    message = "; ".join(filter(None, [str(shown["message"]), listener.repaired(reserved.plan)]))
    return Outcome(changed, before, after, job=job.id, plan=reserved.plan, message=message)


def finished(outcome: Outcome) -> Outcome:
    """Let a job pass that succeeded.

    Raises:
        Failed: it did not; with every failure of its instances and tests.
    """
    job = outcome.after.get("job")
    if job is None or job["state"] == JobState.SUCCEEDED:
        return outcome
    causes = [Problem(cause, instance) for instance, cause in job["failures"].items()]
    tests = (outcome.after["tests"] or {}).get("failures", ()) if job["state"] == JobState.FAILED else ()
    causes += [Problem(failure, "tests") for failure in tests]
    remedy = f"look at: ads job log {outcome.job}"
    raise Failed(problems=[Problem(outcome.message, f"job {outcome.job}", remedy), *causes])


def refuse_detached(wait: bool) -> None:
    """Let calls pass that wait for their end.

    Raises:
        Unsupported: jobs run in the calling process; there is no worker that would go on.
    """
    if not wait:
        raise Unsupported("jobs are carried out in the calling process", remedy="call it with wait=True, in a thread")


def _variables(job: Job, stages: int) -> dict[str, Any]:
    # No empty plays: the run has as many as there are stages.
    variables = {"ads_environment": job.environment, "ads_job": job.id, "ads_stages": max(1, stages)}
    return variables | {f"ads_{name}": job.options[name] for name in PASSED_ON if job.options.get(name)}


def _environ(app: App) -> dict[str, str]:
    own = {"ADS_DATABASE_URL": app.settings.database_url, "ADS_HOME": str(app.settings.home)}
    return {**os.environ, **own}


@contextmanager
def _kept_alive(app: App, jobs: Jobs, job: Job, cancelled: Cancelled, wish: threading.Event) -> Iterator[None]:
    """Renew the lease of a job while the block runs; end the job's processes once that is wished, or it is lost."""
    over = threading.Event()

    def end() -> None:
        # The run ends with its processes and never without: nobody else would end what is left.
        while not processes.end_marked(job.id) and not over.wait(LOOK_EVERY):
            pass

    def watch() -> None:
        renewed = time.monotonic()
        while not over.wait(LOOK_EVERY):
            if cancelled():
                wish.set()
                end()
                return
            if time.monotonic() - renewed > RENEW_EVERY:
                renewed = time.monotonic()
                if not _renewed(jobs, job):
                    end()
                    return

    thread = threading.Thread(target=watch, name=f"lease of {job.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renewed(jobs: Jobs, job: Job) -> bool:
    try:
        return jobs.renew(job.id, job.attempt)
    except Failed:
        # The database is busy or away for a moment; the lease lasts longer than that.
        return True
