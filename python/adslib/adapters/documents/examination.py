"""All checks of one tree, and their problems: each is told once, at the line it comes from (A2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from adslib.adapters.documents.checking import misfits
from adslib.adapters.documents.nodes import Place, nearest
from adslib.adapters.documents.rendering import Rendered, render
from adslib.domain.definition import Definition, Tree
from adslib.domain.errors import Invalid, Problem
from adslib.domain.reading import read
from adslib.domain.reading.findings import Findings, Part, TreePath, dotted
from adslib.domain.reading.levels import read_levels
from adslib.domain.reading.parameters import parameter_values, read_parameters, typed

STEP = re.compile(r'\["(.*?)"\]|\[(\d+)\]|([^.\[\]]+)')


def path_of(place: str) -> TreePath:
    """The path that ``dotted`` wrote."""
    return tuple(int(index) if index else quoted or key for quoted, index, key in STEP.findall(place))


class Noted(NamedTuple):
    """A problem with the path in the document that it belongs to."""

    path: TreePath
    message: str
    remedy: str


class Examination:
    """Checks a tree against the schema, renders it, checks what came out, and reads it.

    Args:
        tree: the unrendered tree, includes merged in. sources: place of each of its paths.
    """

    def __init__(self, tree: Tree, sources: Mapping[TreePath, Place]) -> None:
        self.tree = tree
        self.sources = sources
        self.noted: list[Noted] = []
        self.blamed: set[TreePath] = set()
        self.rendered = Rendered(None)
        self.given: dict[str, Any] = {}

    def definition(self, given: Mapping[str, Any]) -> Definition:
        """The definition that the tree holds.

        Args:
            given: parameter values by name.

        Raises:
            Invalid: everything that is wrong with it.
        """
        findings = Findings()
        top = Part(self.tree, (), findings)
        plurals = [level.plural for level in read_levels(top)]
        # Only loops and expressions make the two trees differ; the strict check alone would blame what they hide.
        self.check(self.tree, plurals, strict=False)
        values = self.values(top, given)
        self.note(findings.problems)
        self.rendered = render(self.tree, values, plurals)
        for path, message, remedy in self.rendered.problems:
            self.add(path, message, remedy, blame=True)
        definition = None
        if self.rendered.tree is not None:
            self.check(self.rendered.tree, plurals, strict=True)
            try:
                definition = read(self.rendered.tree)
            except Invalid as error:
                self.note(error.problems)
        if self.noted or definition is None:
            self.refuse()
        return definition

    def values(self, top: Part, given: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each parameter; problems are noted, and then rendering goes on with the defaults."""
        parameters = read_parameters(top)
        known = {parameter.name: parameter for parameter in parameters}
        self.given = {name: typed(known[name], value) for name, value in given.items() if name in known}
        try:
            return parameter_values(parameters, given)
        except Invalid as error:
            self.note(error.problems)
            return {parameter.name: parameter.default for parameter in parameters}

    def check(self, tree: Tree, plurals: Iterable[str], *, strict: bool) -> None:
        """Hold a tree to the schema."""
        for path, message, remedy in misfits(tree, plurals, strict=strict):
            missing = message.endswith("is missing")
            self.add(self.rendered.origin(path) if strict else path, message, remedy, blame=not missing)

    def note(self, problems: Iterable[Problem]) -> None:
        """Note what the domain found."""
        for problem in problems:
            self.add(self.rendered.origin(path_of(problem.place)), problem.message, problem.remedy)

    def add(self, path: TreePath, message: str, remedy: str, *, blame: bool = False) -> None:
        """Note a problem, unless an earlier check already blames this path or one above it.

        Args:
            blame: whatever else is said of this path and what is below follows from this problem.
        """
        if any(path[:length] in self.blamed for length in range(len(path) + 1)):
            return
        noted = Noted(path, message, remedy)
        if all((path, message) != known[:2] for known in self.noted):
            self.noted.append(noted)
        if blame:
            self.blamed.add(path)

    def place(self, path: TreePath) -> Place | None:
        """The place of a path, or of the nearest one above that is known."""
        return nearest(self.sources, path)

    def refuse(self) -> NoReturn:
        """Raise what was found, in the order of files and lines.

        Raises:
            Invalid: always.
        """
        files = {place.file: index for index, place in reversed(list(enumerate(self.sources.values())))}

        def order(noted: Noted) -> tuple[int, int]:
            place = self.place(noted.path)
            return (files[place.file], place.line) if place else (0, 0)

        problems = [
            Problem(message, " ".join(filter(None, (str(self.place(path) or ""), dotted(path)))), remedy)
            for path, message, remedy in sorted(self.noted, key=order)
        ]
        raise Invalid(problems=problems)
