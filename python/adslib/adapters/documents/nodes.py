"""A document between its text and its plain tree: values that know their line, and what was refused there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adslib.adapters.documents.limits import PROBLEMS, Counter, check_depth
from adslib.domain.definition import EMPTY, Tree
from adslib.domain.errors import Invalid, Problem
from adslib.domain.reading.findings import TreePath, dotted

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


def told_at(sources: Mapping[TreePath, Place], path: TreePath, place: Place | None = None) -> str:
    """A path for messages, with the file and line of its place, or of the nearest above that is known."""
    return " ".join(filter(None, (str(place or nearest(sources, path) or ""), dotted(path))))


@dataclass(frozen=True, slots=True)
class Fault:
    """What a reader refuses. It goes on with something in its place, so that all that is wrong is told at once (A2).

    Args:
        blames: whatever else is said of the value follows from this.
    """

    place: Place
    message: str
    remedy: str = ""
    blames: bool = True

    def problem(self) -> Problem:
        """The fault where no path is known."""
        return Problem(self.message, str(self.place), self.remedy)


@dataclass(slots=True)
class Node:
    """A scalar, a map or a list, with its place. Aliases make the same node stand in several places of the tree."""

    place: Place
    value: Scalar | dict[str, Node] | list[Node]
    merges: list[Node] = field(default_factory=list)
    """What ``<<`` named, first wins; the map's own keys win over all."""
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class Faults:
    """All faults of the files that were read, also those of values that are not in the tree."""

    all: list[Fault] = field(default_factory=list)

    def note(
        self, node: Node, message: str, remedy: str = "", *, place: Place | None = None, blames: bool = True
    ) -> None:
        """Note a fault of a value.

        Args:
            place: where it stands, if that is not where the value begins.

        Raises:
            Invalid: there are too many to read on.
        """
        fault = Fault(place or node.place, message, remedy, blames)
        node.faults.append(fault)
        self.all.append(fault)
        if len(self.all) > PROBLEMS:
            raise Invalid("there is more wrong than this", place=str(fault.place), remedy="mend these first")

    def problems(self) -> list[Problem]:
        """Each fault once, in the order of reading."""
        return list(dict.fromkeys(fault.problem() for fault in self.all))


class Plain(NamedTuple):
    """A plain tree, the place of each path that comes from a file, and the faults by path."""

    tree: Tree
    sources: Mapping[TreePath, Place] = EMPTY
    faults: tuple[tuple[TreePath, Fault], ...] = ()

    def told(self, faults: Faults) -> Plain:
        """The same, with the faults of values that are not in the tree: left out, given twice, or merged away."""
        here = {fault.problem() for _, fault in self.faults}
        strays = tuple(((), replace(fault, blames=False)) for fault in faults.all if fault.problem() not in here)
        return self._replace(faults=self.faults + strays)


def plain(node: Node) -> Plain:
    """Make the plain tree of a node.

    Raises:
        Invalid: aliases or nesting go beyond the limits.
    """
    sources: Sources = {}
    faults: list[tuple[TreePath, Fault]] = []
    counter = Counter()

    def build(here: Node, path: TreePath) -> Tree:
        counter.add(str(here.place))
        check_depth(len(path), str(here.place))
        sources[path] = here.place
        faults.extend((path, fault) for fault in here.faults)
        value = here.value
        if isinstance(value, dict):
            return {key: build(below, (*path, key)) for key, below in merged(here, counter).items()}
        if isinstance(value, list):
            return [build(below, (*path, index)) for index, below in enumerate(value)]
        return value

    return Plain(build(node, ()), sources, tuple(faults))


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
