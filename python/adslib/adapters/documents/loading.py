"""From a file to a ``Document``: read, include, check, render, check again, read the definition (A2)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adslib.adapters.documents.examination import Examination
from adslib.adapters.documents.including import Includer
from adslib.adapters.documents.nodes import Faults, Place, Plain, plain, told_at
from adslib.adapters.documents.origin import whereabouts
from adslib.adapters.documents.reading import read_nodes
from adslib.domain.definition import EMPTY, Definition, Tree
from adslib.domain.environment import Origin
from adslib.domain.errors import Invalid
from adslib.domain.names import checked_name
from adslib.domain.opening import clone
from adslib.domain.reading import read
from adslib.domain.reading.findings import TreePath

NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Draft:
    """A document with its includes merged in, not rendered and not checked: what a template is saved from (A4)."""

    tree: Tree
    sources: Mapping[TreePath, Place]
    origin: Origin

    def where(self, path: TreePath) -> str:
        """A path of the tree with its place, for messages."""
        return told_at(self.sources, path)


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded definition (A2).

    Args:
        tree: the unrendered tree with includes merged in: what a revision stores.
        rendered: the tree after parameters and loops: what ``adslib.domain.reading.read`` reads.
        sources: place of each path of ``tree``; empty if it did not come from a file.
        parameters: the values that were given, in their types; the others had their defaults.
    """

    tree: Tree
    rendered: Tree
    definition: Definition
    origin: Origin = NOWHERE
    sources: Mapping[TreePath, Place] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def where(self, path: TreePath) -> str:
        """A path of the tree with its place, for messages."""
        return told_at(self.sources, path)


def collect(path: str | os.PathLike[str]) -> Draft:
    """Read a document and all that it includes.

    Raises:
        NotFound: there is no such file. Invalid: a file is no document, or the files do not fit together.
    """
    read, origin = gathered(path)
    return Draft(sound(read).tree, read.sources, origin)


def gathered(path: str | os.PathLike[str]) -> tuple[Plain, Origin]:
    """Read a document and all that it includes, with the faults of what could be read.

    Raises:
        NotFound: there is no such file. Invalid: a file is no document, or a part is missing.
    """
    given = Path(path)
    where = whereabouts(given.resolve())
    includer = Includer(where.project)
    read = plain(includer.read(given.resolve(), str(given)))
    return read.told(includer.faults), where.origin


def sound(read: Plain) -> Plain:
    """The same, if its readers refused nothing.

    Raises:
        Invalid: they did.
    """
    if read.faults:
        raise Invalid(problems=Examination(read).problems())
    return read


def load(
    path: str | os.PathLike[str], parameters: Mapping[str, Any] | None = None, origin: Origin | None = None
) -> Document:
    """Load a definition from a file (A2).

    Args:
        path: YAML, XML or JSON. parameters: values by name; what is not given has its default.
        origin: where it comes from, if not from that file.

    Raises:
        NotFound: there is no such file.
        Invalid: everything that is wrong with it, each with file, line and path.
    """
    read, found = gathered(path)
    return examined(read, parameters or {}, origin or found)


def examined(read: Plain, given: Mapping[str, Any], origin: Origin = NOWHERE) -> Document:
    """Check, render, check again and read a tree."""
    examination = Examination(read)
    definition = examination.definition(given)
    return Document(read.tree, examination.rendered.tree, definition, origin, read.sources, examination.given)


def restored(
    tree: Tree,
    parameters: Mapping[str, Any],
    origin: Origin = NOWHERE,
    rendered: Tree | None = None,
    sources: Mapping[TreePath, Place] = EMPTY,
) -> Document:
    """A tree as a document: a stored revision, or what somebody made of one.

    Args:
        rendered: the rendered tree that was stored with it: nothing is rendered and checked again.
        sources: place of those paths that come from a file.

    Raises:
        Invalid: it is not what this version of ads reads; each problem with its path.
    """
    if rendered is not None:
        return Document(tree, rendered, read(rendered), origin, sources, parameters)
    return examined(Plain(tree, sources), parameters, origin)


def renamed(document: Document, name: str) -> Document:
    """The same document for an environment of another name (A4).

    Raises:
        Invalid: the name is no good one.
    """
    checked_name(name, "an environment")
    return replace(
        document,
        tree=clone(document.tree, name),
        rendered=clone(document.rendered, name),
        definition=replace(document.definition, environment=name),
    )


def loads_tree(tree: Tree, parameters: Mapping[str, Any] | None = None) -> tuple[Tree, Definition]:
    """Load a definition from an unrendered tree: its rendered tree and the definition (A2).

    Raises:
        Invalid: everything that is wrong with it, each with its path.
    """
    document = examined(Plain(tree), parameters or {})
    return document.rendered, document.definition


def read_tree(path: str | os.PathLike[str]) -> Tree:
    """Read one file as it is: ``include`` is kept, nothing is rendered or checked further (A2).

    Raises:
        NotFound: there is no such file. Invalid: it is no YAML, XML or JSON that a definition may use.
    """
    faults = Faults()
    read = plain(read_nodes(Path(path), str(path), faults)).told(faults)
    return sound(read).tree


def dump_yaml(tree: Tree) -> str:
    """The tree as YAML; reading it gives the same tree (A2)."""
    from adslib.adapters.documents.yaml_writing import write_yaml

    return write_yaml(tree)


def dump_xml(tree: Tree) -> str:
    """The tree as XML; reading it gives the same tree (A2)."""
    from adslib.adapters.documents.xml_writing import write_xml

    return write_xml(tree)
