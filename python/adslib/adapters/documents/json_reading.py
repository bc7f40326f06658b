"""JSON to nodes, with a line for every value; no key twice, nothing that YAML or XML could not carry (A2)."""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import NoReturn

from adslib.adapters.documents.limits import WHOLE, check_depth
from adslib.adapters.documents.nodes import Faults, Node, Place, Scalar
from adslib.domain.errors import Invalid

HALF = re.compile("[\ud800-\udfff]")
SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


def read_json(text: str, file: str, faults: Faults) -> Node:
    """Read one JSON document.

    Args:
        faults: where keys that are given twice and values out of bounds are noted.

    Raises:
        Invalid: it is no JSON.
    """
    return Scanner(text, file, faults).document()


class Scanner:
    """Reads values one after another; the strings by the standard library."""

    def __init__(self, text: str, file: str, faults: Faults) -> None:
        self.text = text
        self.file = file
        self.faults = faults
        self.at = 0
        self.line = 1
        self.counted = 0

    def place(self) -> Place:
        """Where we are."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return Place(self.file, self.line)

    def fail(self, message: str, remedy: str = "") -> NoReturn:
        """Refuse what stands here."""
        raise Invalid(f"this is no JSON: {message}", place=str(self.place()), remedy=remedy)

    def space(self) -> str:
        """Pass over white space; the character that follows, empty at the end."""
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def document(self) -> Node:
        """The one value of the text."""
        if not self.space():
            raise Invalid("the file is empty", place=self.file, remedy='write at least {"environment": "name"}')
        node = self.value(0)
        if self.space():
            self.fail("something follows the end of the document")
        return node

    def value(self, depth: int) -> Node:
        """The value that begins here."""
        character = self.space()
        place = self.place()
        check_depth(depth, str(place))
        if character == "{":
            return self.map(Node(place, {}), depth)
        if character == "[":
            return Node(place, self.list(depth))
        if character == '"':
            return self.carried(Node(place, self.string()))
        for word, value in WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return Node(place, value)
        return self.number(Node(place, None))

    def string(self) -> str:
        """A string."""
        try:
            text, self.at = scanstring(self.text, self.at + 1, True)
        except JSONDecodeError as error:
            self.at = min(error.pos, len(self.text))
            self.fail(error.msg)
        return str(text)

    def carried(self, node: Node) -> Node:
        """Text that every store and file can carry."""
        if isinstance(node.value, str) and not node.value.isascii() and HALF.search(node.value):
            node.value = HALF.sub("?", node.value)
            self.faults.note(node, "half of a surrogate pair is no text", "write the whole character")
        return node

    def number(self, node: Node) -> Node:
        """A number within bounds."""
        match = NUMBER.match(self.text, self.at)
        if not match:
            self.fail("a value is missing here")
        value = json.loads(match[0]) if len(match[0]) < 80 else WHOLE
        self.at = match.end()
        if abs(value) == float("inf") or (isinstance(value, int) and abs(value) >= WHOLE):
            self.faults.note(node, "the number is too large", "quote it if it is text")
        else:
            node.value = value
        return node

    def closes(self, bracket: str, *, first: bool) -> bool:
        """Whether a map or list ends here; otherwise passes over the comma."""
        character = self.space()
        if character == bracket:
            self.at += 1
            return True
        if first:
            return False
        if character != ",":
            self.fail(f"expected ',' or '{bracket}'")
        self.at += 1
        self.space()
        return False

    def map(self, node: Node, depth: int) -> Node:
        """Fill a map up to its end."""
        entries: dict[str, Node] = {}
        self.at += 1
        while not self.closes("}", first=not entries):
            if self.space() != '"':
                self.fail("a key in double quotes is missing here")
            place = self.place()
            key = str(self.carried(Node(place, self.string())).value)
            if key in entries:
                remedy = f"it already stands in line {entries[key].place.line}"
                self.faults.note(node, f"the key '{key}' is given twice", remedy, place=place, blames=False)
            if self.space() != ":":
                self.fail("expected ':'")
            self.at += 1
            value = self.value(depth + 1)
            entries.setdefault(key, value)
        node.value = entries
        return node

    def list(self, depth: int) -> list[Node]:
        """The items of a list."""
        items: list[Node] = []
        self.at += 1
        while not self.closes("]", first=not items):
            items.append(self.value(depth + 1))
        return items
