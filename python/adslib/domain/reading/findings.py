"""Walking a plain tree while collecting everything that is wrong with it, each with its path."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adslib.domain.definition import EMPTY, Tree
from adslib.domain.errors import Problem
from adslib.domain.names import name_problem

TreePath = tuple[str | int, ...]
PLAIN_KEY = re.compile(r"[A-Za-z0-9_*-]+")
KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a map"}


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as people read it: ``services.media.tests[0]``; odd keys stand in brackets and quotes."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy: the nearest known name, else the list of them if it is short, else ``otherwise``."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if otherwise or not names or len(names) > 20:
        return otherwise
    return f"known are: {', '.join(names)}"


def kind_of(value: object) -> str:
    """What a value is, in the words of the messages."""
    if value is None:
        return "nothing"
    return KINDS.get(type(value), type(value).__name__)


def shown(value: object) -> str:
    """A value for a message: as it is if it is short enough to be one, else what it is."""
    simple = isinstance(value, (str, int, float))
    return json.dumps(value, ensure_ascii=False)[:80] if simple else kind_of(value)


@dataclass(slots=True)
class Findings:
    """All problems of one reading, in the order they were met."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, path: TreePath, message: str, remedy: str = "") -> None:
        """Note a problem at a path, once."""
        problem = Problem(message, dotted(path), remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    def name(self, name: object, what: str, path: TreePath) -> bool:
        """Note a problem if this is no good name; say whether it is one."""
        problem = name_problem(name, what, dotted(path))
        if problem:
            self.problems.append(problem)
        return problem is None

    def reference(self, name: str, known: Iterable[str], what: str, path: TreePath) -> bool:
        """Note a problem if nothing of that name exists; say whether it does."""
        names = list(known)
        if name in names:
            return True
        self.add(path, f"there is no {what} '{name}'", did_you_mean(name, names, f"define it under '{what}s'"))
        return False


@dataclass(frozen=True, slots=True)
class Part:
    """A place in the tree that is being read. Wrong types are noted and read as absent, so that reading goes on."""

    value: Tree
    path: TreePath
    findings: Findings

    def wrong(self, message: str, remedy: str = "") -> None:
        """Note a problem here."""
        self.findings.add(self.path, message, remedy)

    def expect(self, *kinds: type) -> bool:
        """Whether the value is of one of these types; otherwise a problem is noted. True is no number here."""
        if type(self.value) in kinds:
            return True
        wanted = " or ".join(KINDS[kind] for kind in kinds)
        remedy = "quote it" if str in kinds and type(self.value) in (int, float, bool) else ""
        self.wrong(f"expected {wanted}, got {kind_of(self.value)}", remedy)
        return False

    def mapping(self) -> Mapping[str, Tree]:
        """The value as a map with text keys; anything else is noted and read as empty."""
        if not self.expect(dict):
            return EMPTY
        for key in [key for key in self.value if not isinstance(key, str)]:
            self.wrong(f"the key {key!r} is not text", "quote it")
        return {key: value for key, value in self.value.items() if isinstance(key, str)}

    def entries(self) -> Iterator[tuple[str, Part]]:
        """Key and part of each entry of this map."""
        for key, value in self.mapping().items():
            yield key, Part(value, (*self.path, key), self.findings)

    def items(self) -> Iterator[Part]:
        """The parts of this list."""
        if self.expect(list):
            for index, value in enumerate(self.value):
                yield Part(value, (*self.path, index), self.findings)

    def get(self, key: str) -> Part | None:
        """The part below a key, None if absent."""
        if not isinstance(self.value, dict) or key not in self.value:
            return None
        return Part(self.value[key], (*self.path, key), self.findings)

    def only(self, known: Iterable[str]) -> None:
        """Note every key that is not one of these."""
        names = list(known)
        for key, part in self.entries():
            if key not in names:
                part.wrong(f"unknown key '{key}'", did_you_mean(key, names))

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """The text below a key."""
        part = self.get(key)
        if part is None:
            if required and isinstance(self.value, dict):
                self.wrong(f"'{key}' is missing")
            return default
        if not part.expect(str):
            return default
        if required and not part.value.strip():
            part.wrong(f"'{key}' is empty")
        return str(part.value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The truth below a key."""
        part = self.get(key)
        return bool(part.value) if part is not None and part.expect(bool) else default

    def number(self, key: str, default: float, *, least: float, most: float | None = None) -> float:
        """The number below a key, noted if it lies outside its bounds."""
        part = self.get(key)
        if part is None or not part.expect(int, float):
            return default
        return part.bounded(least, most)

    def whole(self, key: str, default: int, *, least: int, most: int | None = None) -> int:
        """The whole number below a key, noted if it lies outside its bounds."""
        part = self.get(key)
        if part is None or not part.expect(int):
            return default
        return int(part.bounded(least, most))

    def bounded(self, least: float, most: float | None) -> float:
        """The number here, noted if it lies outside these bounds."""
        number: int | float = self.value
        if number < least or (most is not None and number > most):
            self.wrong(
                f"{number} is out of bounds", f"use {least} to {most}" if most is not None else f"at least {least}"
            )
        return number

    def children(self, key: str) -> Iterator[tuple[str, Part]]:
        """Key and part of each entry of the map below a key; nothing if absent."""
        part = self.get(key)
        return part.entries() if part is not None else iter(())

    def each(self, key: str) -> Iterator[Part]:
        """The parts of the list below a key; nothing if absent."""
        part = self.get(key)
        return part.items() if part is not None else iter(())

    def vars(self, key: str) -> Mapping[str, Any]:
        """The free map below a key; a value that is a map of one key ``secret`` must name it by text."""
        part = self.get(key)
        if part is None:
            return EMPTY
        part.secrets()
        return part.mapping()

    def secrets(self) -> None:
        """Note each ``{secret: …}`` below that does not name a secret."""
        pending: list[tuple[Tree, TreePath]] = [(self.value, self.path)]
        while pending:
            value, path = pending.pop()
            if isinstance(value, dict):
                if list(value) == ["secret"] and (not isinstance(value["secret"], str) or not value["secret"]):
                    self.findings.add(path, "a secret is given by its name", "write {secret: name}")
                pending.extend((below, (*path, key)) for key, below in value.items())
            elif isinstance(value, list):
                pending.extend((below, (*path, index)) for index, below in enumerate(value))
