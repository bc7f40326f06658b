"""Definitions as they are given on a command line: a file, or other parameters for the current one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adslib.adapters.documents import Document
    from adslib.usecases.ads import Ads

DocumentFile = Annotated[str, typer.Argument(metavar="[FILE]", help="The definition: YAML, XML or JSON.")]


def proposed(ads: Ads, name: str, file: str, parameters: Mapping[str, str]) -> Document:
    """The definition that a user proposes for an environment.

    Args:
        file: the document; empty: the environment's current one. parameters: win over the document's.
    """
    from adslib.adapters import documents

    if file:
        document = documents.load(file, parameters)
        return document if document.definition.environment == name else documents.renamed(document, name)
    current = ads.environments.document(name)
    return documents.restored(current.tree, {**current.parameters, **parameters}, current.origin)
