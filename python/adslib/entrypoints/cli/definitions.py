"""Definitions as they are given on a command line: a file, or other parameters for the current one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adslib.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from adslib.adapters.documents import Document, Draft
    from adslib.domain.definition import Tree
    from adslib.usecases.ads import Ads

DocumentFile = Annotated[str, typer.Argument(metavar="[FILE]", help="The definition: YAML, XML or JSON.")]


def proposed(ads: Ads, name: str, file: str, parameters: Mapping[str, str]) -> Document:
    """The definition that a user proposes for an environment.

    Args:
        file: the document, or what fills the template that the environment was made from; empty: its current document.
        parameters: values that change; the environment keeps the others that the document still has.

    Raises:
        Invalid: the document is wrong, or another environment's.
    """
    from adslib.adapters import documents

    current = None
    with suppress(NotFound):
        current = ads.environments.document(name)
    if not file:
        current = current or ads.environments.document(name)
        return documents.restored(current.tree, {**current.parameters, **parameters}, current.origin)
    draft = _collected(ads, name, file) if current else None
    if current and draft and (template := ads.templates.filled_by(name, draft)):
        _refuse_another(draft.tree.get("environment", name), name, file)
        return ads.templates.filled(template, name, fill=draft, parameters={**current.parameters, **parameters})
    kept = _kept(draft.tree, current.parameters) if current and draft else {}
    document = documents.load(file, {**kept, **parameters})
    _refuse_another(document.definition.environment, name, file)
    return document


def _collected(ads: Ads, name: str, file: str) -> Draft | None:
    """A document before it is checked, None if its readers refuse it: then loading it tells that with all the rest."""
    from adslib.adapters import documents

    try:
        return documents.collect(file)
    except Invalid:
        if ads.environments.history(name)[0]["template"]:
            raise  # It may fill the template: then it is not checked as if it were whole.
        return None


def _refuse_another(given: str, name: str, file: str) -> None:
    if given != name:
        raise Invalid(
            f"it defines environment '{given}', not '{name}'",
            place=file,
            remedy="name the right file, or change 'environment' in it",
        )


def _kept(tree: Tree, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values whose parameters a document declares."""
    known = tree.get("parameters") if isinstance(tree, dict) else None
    return {name: value for name, value in values.items() if isinstance(known, dict) and name in known}
