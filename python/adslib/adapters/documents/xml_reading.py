"""XML to nodes: no entities, no DOCTYPE, no network; held to the shipped XSD (A2).

An element is a list if its children are all ``<item>``, a map if it has other children, else a scalar: text, unless
``type`` says otherwise.
"""

from __future__ import annotations

import base64
import binascii
import copy
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from lxml import etree

from adslib.adapters.documents.limits import check_depth
from adslib.adapters.documents.nodes import Node, Place, Scalar
from adslib.adapters.documents.xml_names import NAMED, NAMESPACE, plural_of
from adslib.adapters.documents.yaml_reading import FLOAT, INT, number
from adslib.domain.errors import Invalid, Problem
from adslib.domain.reading.findings import did_you_mean

PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
QUALIFIED = re.compile(r"\{urn:ads:definition:1\}")
UNEXPECTED = re.compile(r"Element '([^']+)': This element is not expected(?:. Expected is .*?\((.*)\))?")
MOST_PROBLEMS = 100


def read_xml(text: str, file: str) -> Node:
    """Read one XML document.

    Raises:
        Invalid: it is not well-formed, has a DOCTYPE, or does not follow the XSD; all problems at once.
    """
    prolog = PROLOG.match(text)
    begin = prolog.end() if prolog else 0
    if text.startswith("<!DOCTYPE", begin):
        line = text.count("\n", 0, begin) + 1
        raise Invalid("a DOCTYPE is not allowed", place=f"{file}:{line}", remedy="take it away, and all entities")
    if not text[begin:]:
        raise Invalid("the file is empty", place=file, remedy='write at least <environment name="…"/>')
    # The text is ours as UTF-8: what the XML declaration says of the encoding is of no account.
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        message = str(error.msg).partition(", line ")[0]
        raise Invalid(f"this is no XML: {message}", place=f"{file}:{error.lineno or 1}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Invalid("a DOCTYPE is not allowed", place=file, remedy="take it away, and all entities")
    check_root(root, file)
    return Reader(file).document(root)


def check_root(root: Any, file: str) -> None:
    """Hold the document to the XSD.

    Raises:
        Invalid: it does not follow it.
    """
    name = etree.QName(root)
    if name.namespace != NAMESPACE or name.localname not in ("environment", "fragment"):
        raise Invalid(
            f"<{name.localname}> is no definition",
            place=f"{file}:{root.sourceline}",
            remedy=f'begin with <environment xmlns="{NAMESPACE}" name="…">',
        )
    problems = list(misfits(root, file))
    if problems:
        raise Invalid(problems=sorted(problems, key=lambda problem: int(problem.place.rpartition(":")[2])))


def misfits(root: Any, file: str) -> Iterator[Problem]:
    """Everything that does not follow the XSD.

    The validator passes over what follows an unexpected element, so each of those is taken away and it looks again.
    """
    checker = xsd()
    if checker.validate(root):
        return
    told_already: set[Problem] = set()
    rest = copy.deepcopy(root)
    while not checker.validate(rest) and len(told_already) < MOST_PROBLEMS:
        unexpected = []
        for entry in checker.error_log:
            problem = told(entry.message, f"{file}:{entry.line}")
            if problem not in told_already:
                told_already.add(problem)
                yield problem
            if UNEXPECTED.match(QUALIFIED.sub("", entry.message)):
                unexpected.extend(rest.getroottree().xpath(entry.path))
        for element in unexpected:
            if element.getparent() is not None:
                element.getparent().remove(element)
        if not unexpected:
            return


def told(message: str, place: str) -> Problem:
    """A validator's message in our words: no namespaces, and what was probably meant."""
    plain = QUALIFIED.sub("", message).rstrip(".").replace("( ", "(").replace(" )", ")")
    match = UNEXPECTED.match(plain)
    if not match:
        return Problem(plain, place)
    names = re.findall(r"[\w-]+", match[2] or "")
    return Problem(
        f"<{match[1]}> does not stand here", place, did_you_mean(match[1], names, f"known are: {', '.join(names)}")
    )


@cache
def xsd() -> Any:
    """The shipped XSD, ready to validate."""
    data = resources.files("adslib.adapters.documents").joinpath("schema/definition.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True)))


class Reader:
    """Makes nodes of elements."""

    def __init__(self, file: str) -> None:
        self.file = file

    def place(self, element: Any) -> Place:
        """Where an element stands."""
        return Place(self.file, element.sourceline or 1)

    def fail(self, element: Any, message: str, remedy: str = "") -> Invalid:
        """An error at an element."""
        return Invalid(message, place=str(self.place(element)), remedy=remedy)

    def document(self, root: Any) -> Node:
        """The whole document; the root's name is its first key."""
        node = self.map(root, 0)
        name = root.get("name")
        if name is not None and isinstance(node.value, dict):
            if "environment" in node.value:
                raise self.fail(root, "the name of the environment is given twice")
            node.value = {"environment": Node(node.place, name), **node.value}
        return node

    def value(self, element: Any, depth: int) -> Node:
        """The value of an element."""
        check_depth(depth, str(self.place(element)))
        kind = element.get("type")
        children = list(element.iterchildren("*"))
        if kind in ("map", "list") or (children and kind is None):
            if kind == "list" or (kind is None and all(self.tag(child) == "item" for child in children)):
                return self.list(element, depth)
            return self.map(element, depth)
        if children:
            raise self.fail(element, f"type '{kind}' holds text, no elements")
        return Node(self.place(element), self.scalar(element, kind))

    def tag(self, element: Any) -> str:
        """The name of an element without its namespace."""
        return str(etree.QName(element).localname)

    def text(self, element: Any) -> str:
        """All text of an element, comments left out."""
        return (element.text or "") + "".join(child.tail or "" for child in element)

    def scalar(self, element: Any, kind: str | None) -> Scalar:
        """The scalar an element holds."""
        text = self.text(element)
        if kind in (None, "str"):
            return self.decoded(element, text) if element.get("encoding") == "base64" else text
        word = text.strip()
        if kind == "null" and not word:
            return None
        if kind == "bool" and word in ("true", "false"):
            return word == "true"
        if kind == "int" and INT.fullmatch(word):
            return number(word, 10, str(self.place(element)))
        if kind == "float" and FLOAT.fullmatch(word) and abs(float(word)) != float("inf"):
            return float(word)
        raise self.fail(element, f"'{word[:80]}' is no value of type '{kind}'", "leave 'type' out for text")

    def decoded(self, element: Any, text: str) -> str:
        """Text that XML cannot carry as it is."""
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise self.fail(element, "this is no text in base64", "leave 'encoding' out for plain text") from None

    def bare(self, element: Any) -> None:
        """Between the elements of a map or list stands no text."""
        text = self.text(element).strip()
        if text:
            raise self.fail(element, f"the text '{text[:40]}' stands between elements", "put it into an element")

    def list(self, element: Any, depth: int) -> Node:
        """The items of a list."""
        self.bare(element)
        items: list[Node] = []
        for child in element.iterchildren("*"):
            if self.tag(child) != "item":
                raise self.fail(child, f"<{self.tag(child)}> stands in a list", "write <item>")
            items.append(self.value(child, depth + 1))
        return Node(self.place(element), items)

    def map(self, element: Any, depth: int) -> Node:
        """The entries of a map."""
        self.bare(element)
        node = Node(self.place(element), {})
        for child in element.iterchildren("*"):
            if self.tag(child) == "level" and child.get("kind") is not None:
                self.level(node, child, depth + 1)
            else:
                self.enter(node, self.key(child), self.value(child, depth + 1), child)
        return node

    def key(self, child: Any) -> str:
        """The key that an element stands for."""
        tag = self.tag(child)
        if tag in NAMED and child.get("name") is not None:
            return str(child.get("name"))
        if tag != "entry":
            return tag
        if child.get("key64") is not None:
            return self.decoded(child, child.get("key64"))
        if child.get("key") is None:
            raise self.fail(child, "<entry> has no key", 'write <entry key="…">')
        return str(child.get("key"))

    def enter(self, node: Node, key: str, value: Node, child: Any) -> None:
        """Add an entry to a map."""
        assert isinstance(node.value, dict)
        if key in node.value:
            raise self.fail(child, f"'{key}' is given twice", f"it already stands in line {node.value[key].place.line}")
        node.value[key] = value

    def level(self, node: Node, child: Any, depth: int) -> None:
        """``<level kind="pod" name="pod-1">`` is the entry ``pod-1`` of ``pods``; without a name it is ``pods``."""
        assert isinstance(node.value, dict)
        plural = plural_of(child.get("kind"), child.get("plural"))
        nodes = node.value.setdefault(plural, Node(self.place(child), {}))
        if not isinstance(nodes.value, dict):
            raise self.fail(child, f"'{plural}' is given twice")
        if child.get("name") is not None:
            self.enter(nodes, child.get("name"), self.value(child, depth + 1), child)
            return
        inner = self.map(child, depth)
        assert isinstance(inner.value, dict)
        for key, value in inner.value.items():
            self.enter(nodes, key, value, child)
