"""Definitions as they are given on a command line: a file, or other parameters for the current one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adslib.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from adslib.adapters.documents import Document
    from adslib.usecases.ads import Ads

DocumentFile = Annotated[str, typer.Argument(metavar="[FILE]", help="The definition: YAML, XML or JSON.")]


def proposed(ads: Ads, name: str, file: str, parameters: Mapping[str, str]) -> Document:
    """The definition that a user proposes for an environment.

    Args:
        file: the document; empty: the environment's current one.
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
    kept = _kept(file, current.parameters) if current else {}
    document = documents.load(file, {**kept, **parameters})
    if document.definition.environment != name:
        raise Invalid(
            f"it defines environment '{document.definition.environment}', not '{name}'",
            place=file,
            remedy="name the right file, or change 'environment' in it",
        )
    return document


def _kept(file: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values whose parameters a document declares."""
    from adslib.adapters import documents

    declared = documents.collect(file).tree
    known = declared.get("parameters") if isinstance(declared, dict) else None
    return {name: value for name, value in values.items() if isinstance(known, dict) and name in known}
