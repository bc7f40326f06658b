"""Walks an unrendered tree: puts values in, unrolls ``for_each`` (A2). Runs in the rendering child."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adslib.adapters.documents.limits import DEPTH, NODES, WHOLE
from adslib.adapters.documents.sandbox import MARKS, ExpressionError, Sandbox, Verbatim, shown
from adslib.domain.definition import Tree
from adslib.domain.reading.findings import TreePath
from adslib.domain.reading.parameters import belongs_to_deployment, holds_template

LITERAL = ("parameters", "levels", "include")
"""Parts of a document that are read before parameters have values."""
SECTIONS = ("components", "services", "configurations")
LATER = frozenset({"process", "files", "vars", "settings", "tests", "path"})
VARIABLE = re.compile(r"[a-z_][a-z0-9_]*")
CHARACTERS = 8 * 1024 * 1024
"""Of all rendered text together."""


class TooLarge(Exception):
    """The rendered tree grows beyond its limits; nothing further is tried."""


def may_defer(path: TreePath, plurals: frozenset[str]) -> bool:
    """Whether names of the deployment may stand at a path of the rendered tree."""
    if path[0] in SECTIONS:
        role = path[0] == "services" and path[2:3] == ("roles",) and "vars" in path
        return role or (len(path) > 2 and path[2] in LATER)
    at = 0
    while at < len(path) and path[at] in plurals:
        at += 2
    rest = path[at:]
    if path[0] == "common":
        rest = path[1:]
    return bool(rest) and (rest[0] in ("vars", "configurations") or (rest[0] == "services" and "vars" in rest))


@dataclass(slots=True)
class Expansion:
    """One rendering; ``problems`` and ``moved`` are filled on the way.

    Args:
        values: the parameters. plurals: the keys of the levels.
    """

    values: Mapping[str, Any]
    plurals: frozenset[str]
    report: Any
    """Called with the path of each expression before it runs, so that a killed child can be explained."""
    problems: list[dict[str, Any]] = field(default_factory=list)
    moved: list[tuple[TreePath, TreePath]] = field(default_factory=list)
    """Where loops put what: path in the rendered tree, path in the document."""
    nodes: int = 0
    characters: int = 0
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(self.values)

    def document(self, tree: Mapping[str, Tree]) -> Tree:
        """The rendered tree of a whole document."""
        scope = dict(self.values)
        return {
            key: value if key in LITERAL else self.value(value, (key,), (key,), scope) for key, value in tree.items()
        }

    def note(self, origin: TreePath, message: str, remedy: str = "") -> None:
        """Note a problem at a path of the document."""
        problem = {"path": origin, "message": message, "remedy": remedy}
        if problem not in self.problems[-20:]:
            self.problems.append(problem)

    def count(self, value: Any) -> None:
        """Hold the tree to its limits."""
        self.nodes += 1
        self.characters += len(value) if isinstance(value, str) else 0
        if self.nodes > NODES:
            raise TooLarge(f"the rendered document grows beyond {NODES:,} values")
        if self.characters > CHARACTERS:
            raise TooLarge(f"the rendered document grows beyond {CHARACTERS:,} characters")

    def value(self, value: Tree, path: TreePath, origin: TreePath, scope: Mapping[str, Any]) -> Tree:
        """Render what stands at a path."""
        self.count(value)
        if isinstance(value, dict):
            return self.mapping(value, path, origin, scope)
        if isinstance(value, list):
            return self.sequence(value, path, origin, scope)
        if isinstance(value, str) and MARKS.search(value):
            return self.scalar(value, path, origin, scope)
        return value

    def scalar(self, text: str, path: TreePath, origin: TreePath, scope: Mapping[str, Any]) -> Tree:
        """Render one scalar; a wrong one is noted and becomes nothing."""
        self.report(origin)
        try:
            rendered = self.sandbox.scalar(text, scope, may_defer(path, self.plurals))
            return self.native(rendered, text)
        except ExpressionError as error:
            self.note(origin, error.message, error.remedy)
        except MemoryError:
            self.note(origin, f"{shown(text)} needs too much memory", "a definition holds small values")
        except RecursionError:
            self.note(origin, f"{shown(text)} is nested too deeply", "write it simpler")
        return None

    def native(self, value: Any, text: str, depth: int = 0) -> Tree:
        """Plain data of what an expression gave."""
        self.count(value)
        if depth > DEPTH:
            raise ExpressionError(f"{shown(text)} gives too deep a value")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if not isinstance(value, Verbatim) and holds_template(value):
                raise ExpressionError(f"{shown(text)} gives template text", "a value holds no '{{', '{%' or '{#'")
            return str(value)
        if isinstance(value, int):
            if abs(value) >= WHOLE:
                raise ExpressionError(f"{shown(text)} gives too large a number")
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {str(key): self.native(below, text, depth + 1) for key, below in value.items()}
        if isinstance(value, (list, tuple, range)) or hasattr(value, "__next__"):
            return [self.native(below, text, depth + 1) for below in value]
        raise ExpressionError(f"{shown(text)} gives {type(value).__name__}, which is no value of a definition")

    def mapping(self, tree: Mapping[str, Tree], path: TreePath, origin: TreePath, scope: Mapping[str, Any]) -> Tree:
        """Render a map; ``for_each`` in it adds entries where it stands."""
        rendered: dict[str, Tree] = {}
        for key, value in tree.items():
            if key == "for_each":
                self.entries(value, path, (*origin, key), scope, rendered, tree)
            elif MARKS.search(key):
                self.note((*origin, key), f"the key '{key}' holds an expression", "use for_each with 'key'")
            else:
                rendered[key] = self.value(value, (*path, key), (*origin, key), scope)
        return rendered

    def sequence(self, tree: list[Tree], path: TreePath, origin: TreePath, scope: Mapping[str, Any]) -> Tree:
        """Render a list; an item that is only ``for_each`` adds items where it stands."""
        rendered: list[Tree] = []
        for index, item in enumerate(tree):
            if not isinstance(item, dict) or list(item) != ["for_each"] or not isinstance(item["for_each"], dict):
                moved = (*path, len(rendered))
                if len(rendered) != index:
                    self.moved.append((moved, (*origin, index)))
                rendered.append(self.value(item, moved, (*origin, index), scope))
                continue
            here = (*origin, index, "for_each")
            for inner in self.turns(item["for_each"], ("as", "in", "value"), path, here, scope):
                moved = (*path, len(rendered))
                self.moved.append((moved, (*here, "value")))
                rendered.append(self.value(item["for_each"]["value"], moved, (*here, "value"), inner))
        return rendered

    def entries(
        self,
        loops: Tree,
        path: TreePath,
        origin: TreePath,
        scope: Mapping[str, Any],
        rendered: dict[str, Tree],
        tree: Mapping[str, Tree],
    ) -> None:
        """Add the entries that the loops of a map give."""
        if not isinstance(loops, list):
            self.note(origin, "for_each of a map is a list of loops", "write for_each: [{as, in, key, value}]")
            return
        for number, loop in enumerate(loops):
            here = (*origin, number)
            for inner in self.turns(loop, ("as", "in", "key", "value"), path, here, scope):
                key = self.value(loop["key"], (*path, "key"), (*here, "key"), inner)
                if not isinstance(key, str) or not key or holds_template(key):
                    self.note((*here, "key"), f"the key of an entry is a text, not {key!r}")
                    continue
                if key in rendered or key in tree:
                    self.note((*here, "key"), f"the key '{key}' is given twice", "let the key use the loop's variable")
                    continue
                self.moved.append(((*path, key), (*here, "value")))
                rendered[key] = self.value(loop["value"], (*path, key), (*here, "value"), inner)

    def turns(
        self, loop: Tree, keys: tuple[str, ...], path: TreePath, origin: TreePath, scope: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The scope of each turn of a loop; none if the loop is wrong (noted)."""
        if not isinstance(loop, dict) or set(loop) != set(keys):
            self.note(origin, f"a loop has the keys {', '.join(keys)}, no more and no fewer")
            return []
        name = loop["as"]
        if not isinstance(name, str) or not VARIABLE.fullmatch(name):
            self.note((*origin, "as"), f"{name!r} is no name for a variable", "use lower-case letters, digits and '_'")
        elif name in scope or belongs_to_deployment(name) or name == "range":
            self.note((*origin, "as"), f"the name '{name}' is taken", "choose another one")
        else:
            values = self.value(loop["in"], (*path, "in"), (*origin, "in"), scope)
            if isinstance(values, list):
                return [{**scope, name: value} for value in values]
            if values is not None:
                self.note((*origin, "in"), f"a loop runs over a list, not {type(values).__name__}", "use | list")
        return []
