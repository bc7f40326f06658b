"""YAML to nodes: the core schema of YAML 1.2, no tags, no surprises, a line for every value (A2).

The parser of libyaml gives events with marks; the tree is made here, so that aliases, keys and depth stay bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from adslib.adapters.documents.limits import WHOLE, check_depth
from adslib.adapters.documents.nodes import Faults, Node, Place, Scalar
from adslib.domain.errors import Invalid

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NULL = re.compile(r"~|null|Null|NULL|")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
PERHAPS = re.compile(r"yes|no|on|off", re.IGNORECASE)
LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
HALF = re.compile("[\ud800-\udfff]")


def read_yaml(text: str, file: str, faults: Faults) -> Node:
    """Read one YAML document.

    Args:
        text: the whole file. file: its name in messages and places.
        faults: where is noted what definitions do not use (tags, duplicate keys, two documents, …).

    Raises:
        Invalid: it is no YAML.
    """
    return Composer(text, file, faults).document()


def number(text: str, base: int) -> int:
    """A whole number within bounds.

    Raises:
        Invalid: it is out of bounds.
    """
    digits = text.lstrip("+-")
    value = int(text, base) if len(digits) < 80 else WHOLE
    if abs(value) >= WHOLE:
        raise Invalid(f"the number {digits[:20]}… is too large", remedy="quote it if it is text")
    return value


def plain_scalar(text: str) -> Scalar:
    """What a scalar without quotes means.

    Raises:
        Invalid: YAML 1.1 and 1.2 read it differently, or it is out of bounds.
    """
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text) or FALSE.fullmatch(text):
        return text[0] in "tT"
    if INT.fullmatch(text):
        return number(text, 10)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return number(text, 0)
    if PERHAPS.fullmatch(text):
        truth = "true" if text.lower() in ("yes", "on") else "false"
        raise Invalid(f"'{text}' is a truth in YAML 1.1 and text in 1.2", remedy=f'write {truth}, or "{text}"')
    if LEADING_ZERO.fullmatch(text):
        remedy = f'write "{text}" for text (file modes)'
        raise Invalid(f"{text} is octal in YAML 1.1 and decimal in 1.2", remedy=remedy)
    if NOT_FINITE.fullmatch(text):
        raise Invalid(f"{text} is no number a definition can use", remedy="quote it if it is text")
    if FLOAT.fullmatch(text):
        value = float(text)
        if abs(value) == float("inf"):
            raise Invalid(f"the number {text[:20]} is too large", remedy="quote it if it is text")
        return value
    return text


class Composer:
    """Makes nodes of the events of one document; what it refuses is noted, and text or nothing stands in for it."""

    def __init__(self, text: str, file: str, faults: Faults) -> None:
        self.text = text
        self.file = file
        self.faults = faults
        self.anchors: dict[str, Node] = {}
        self.open: set[str] = set()
        self.events: Iterator[Any] = self.guarded()

    def guarded(self) -> Iterator[Any]:
        """The parser's events; its errors in our words."""
        try:
            yield from yaml.parse(self.text, Loader=LOADER)
        except yaml.YAMLError as error:
            raise self.told(error) from None

    def told(self, error: yaml.YAMLError) -> Invalid:
        """A syntax error with its line and, where we know it, its usual cause."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).splitlines()[0]
        lines = self.text.splitlines()
        here = lines[line - 1] if line <= len(lines) else ""
        if here[: len(here) - len(here.lstrip())].count("\t"):
            return Invalid("a tab indents this line", place=f"{self.file}:{line}", remedy="indent by spaces")
        remedy = ""
        if "{{" in here:
            remedy = "put quotes around a value that holds {{ … }}"
        elif "mapping values are not allowed" in problem:
            remedy = "put quotes around text that holds ': '"
        return Invalid(f"this is no YAML: {problem}", place=f"{self.file}:{line}", remedy=remedy)

    def place(self, event: Any) -> Place:
        """Where an event stands."""
        return Place(self.file, event.start_mark.line + 1)

    def document(self) -> Node:
        """The one document of the text."""
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise Invalid("the file is empty", place=self.file, remedy="write at least 'environment: name'")
        node = self.node(next(self.events), 0)
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self.faults.note(
                node,
                "a second document begins",
                "keep one document in a file",
                place=self.place(event),
                blames=False,
            )
        return node

    def node(self, event: Any, depth: int) -> Node:
        """The node that an event begins."""
        place = self.place(event)
        check_depth(depth, str(place))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor, place)
        anchor = event.anchor
        node = Node(place, None)
        tagged = event.tag is not None and event.tag != "!"
        if tagged:
            scalar = isinstance(event, yaml.ScalarEvent)
            self.faults.note(node, f"the tag {event.tag[:80]} is not allowed", "write plain values", blames=scalar)
        if anchor:
            self.anchors[anchor] = node
            self.open.add(anchor)
        if isinstance(event, yaml.ScalarEvent):
            self.scalar(node, event.value, quoted=bool(event.style) or event.tag == "!" or tagged)
        elif isinstance(event, yaml.SequenceStartEvent):
            node.value = self.sequence(depth)
        else:
            self.mapping(node, depth)
        self.open.discard(anchor)
        return node

    def scalar(self, node: Node, text: str, *, quoted: bool) -> None:
        """Give a node its scalar; text is what every store and file can carry."""
        try:
            node.value = text if quoted else plain_scalar(text)
        except Invalid as error:
            node.value = text
            for problem in error.problems:
                self.faults.note(node, problem.message, problem.remedy)
        if not text.isascii() and HALF.search(text):
            node.value = HALF.sub("?", text)
            self.faults.note(node, "half of a surrogate pair is no text", "write the whole character")

    def alias(self, anchor: str | None, place: Place) -> Node:
        """The node that an alias repeats."""
        if anchor in self.anchors and anchor not in self.open:
            return self.anchors[anchor]
        node = Node(place, None)
        if anchor in self.open:
            self.faults.note(node, f"'*{anchor}' stands inside itself", "repeat something smaller")
        else:
            self.faults.note(node, f"there is no anchor '&{anchor}' above", "write '&' before its use")
        return node

    def sequence(self, depth: int) -> list[Node]:
        """The items up to the end of a list."""
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return items

    def mapping(self, node: Node, depth: int) -> None:
        """Fill a map up to its end."""
        entries: dict[str, Node] = {}
        node.value = entries
        lines: dict[str, Place] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            place = self.place(event)
            if isinstance(event, yaml.ScalarEvent) and not event.style and event.value == "<<":
                self.merge(node, self.node(next(self.events), depth + 1), place)
                continue
            key = self.key(node, event, depth)
            value = self.keyed(self.node(next(self.events), depth + 1), place)
            if key in entries:
                remedy = f"it already stands in line {lines[key].line}"
                self.faults.note(node, f"the key '{key}' is given twice", remedy, place=place, blames=False)
            elif key is not None:
                lines[key] = place
                entries[key] = value

    def keyed(self, node: Node, place: Place) -> Node:
        """A value is best found at its key, where both are in one file; aliases keep the place of the anchor."""
        if node.place.line > place.line and isinstance(node.value, (dict, list)):
            return replace(node, place=place)
        return node

    def key(self, node: Node, event: Any, depth: int) -> str | None:
        """A key of a map, which is text; None: it is none, and its entry is left out."""
        place = self.place(event)
        key = self.node(event, depth + 1)
        node.faults.extend(replace(fault, blames=False) for fault in key.faults)
        if isinstance(key.value, str):
            return key.value
        if key.faults:
            return None
        if isinstance(key.value, (list, dict)):
            quoteless = "{{" in self.text.splitlines()[place.line - 1]
            remedy = "put quotes around {{ … }}" if quoteless else "write a text"
            self.faults.note(node, "a list or map is no key", remedy, place=place, blames=quoteless)
            return None
        shown = event.value if isinstance(event, yaml.ScalarEvent) else key.value
        self.faults.note(node, f"the key {shown!r} is not text", f'write "{shown}"', place=place, blames=False)
        return str(shown)

    def merge(self, node: Node, value: Node, place: Place) -> None:
        """``<<``: take in the entries of a map, or of each map of a list."""
        others = value.value if isinstance(value.value, list) else [value]
        for other in others:
            if isinstance(other.value, dict):
                node.merges.append(other)
            elif not other.faults:
                self.faults.note(node, "'<<' takes in maps only", "name a map by '*anchor'", place=place, blames=False)
