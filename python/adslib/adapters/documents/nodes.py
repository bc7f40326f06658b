"""A document between its text and its plain tree: values that know the line they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adslib.adapters.documents.limits import Counter, check_depth
from adslib.domain.definition import Tree
from adslib.domain.reading.findings import TreePath

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: file and line (from 1)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


Sources = dict[TreePath, Place]


def nearest(sources: Mapping[TreePath, Place], path: TreePath) -> Place | None:
    """The place of a path, or of the nearest one above that is known."""
    return next((sources[path[:n]] for n in range(len(path), -1, -1) if path[:n] in sources), None)


@dataclass(slots=True)
class Node:
    """A scalar, a map or a list, with its place. Aliases make the same node stand in several places of the tree."""

    place: Place
    value: Scalar | dict[str, Node] | list[Node]
    merges: list[Node] = field(default_factory=list)
    """What ``<<`` named, first wins; the map's own keys win over all."""


def plain(node: Node) -> tuple[Tree, Sources]:
    """Make the plain tree of a node and the map from paths to places.

    Raises:
        Invalid: aliases or nesting go beyond the limits.
    """
    sources: Sources = {}
    counter = Counter()

    def build(here: Node, path: TreePath) -> Tree:
        counter.add(str(here.place))
        check_depth(len(path), str(here.place))
        sources[path] = here.place
        value = here.value
        if isinstance(value, dict):
            return {key: build(below, (*path, key)) for key, below in merged(here, counter).items()}
        if isinstance(value, list):
            return [build(below, (*path, index)) for index, below in enumerate(value)]
        return value

    return build(node, ()), sources


def merged(node: Node, counter: Counter, depth: int = 0) -> dict[str, Node]:
    """The entries of a map, those of its merge keys behind its own."""
    entries = node.value if isinstance(node.value, dict) else {}
    if not node.merges:
        return entries
    check_depth(depth, str(node.place))
    entries = dict(entries)
    for other in node.merges:
        below = merged(other, counter, depth + 1)
        counter.add(str(node.place), len(below))
        for key, value in below.items():
            entries.setdefault(key, value)
    return entries
