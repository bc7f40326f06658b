"""All checks of one tree, and their problems: each is told once, at the line it comes from (A2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from adslib.adapters.documents.checking import misfits
from adslib.adapters.documents.nodes import Place, Plain, nearest, told_at
from adslib.adapters.documents.rendering import Rendered, render
from adslib.domain.definition import Definition, Tree
from adslib.domain.errors import Invalid, Problem
from adslib.domain.reading import read
from adslib.domain.reading.findings import Findings, Part, TreePath
from adslib.domain.reading.levels import read_levels
from adslib.domain.reading.parameters import parameter_values, read_parameters, typed

STEP = re.compile(r'\["(.*?)"\]|\[(\d+)\]|([^.\[\]]+)')


def path_of(place: str) -> TreePath:
    """The path that ``dotted`` wrote."""
    return tuple(int(index) if index else quoted or key for quoted, index, key in STEP.findall(place))


class Noted(NamedTuple):
    """A problem with the path in the document that it belongs to, and its place if that is known."""

    path: TreePath
    message: str
    remedy: str
    place: Place | None


class Examination:
    """Checks a tree against the schema, renders it, checks what came out, and reads it.

    Args:
        document: the unrendered tree, includes merged in; what its readers refused is told with the rest.
    """

    def __init__(self, document: Plain) -> None:
        self.tree = document.tree
        self.sources = document.sources
        self.noted: list[Noted] = []
        self.blamed: set[TreePath] = set()
        self.rendered = Rendered(None)
        self.given: dict[str, Any] = {}
        for path, fault in document.faults:
            self.add(path, fault.message, fault.remedy, blame=fault.blames, place=fault.place)

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
            raise Invalid(problems=self.problems())
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

    def add(
        self, path: TreePath, message: str, remedy: str, *, blame: bool = False, place: Place | None = None
    ) -> None:
        """Note a problem, unless an earlier check already blames this path or one above it.

        Args:
            blame: whatever else is said of this path and what is below follows from this problem.
            place: where it stands, if that is not where the path does; aliases bring the same problem to many paths.
        """
        if any(path[:length] in self.blamed for length in range(len(path) + 1)):
            return
        if blame:
            self.blamed.add(path)
        noted = Noted(path, message, remedy, place or nearest(self.sources, path))
        if not any(noted[:2] == known[:2] or (place, message) == (known.place, known.message) for known in self.noted):
            self.noted.append(noted)

    def problems(self) -> list[Problem]:
        """What was found, in the order of files and lines."""
        files = {place.file: index for index, place in reversed(list(enumerate(self.sources.values())))}

        def order(noted: Noted) -> tuple[int, int]:
            return (files.get(noted.place.file, 0), noted.place.line) if noted.place else (0, 0)

        return [
            Problem(message, told_at(self.sources, path, place), remedy)
            for path, message, remedy, place in sorted(self.noted, key=order)
        ]
