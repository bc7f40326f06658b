"""Environments: defined, planned, deployed, tested, live, stopped, returned (A1–A7, A12, A13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from adslib.adapters import documents
from adslib.adapters.documents import Document
from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain import comparison, opening
from adslib.domain.actor import Actor, Permission
from adslib.domain.desired import Desired
from adslib.domain.environment import Environment, Revision
from adslib.domain.errors import Blocked, Conflict, Invalid, NotFound, Problem
from adslib.domain.event import EventLevel
from adslib.domain.lifecycle import ENVIRONMENT, EnvironmentEvent
from adslib.domain.plan import Plan
from adslib.domain.planner import plan, shortages, size_problems
from adslib.domain.reading import read
from adslib.usecases import running
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome
from adslib.usecases.reserving import at_rest, recover
from adslib.usecases.situation import actual, desired, mine, offers, project_of, shown


class Environments:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def create(
        self, document: Document, *, name: str = "", comment: str = "", template: str = "", dry_run: bool = False
    ) -> Outcome:
        """Accept the first definition of a new environment (A4).

        Raises:
            Conflict: an environment of that name exists.
        """
        name = name or document.definition.environment
        self._actor.must(Permission.DEFINE, f"environment '{name}'")
        with self._app.store.reading() as tx:
            if tx.environments.find(name):
                self._refuse_foreign(tx, name)
                raise Conflict(
                    f"there is an environment '{name}' already", remedy=f"change it with: ads environment edit {name}"
                )
        return self.define(document, name=name, comment=comment, template=template, dry_run=dry_run)

    def define(
        self, document: Document, *, name: str = "", comment: str = "", template: str = "", dry_run: bool = False
    ) -> Outcome:
        """Make an environment what the document says: create it, or add a revision if the document differs (A2)."""
        name = name or document.definition.environment
        self._actor.must(Permission.DEFINE, f"environment '{name}'")
        if name != document.definition.environment:
            document = documents.renamed(document, name)
        wanted = Desired(document.definition)
        self._refuse_unknown_sizes(name, document, wanted)
        instances = len(wanted.topology.instances)
        self._recover(name, dry_run)
        with self._app.store.transaction() as tx:
            found = tx.environments.find(name)
            if found:
                self._refuse_foreign(tx, name)
            latest = tx.revisions.latest(name) if found else None
            before = shown(found) if found else {}
            if (
                found
                and latest
                and (latest.tree, dict(latest.parameters)) == (document.tree, dict(document.parameters))
            ):
                return Outcome(False, before, before, message=f"environment '{name}' is as defined")
            if found:
                found = at_rest(self._app, tx, found, dry_run=dry_run)
                ENVIRONMENT.after(found.state, EnvironmentEvent.EDIT, name)
            number = latest.number + 1 if latest else 1
            project = project_of(document)
            after = replace(found, revision=number, project=project) if found else self._new(name, project)
            if dry_run:
                return Outcome(True, before, shown(after), message=f"environment '{name}' would be defined")
            after = tx.environments.update(after) if found else _added(tx, after)
            tx.revisions.add(self._revision(document, name, number, comment, template))
            verb = "edited" if found else "created"
            log(tx, self._app.clock(), self._actor, f"environment '{name}' {verb}: revision {number}", environment=name)
        return Outcome(True, before, shown(after), message=f"environment '{name}' {verb}: {instances} instances")

    def _refuse_unknown_sizes(self, name: str, document: Document, wanted: Desired) -> None:
        """What else its machines lack may come later; it is told here too, so that all is mended at once."""
        found = size_problems(wanted, self._app.settings.sizes)
        problems = [Problem(what, document.where(path), remedy) for path, what, remedy in found]
        if not problems:
            return
        offered = offers(self._app, document.definition)
        with self._app.store.reading() as tx:
            there = actual(self._app, tx, self._proposed(tx, name, document), offered)
        for shortage in shortages(wanted, there):
            problems += [Problem(str(shortage), document.where(("services", s, "machine"))) for s in shortage.services]
        raise Invalid(problems=problems)

    def _recover(self, name: str, dry_run: bool) -> None:
        """Clear away a job whose owner is gone, before a verb that needs an environment at rest."""
        if not dry_run:
            with suppress(NotFound):  # The verb itself says what it makes of that.
                recover(self._app, self._actor, name)

    def _refuse_foreign(self, tx: Transaction, name: str) -> None:
        try:
            mine(tx, self._actor, name)
        except NotFound:
            raise Conflict(f"the name '{name}' is taken", remedy="choose another name") from None

    def _new(self, name: str, project: str) -> Environment:
        return Environment(name, project=project, tenant=self._actor.tenant, created=self._app.clock())

    def _revision(self, document: Document, name: str, number: int, comment: str, template: str) -> Revision:
        return Revision(
            environment=name,
            number=number,
            tree=document.tree,
            rendered=document.rendered,
            parameters=document.parameters,
            origin=document.origin,
            created=self._app.clock(),
            created_by=self._actor.name,
            template=template,
            comment=comment,
        )

    def edit(self, name: str, document: Document, *, comment: str = "", dry_run: bool = False) -> Outcome:
        """Add a revision to an environment that exists; what it was made from a template of stays as open as that.

        Raises:
            NotFound: no such environment. Invalid: the edit touches what its template fixes.
            Conflict: a job is at work on it.
        """
        self._actor.must(Permission.DEFINE, f"environment '{name}'")
        with self._app.store.reading() as tx:
            mine(tx, self._actor, name)
            latest = tx.revisions.latest(name)
            template = tx.templates.find(latest.template) if latest.template else None
        if template:
            # What the template itself has changed since may come with the edit.
            within = not any(opening.touched(template, template.tree, document.tree))
            if not within:
                opening.check_edit(template, latest.tree, document.tree, document.where)
        return self.define(document, name=name, comment=comment, template=latest.template, dry_run=dry_run)

    def clone(self, name: str, new_name: str, *, dry_run: bool = False) -> Outcome:
        """Create an environment with another's current definition and parameters (A4)."""
        self._actor.must(Permission.DEFINE, f"environment '{new_name}'")
        document = documents.renamed(self.document(name), new_name)
        with self._app.store.reading() as tx:
            template = tx.revisions.latest(name).template
        return self.create(document, comment=f"cloned from {name}", template=template, dry_run=dry_run)

    def delete(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Forget an environment that is not deployed; absent ones are left alone.

        Raises:
            Blocked: it is deployed. Conflict: a job is at work on it.
        """
        self._actor.must(Permission.DEFINE, f"environment '{name}'")
        self._recover(name, dry_run)
        with self._app.store.transaction() as tx:
            found = tx.environments.find(name)
            if found is None:
                return Outcome(False, message=f"there is no environment '{name}'")
            found = at_rest(self._app, tx, mine(tx, self._actor, name), dry_run=dry_run)
            ENVIRONMENT.after(found.state, EnvironmentEvent.DELETE, name)
            if not dry_run:
                tx.environments.delete(name)
                log(tx, self._app.clock(), self._actor, f"environment '{name}' deleted", environment=name)
        return Outcome(True, shown(found), message=f"environment '{name}' deleted")

    def list(self, *, state: str = "") -> Sequence[Mapping[str, Any]]:
        """All environments of the actor's tenant, by name."""
        self._actor.must(Permission.VIEW, "environments")
        with self._app.store.reading() as tx:
            return [shown(found) for found in tx.environments.list(tenant=self._actor.tenant, state=state or None)]

    def show(self, name: str) -> Mapping[str, Any]:
        """One environment with its instances, machines and last job."""
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        with self._app.store.reading() as tx:
            found = mine(tx, self._actor, name)
            machines = {machine.id: machine for machine in tx.machines.list(holder=name)}
            standings = tx.standings.of(name)
            jobs = tx.jobs.list(environment=name, tenant=found.tenant, since=found.created, limit=1)
            revision = tx.revisions.get(name, found.revision)
            services = read(revision.rendered).services
        instances = [
            {
                "instance": s.instance,
                "service": s.service,
                "ports": dict(services[s.service].ports) if s.service in services else {},
                "version": s.version,
                "machine": machines[s.machine_id].name if s.machine_id in machines else "",
                "address": machines[s.machine_id].reach.address if s.machine_id in machines else "",
                "state": "failed" if s.failed else "deployed",
                "deployed_at": s.deployed_at.isoformat() if s.deployed_at else None,
                "message": s.detail.get("message", ""),
            }
            for s in standings
        ]
        given = dict(revision.parameters)
        return {**shown(found), "parameters": given, "instances": instances, "last_job": jobs[0].id if jobs else ""}

    def document(self, name: str, revision: int = 0) -> Document:
        """A revision as a document; 0: the current one.

        Raises:
            NotFound: no such environment or revision.
        """
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        with self._app.store.reading() as tx:
            found = mine(tx, self._actor, name)
            kept = tx.revisions.get(name, revision or found.revision)
        return documents.restored(kept.tree, kept.parameters, kept.origin, kept.rendered)

    def history(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The revisions, newest first: number, who, when, from which commit."""
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        with self._app.store.reading() as tx:
            mine(tx, self._actor, name)
            kept = tx.revisions.list(name)
        return [
            {
                "revision": r.number,
                "created": r.created.isoformat(),
                "created_by": r.created_by,
                "path": r.origin.path,
                "commit": r.origin.commit,
                "clean": r.origin.clean,
                "template": r.template,
                "comment": r.comment,
            }
            for r in sorted(kept, key=lambda r: -r.number)
        ]

    def compare(self, name: str, before: int, after: int = 0) -> Sequence[comparison.Change]:
        """What differs between two revisions (A2); `after` 0: the current one.

        Values that were given to parameters stand under `given`.
        """
        trees = [
            {**document.tree, "given": dict(document.parameters)} if document.parameters else document.tree
            for document in (self.document(name, before), self.document(name, after))
        ]
        return comparison.compare(*trees)

    def stages(self, name: str) -> Sequence[Sequence[str]]:
        """The services in the order in which they are deployed, by stage (A15)."""
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        with self._app.store.reading() as tx:
            found = mine(tx, self._actor, name)
            return desired(tx.revisions.get(name, found.revision)).stages

    def plan(self, name: str, document: Document | None = None, *, save: bool = False) -> Plan:
        """What a deployment would do now and why; changes nothing (A5).

        Args:
            document: plan as if this were its definition, also of an environment that does not exist yet.
            save: keep it, to be deployed later by its id if the world has not moved on.

        Raises:
            Invalid: to be saved, but the document is not the environment's yet.
        """
        self._actor.must(Permission.VIEW, f"environment '{name}'")
        if save and document is not None:
            raise Invalid(
                "only plans of what is defined are saved",
                place=f"environment '{name}'",
                remedy="give the environment this definition first",
            )
        offered = offers(self._app, (document or self.document(name)).definition)
        with self._app.store.reading() as tx:
            if document is None:
                found = mine(tx, self._actor, name)
                wanted = desired(tx.revisions.get(name, found.revision))
            else:
                found = self._proposed(tx, name, document)
                wanted = Desired(document.definition)
            made = plan(wanted, actual(self._app, tx, found, offered))
        if save:
            with self._app.store.transaction() as tx:
                tx.plans.add(made.id, name, made.as_data(), self._app.clock())
        return made

    def _proposed(self, tx: Transaction, name: str, document: Document) -> Environment:
        """The environment as it would be with a document that is not stored."""
        if tx.environments.find(name) is None:
            return self._new(name, project_of(document))
        found = mine(tx, self._actor, name)
        return replace(found, revision=found.revision + 1, project=project_of(document))

    def go_live(self, name: str, *, despite: str = "", dry_run: bool = False) -> Outcome:
        """Let a ready environment go live (A12).

        Args:
            despite: the reason to do so in spite of failed tests; recorded with who said it.

        Raises:
            Blocked: it is not ready, or its tests failed or never ran and no reason is given.
            Conflict: a job is at work on it.
        """
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        self._recover(name, dry_run)
        with self._app.store.transaction() as tx:
            found = at_rest(self._app, tx, mine(tx, self._actor, name), dry_run=dry_run)
            if found.state == "live":
                return Outcome(False, shown(found), shown(found), message=f"environment '{name}' is live")
            state = ENVIRONMENT.after(found.state, EnvironmentEvent.GO_LIVE, name)
            good = found.tests is not None and found.tests.good
            if not good and not despite:
                failed = f"{len(found.tests.failures)} tests failed" if found.tests else "its tests have not run"
                raise Blocked(
                    f"environment '{name}' does not go live: {failed}",
                    remedy=f"mend it and run: ads environment test {name}; or go live with "
                    "--despite-failed-tests and a reason",
                )
            words = "" if good else f"{self._actor.name}: {despite}"
            after = replace(found, state=state, live_despite=words)
            if not dry_run:
                after = tx.environments.update(after)
                text = f"environment '{name}' is live" + (f" despite failed tests ({words})" if words else "")
                level = EventLevel.WARNING if words else EventLevel.INFO
                log(tx, self._app.clock(), self._actor, text, level=level, environment=name)
        return Outcome(True, shown(found), shown(after), message=f"environment '{name}' is live")

    def deploy(
        self,
        name: str,
        *,
        hold: bool = False,
        abandon: bool = False,
        discard: bool = False,
        plan: str = "",
        patience: int | None = None,
        wait: bool = True,
    ) -> Outcome:
        """Make what stands what is defined, test it, and let it go live if the tests pass (A12, A16).

        Args:
            hold: stay ready. plan: id of a saved plan, which must still hold.
            abandon: give up machines that are returned and cannot be cleaned; see `Running.deploy`.
            discard: delete machines at once that were made and cannot be used.
            patience: seconds to wait for each machine that does not answer; None: as the playbook does.
            wait: until it is done; jobs are carried out in the calling process.

        Raises:
            Blocked: resources are missing or the state forbids it. Conflict: a job is at work.
            Failed: instances or tests failed; each is named.
        """
        self._actor.must(Permission.DEPLOY, f"environment '{name}'")
        running.refuse_detached(wait)
        carrier = running.Running(self._app, self._actor)
        return running.finished(
            carrier.deploy(name, hold=hold, abandon=abandon, discard=discard, plan=plan, patience=patience)
        )

    def undeploy(self, name: str, *, abandon: bool = False, patience: int | None = None, wait: bool = True) -> Outcome:
        """Remove what stands and return every machine (A13); see `deploy`."""
        self._actor.must(Permission.DEPLOY, f"environment '{name}'")
        running.refuse_detached(wait)
        carrier = running.Running(self._app, self._actor)
        return running.finished(carrier.undeploy(name, abandon=abandon, patience=patience))

    def test(self, name: str, *, patience: int | None = None, wait: bool = True) -> Outcome:
        """Run the tests again (A12); see `deploy`."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        running.refuse_detached(wait)
        return running.finished(running.Running(self._app, self._actor).test(name, patience=patience))

    def stop(self, name: str, *, patience: int | None = None, wait: bool = True) -> Outcome:
        """Shut down the machines that ads made; those added by hand stay ready, with what runs there (A14)."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        running.refuse_detached(wait)
        return running.finished(running.Running(self._app, self._actor).stop(name, patience=patience))

    def start(self, name: str, *, hold: bool = False, patience: int | None = None, wait: bool = True) -> Outcome:
        """Start a stopped environment again (A14); see `deploy`."""
        self._actor.must(Permission.OPERATE, f"environment '{name}'")
        running.refuse_detached(wait)
        return running.finished(running.Running(self._app, self._actor).start(name, hold=hold, patience=patience))


def _added(tx: Transaction, environment: Environment) -> Environment:
    tx.environments.add(environment)
    return environment
