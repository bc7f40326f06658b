"""XML to nodes: no entities, no DOCTYPE, no network; held to the shipped XSD (A2).

An element is a list if its children are all ``<item>``, a map if it has other children, else a scalar: text, unless
``type`` says otherwise.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from lxml import etree

from adslib.adapters.documents.limits import check_depth
from adslib.adapters.documents.nodes import Faults, Node, Place, Scalar
from adslib.adapters.documents.xml_checking import Misfits, misfits
from adslib.adapters.documents.xml_names import NAMED, NAMESPACE, plural_of
from adslib.adapters.documents.yaml_reading import FLOAT, INT, number
from adslib.domain.errors import Invalid

PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)


def read_xml(text: str, file: str, faults: Faults) -> Node:
    """Read one XML document.

    Args:
        faults: where is noted what does not follow the XSD.

    Raises:
        Invalid: it is not well-formed, has a DOCTYPE, or is no definition.
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
    return Reader(file, faults, misfits(root)).document(root)


def check_root(root: Any, file: str) -> None:
    """See that this is meant to be a definition.

    Raises:
        Invalid: it is something else.
    """
    name = etree.QName(root)
    if name.namespace != NAMESPACE or name.localname not in ("environment", "fragment"):
        raise Invalid(
            f"<{name.localname}> is no definition",
            place=f"{file}:{root.sourceline}",
            remedy=f'begin with <environment xmlns="{NAMESPACE}" name="…">',
        )


class Reader:
    """Makes nodes of elements; what it refuses is noted, and text or nothing stands in for it."""

    def __init__(self, file: str, faults: Faults, misfits: Misfits) -> None:
        self.file = file
        self.faults = faults
        self.misfits = misfits

    def place(self, element: Any) -> Place:
        """Where an element stands."""
        return Place(self.file, element.sourceline or 1)

    def begun(self, element: Any) -> Node:
        """A node for an element, with what the XSD says of it."""
        node = Node(self.place(element), None)
        for message, remedy, unexpected in self.misfits.get(element, ()):
            self.faults.note(node, message, remedy, blames=unexpected or not len(element))
        return node

    def document(self, root: Any) -> Node:
        """The whole document; the root's name is its first key."""
        node = self.map(self.begun(root), root, 0)
        name = root.get("name")
        if name is not None and isinstance(node.value, dict):
            if "environment" in node.value:
                self.faults.note(node, "the name of the environment is given twice", blames=False)
            node.value = {"environment": Node(node.place, name), **node.value}
        return node

    def value(self, element: Any, depth: int) -> Node:
        """The value of an element."""
        check_depth(depth, str(self.place(element)))
        node = self.begun(element)
        kind = element.get("type")
        children = list(element.iterchildren("*"))
        if not children and kind not in ("map", "list"):
            return self.scalar(node, element, kind)
        if kind not in (None, "map", "list"):
            self.faults.note(node, f"type '{kind}' holds text, no elements", blames=False)
        if kind == "list" or (kind != "map" and all(self.tag(child) == "item" for child in children)):
            return self.list(node, element, depth)
        return self.map(node, element, depth)

    def tag(self, element: Any) -> str:
        """The name of an element without its namespace."""
        return str(etree.QName(element).localname)

    def text(self, element: Any) -> str:
        """All text of an element, comments left out."""
        return (element.text or "") + "".join(child.tail or "" for child in element)

    def scalar(self, node: Node, element: Any, kind: str | None) -> Node:
        """Give a node the scalar that its element holds."""
        text = self.text(element)
        try:
            node.value = self.typed(element, text, kind)
        except Invalid as error:
            node.value = text
            for problem in error.problems if not node.faults else ():
                self.faults.note(node, problem.message, problem.remedy)
        return node

    def typed(self, element: Any, text: str, kind: str | None) -> Scalar:
        """A scalar of the type that its element names.

        Raises:
            Invalid: it is none.
        """
        if kind in (None, "str"):
            return self.decoded(text) if element.get("encoding") == "base64" else text
        word = text.strip()
        if kind == "null" and not word:
            return None
        if kind == "bool" and word in ("true", "false"):
            return word == "true"
        if kind == "int" and INT.fullmatch(word):
            return number(word, 10)
        if kind == "float" and FLOAT.fullmatch(word) and abs(float(word)) != float("inf"):
            return float(word)
        raise Invalid(f"'{word[:80]}' is no value of type '{kind}'", remedy="leave 'type' out for text")

    def decoded(self, text: str) -> str:
        """Text that XML cannot carry as it is.

        Raises:
            Invalid: it is no base64.
        """
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid("this is no text in base64", remedy="leave 'encoding' out for plain text") from None

    def bare(self, node: Node, element: Any) -> None:
        """Between the elements of a map or list stands no text."""
        text = self.text(element).strip()
        if text and not node.faults:
            message = f"the text '{text[:40]}' stands between elements"
            self.faults.note(node, message, "put it into an element", blames=False)

    def list(self, node: Node, element: Any, depth: int) -> Node:
        """Give a node the items of a list."""
        self.bare(node, element)
        items: list[Node] = []
        for child in element.iterchildren("*"):
            item = self.value(child, depth + 1)
            if self.tag(child) != "item" and not item.faults:
                self.faults.note(item, f"<{self.tag(child)}> stands in a list", "write <item>", blames=False)
            items.append(item)
        node.value = items
        return node

    def map(self, node: Node, element: Any, depth: int) -> Node:
        """Give a node the entries of a map."""
        self.bare(node, element)
        node.value = {}
        for child in element.iterchildren("*"):
            if self.tag(child) == "level" and child.get("kind") is not None:
                self.level(node, child, depth + 1)
                continue
            value = self.value(child, depth + 1)
            try:
                self.enter(node, self.key(child), value, child)
            except Invalid as error:
                for problem in error.problems if not value.faults else ():
                    self.faults.note(value, problem.message, problem.remedy)
        return node

    def key(self, child: Any) -> str:
        """The key that an element stands for.

        Raises:
            Invalid: it has none.
        """
        tag = self.tag(child)
        if tag in NAMED and child.get("name") is not None:
            return str(child.get("name"))
        if tag != "entry":
            return tag
        if child.get("key64") is not None:
            return self.decoded(child.get("key64"))
        if child.get("key") is None:
            raise Invalid("<entry> has no key", remedy='write <entry key="…">')
        return str(child.get("key"))

    def enter(self, node: Node, key: str, value: Node, child: Any) -> None:
        """Add an entry to a map."""
        assert isinstance(node.value, dict)
        if key in node.value:
            remedy = f"it already stands in line {node.value[key].place.line}"
            self.faults.note(node, f"'{key}' is given twice", remedy, place=self.place(child), blames=False)
        node.value.setdefault(key, value)

    def level(self, node: Node, child: Any, depth: int) -> None:
        """``<level kind="pod" name="pod-1">`` is the entry ``pod-1`` of ``pods``; without a name it is ``pods``."""
        assert isinstance(node.value, dict)
        plural = plural_of(child.get("kind"), child.get("plural"))
        nodes = node.value.setdefault(plural, Node(self.place(child), {}))
        if not isinstance(nodes.value, dict):
            self.faults.note(node, f"'{plural}' is given twice", place=self.place(child), blames=False)
            return
        if child.get("name") is not None:
            self.enter(nodes, child.get("name"), self.value(child, depth + 1), child)
            return
        inner = self.map(self.begun(child), child, depth)
        nodes.faults.extend(inner.faults)
        assert isinstance(inner.value, dict)
        for key, value in inner.value.items():
            self.enter(nodes, key, value, child)
