"""A tree as XML: elements for the keys that a definition knows, ``<entry key="…">`` where names are free (A2)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from lxml import etree

from adslib.adapters.documents.checking import LOOP_ITEM, NODES, shipped
from adslib.adapters.documents.xml_names import ILLEGAL, NAMED, NAMESPACE
from adslib.domain.definition import DEFAULT_LEVELS, Tree

FREE: dict[str, Any] = {}
"""The schema of what may be anything."""


def write_xml(tree: Tree) -> str:
    """The tree as XML text."""
    return Writer(tree).document()


def resolved(schema: Any) -> dict[str, Any]:
    """A schema with its reference followed and its branch for expressions left out."""
    while isinstance(schema, dict) and ("$ref" in schema or "anyOf" in schema):
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = shipped()["$defs"][name] if name else schema["anyOf"][0]
    return schema if isinstance(schema, dict) else FREE


def element_of(schema: Any) -> str:
    """The element that stands for an entry of a map with free names (``service``), empty: ``entry``."""
    name = str(schema.get("$ref", "")).rpartition("/")[2] if isinstance(schema, dict) else ""
    return name if name in NAMED else ""


class Writer:
    """Writes one document; the schema says which keys are known where."""

    def __init__(self, tree: Mapping[str, Tree]) -> None:
        self.tree = tree
        self.kinds = {level.plural: level.name for level in DEFAULT_LEVELS}
        levels = tree.get("levels")
        if isinstance(levels, dict):
            for name, level in levels.items():
                plural = level.get("plural") if isinstance(level, dict) else None
                self.kinds[plural if isinstance(plural, str) else f"{name}s"] = name

    def document(self) -> str:
        """The whole text."""
        entries = dict(self.tree)
        tag = "environment" if "environment" in entries else "fragment"
        root = etree.Element(f"{{{NAMESPACE}}}{tag}", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
        name = next(iter(entries.items()), ("", None))
        if name[0] == "environment" and isinstance(name[1], str) and not ILLEGAL.search(name[1]):
            root.set("name", entries.pop("environment"))
        self.map(root, entries, shipped())
        etree.indent(root, "  ")
        data = etree.tostring(root, encoding="utf-8", xml_declaration=True)
        return bytes(data).decode("utf-8") + "\n"

    def child(self, parent: Any, tag: str) -> Any:
        """A new element at the end of its parent."""
        return etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")

    def value(self, element: Any, value: Tree, schema: Any) -> None:
        """Fill an element with a value."""
        known = resolved(schema)
        if isinstance(value, dict):
            if not value:
                element.set("type", "map")
            self.map(element, value, known)
        elif isinstance(value, list):
            if not value:
                element.set("type", "list")
            for item in value:
                loop = isinstance(item, dict) and list(item) == ["for_each"] and isinstance(item["for_each"], dict)
                self.value(self.child(element, "item"), item, LOOP_ITEM if loop else known.get("items", FREE))
        else:
            self.scalar(element, value)

    def scalar(self, element: Any, value: Tree) -> None:
        """Fill an element with a scalar."""
        if isinstance(value, str):
            if ILLEGAL.search(value):
                element.set("encoding", "base64")
                value = base64.b64encode(value.encode()).decode()
            element.text = value
        elif value is None:
            element.set("type", "null")
        elif isinstance(value, bool):
            element.set("type", "bool")
            element.text = "true" if value else "false"
        else:
            element.set("type", "int" if isinstance(value, int) else "float")
            element.text = repr(value)

    def map(self, element: Any, entries: Mapping[str, Tree], schema: Mapping[str, Any]) -> None:
        """Add the entries of a map to an element."""
        known = schema.get("properties", FREE)
        free = schema.get("additionalProperties", FREE)
        for key, value in entries.items():
            if self.is_level(key, value, known, free):
                self.level(element, key, value)
            elif key in known and known[key].get("$ref") != NODES["$ref"]:
                self.value(self.child(element, key), value, known[key])
            elif element_of(free) and not ILLEGAL.search(key):
                named = self.child(element, element_of(free))
                named.set("name", key)
                self.value(named, value, free)
            else:
                self.value(self.entry(element, key), value, FREE if free == NODES else free)

    def entry(self, element: Any, key: str) -> Any:
        """An entry with a free key."""
        entry = self.child(element, "entry")
        if ILLEGAL.search(key):
            entry.set("key64", base64.b64encode(key.encode()).decode())
        else:
            entry.set("key", key)
        return entry

    def is_level(self, key: str, value: Tree, known: Mapping[str, Any], free: Any) -> bool:
        """Whether a key holds the nodes of a level, in a form that ``<level>`` can say."""
        if (
            free != NODES
            or not isinstance(value, dict)
            or ILLEGAL.search(key)
            or known.get(key, NODES).get("$ref") != NODES["$ref"]
        ):
            return False
        nodes = {name: node for name, node in value.items() if name != "for_each"}
        return all(
            (isinstance(node, dict) or node is None) and not ILLEGAL.search(name) for name, node in nodes.items()
        )

    def level(self, element: Any, plural: str, nodes: Mapping[str, Tree]) -> None:
        """The nodes of one level, one element each; loops, or nothing at all, stand in one without a name."""
        kind = self.kinds.get(plural) or (plural[:-1] if plural.endswith("s") and len(plural) > 1 else plural)
        for name, node in nodes.items() or [("for_each", None)]:
            level = self.child(element, "level")
            level.set("kind", kind)
            if plural != f"{kind}s":
                level.set("plural", plural)
            if name == "for_each":
                if nodes:
                    self.value(self.child(level, "for_each"), node, shipped()["$defs"]["loops"])
                continue
            level.set("name", name)
            self.value(level, node, shipped()["$defs"]["node"])
