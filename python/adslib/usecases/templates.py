"""Templates: definitions that fix a part and leave a part to the user (A4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adslib.adapters import documents
from adslib.adapters.documents import Document, Draft, Place
from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain import opening
from adslib.domain.actor import Actor, Permission
from adslib.domain.definition import Tree
from adslib.domain.environment import Environment, Template
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.names import checked_name
from adslib.domain.reading.findings import TreePath
from adslib.usecases.environments import Environments
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome
from adslib.usecases.situation import mine
from adslib.usecases.viewing import may_see


class Templates:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor
        self._environments = Environments(app, actor)

    def create(
        self, name: str, draft: Draft, *, open_paths: Iterable[str], description: str = "", dry_run: bool = False
    ) -> Outcome:
        """Keep a document as a new template.

        Args:
            draft: of `documents.collect`: not rendered, and open parts may be left empty.
            open_paths: paths that the user may fill or edit, like `pods/*` or `services/media/instances`.

        Raises:
            Conflict: there is a template of that name. Invalid: a path is none, or the document is wrong.
        """
        self._actor.must(Permission.DEFINE, f"template '{name}'")
        with self._app.store.reading() as tx:
            if tx.templates.find(name):
                raise Conflict(f"there is a template '{name}' already", remedy="choose another name, or use --replace")
        return self.define(name, draft, open_paths=open_paths, description=description, dry_run=dry_run)

    def define(
        self, name: str, draft: Draft, *, open_paths: Iterable[str], description: str = "", dry_run: bool = False
    ) -> Outcome:
        """Make a template what the document says: create it, or change it if it differs; see `create`.

        Environments that were made from it stay as they are; later edits of them follow the template as it is then.
        """
        self._actor.must(Permission.DEFINE, f"template '{name}'")
        template = Template(
            checked_name(name, "a template"),
            draft.tree,
            tuple(dict.fromkeys(path.strip("/") for path in open_paths)),
            description,
            draft.origin,
            self._app.clock(),
            self._actor.name,
            self._actor.tenant,
        )
        _check(template, draft.sources)
        with self._app.store.transaction() as tx:
            found = tx.templates.find(name)
            if found and not may_see(self._actor, found.tenant):
                raise Conflict(f"the name '{name}' is taken", remedy="choose another one")
            before = _shown(found) if found else {}
            if found and (found.tree, found.open, found.description) == (draft.tree, template.open, description):
                return Outcome(False, before, before, message=f"template '{name}' unchanged")
            if found:
                template = dataclasses.replace(template, generation=found.generation, tenant=found.tenant)
            verb = "changed" if found else "created"
            if not dry_run:
                if found:
                    template = tx.templates.update(template)
                else:
                    tx.templates.add(template)
                log(tx, self._app.clock(), self._actor, f"template '{name}' {verb}")
        return Outcome(True, before, _shown(template), message=f"template '{name}' {verb}: {_openness(template)}")

    def save_as(
        self,
        environment: str,
        name: str,
        *,
        open_paths: Iterable[str],
        description: str = "",
        replace: bool = False,
        dry_run: bool = False,
    ) -> Outcome:
        """Keep an environment's current definition as a new template; see `create`, and `define` for `replace`.

        The values of its parameters become the defaults of the template's.
        """
        self._actor.must(Permission.DEFINE, f"template '{name}'")
        document = self._environments.document(environment)
        draft = Draft(_with_defaults(document.tree, document.parameters), {}, document.origin)
        said = description or f"saved from environment {environment}"
        make = self.define if replace else self.create
        return make(name, draft, open_paths=open_paths, description=said, dry_run=dry_run)

    def list(self) -> Sequence[Mapping[str, Any]]:
        """The templates of the actor's tenant, by name."""
        self._actor.must(Permission.VIEW, "templates")
        with self._app.store.reading() as tx:
            return [_shown(template) for template in tx.templates.list(tenant=self._actor.tenant)]

    def show(self, name: str) -> Mapping[str, Any]:
        """One template with its document, and what its user has to fill in."""
        self._actor.must(Permission.VIEW, f"template '{name}'")
        template = self._get(name)
        return {**_shown(template), "missing": list(opening.missing(template, template.tree)), "tree": template.tree}

    def delete(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Remove a template; environments made from it stay, and are no longer bound to it. Absent ones are left."""
        self._actor.must(Permission.DEFINE, f"template '{name}'")
        with self._app.store.transaction() as tx:
            found = tx.templates.find(name)
            if found is None or not may_see(self._actor, found.tenant):
                return Outcome(False, message=f"there is no template '{name}'")
            if not dry_run:
                tx.templates.delete(name)
                log(tx, self._app.clock(), self._actor, f"template '{name}' deleted")
        return Outcome(True, _shown(found), message=f"template '{name}' deleted")

    def instantiate(
        self,
        name: str,
        environment: str,
        *,
        fill: Draft | Tree = None,
        parameters: Mapping[str, Any] | None = None,
        comment: str = "",
        dry_run: bool = False,
    ) -> Outcome:
        """Create an environment from a template (A4); it remembers the template. See `filled`."""
        self._actor.must(Permission.DEFINE, f"environment '{environment}'")
        document = self.filled(name, environment, fill=fill, parameters=parameters)
        said = comment or f"made from template {name}"
        return self._environments.create(document, name=environment, comment=said, template=name, dry_run=dry_run)

    def filled(
        self,
        name: str,
        environment: str,
        *,
        fill: Draft | Tree = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Document:
        """What a template becomes when its user fills it (A4).

        Args:
            environment: the name that the document gives its environment.
            fill: a part of a document, laid over the template's: maps are merged, anything else replaces.
            parameters: values by name.

        Raises:
            Invalid: what is filled in is fixed by the template, or something open has no value.
        """
        self._actor.must(Permission.VIEW, f"template '{name}'")
        template = self._get(name)
        draft = fill if isinstance(fill, Draft) else Draft(fill or {}, {}, template.origin)
        tree = opening.clone(opening.laid_over(template.tree, draft.tree), environment)
        return documents.restored(
            opening.fill(template, tree, draft.where), parameters or {}, template.origin, sources=draft.sources
        )

    def filled_by(self, environment: str, draft: Draft) -> str:
        """The template that an environment was made from, if a document is a part that fills it; else empty."""
        self._actor.must(Permission.VIEW, f"environment '{environment}'")
        with self._app.store.reading() as tx:
            made_from = _made_from(tx, mine(tx, self._actor, environment))
            template = tx.templates.find(made_from) if made_from else None
        return template.name if template and opening.fills(template, draft.tree) else ""

    def used_by(self, name: str) -> Sequence[str]:
        """Names of the environments that were made from a template."""
        self._actor.must(Permission.VIEW, f"template '{name}'")
        with self._app.store.reading() as tx:
            found = tx.environments.list(tenant=self._actor.tenant)
            return [environment.name for environment in found if _made_from(tx, environment) == name]

    def _get(self, name: str) -> Template:
        with self._app.store.reading() as tx:
            found = tx.templates.find(name)
        if found is None or not may_see(self._actor, found.tenant):
            raise NotFound(f"there is no template '{name}'", remedy="list them with: ads template list")
        return found


def _made_from(tx: Transaction, environment: Environment) -> str:
    return tx.revisions.latest(environment.name).template


def _check(template: Template, sources: Mapping[TreePath, Place]) -> None:
    """See that the open paths are paths, and that a document without gaps is right as it is."""
    if not template.open:
        raise Invalid(
            f"template '{template.name}' leaves nothing open",
            remedy="name what the user may fill, for example --open 'pods/*' or --open parameters",
        )
    if not isinstance(template.tree, dict) or "environment" not in template.tree:
        raise Invalid("a definition begins with 'environment: name'", place=template.origin.path)
    opening.check_open(template)
    if opening.missing(template, template.tree):
        return
    try:
        documents.restored(template.tree, {}, sources=sources)
    except Invalid as error:
        # A parameter without a default is filled when the template is used.
        wrong = [p for p in error.problems if "needs a value" not in p.message]
        if wrong:
            raise Invalid(problems=wrong) from None


def _openness(template: Template) -> str:
    return f"open are {', '.join(template.open)}"


def _with_defaults(tree: Tree, values: Mapping[str, Any]) -> Tree:
    declared = tree.get("parameters") or {}
    changed = {
        name: {**{key: told for key, told in declared[name].items() if key != "required"}, "default": value}
        for name, value in values.items()
        if isinstance(declared.get(name), dict)
    }
    return {**tree, "parameters": {**declared, **changed}} if changed else tree


def _shown(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "description": template.description,
        "open": list(template.open),
        "path": template.origin.path,
        "commit": template.origin.commit,
        "created": template.created.isoformat() if template.created else None,
        "created_by": template.created_by,
        "tenant": template.tenant,
        "generation": template.generation,
    }
