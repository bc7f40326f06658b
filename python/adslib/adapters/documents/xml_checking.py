"""Holds XML to the shipped XSD and says in plain words what does not follow it, element by element (A2)."""

from __future__ import annotations

import copy
import re
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from lxml import etree

from adslib.adapters.documents.limits import PROBLEMS
from adslib.domain.reading.findings import did_you_mean

QUALIFIED = re.compile(r"\{urn:ads:definition:1\}")
UNEXPECTED = re.compile(r"Element '([^']+)': This element is not expected(?:. Expected is .*?\((.*)\))?")


class Misfit(NamedTuple):
    """What does not follow the XSD at an element."""

    message: str
    remedy: str = ""
    unexpected: bool = False


Misfits = dict[Any, list[Misfit]]
"""By element."""


def misfits(root: Any) -> Misfits:
    """Everything that does not follow the XSD.

    The validator passes over what follows an unexpected element, so each of those is taken away and it looks again.
    """
    checker, found = xsd(), Misfits()
    if checker.validate(root):
        return found
    rest = copy.deepcopy(root)
    originals = dict(zip(rest.iter(), root.iter(), strict=True))
    while not checker.validate(rest) and sum(map(len, found.values())) <= PROBLEMS:
        unexpected = []
        for entry in checker.error_log:
            misfit = told(entry.message)
            element = element_at(rest, entry.path)
            told_already = found.setdefault(originals[element], [])
            if misfit not in told_already:
                told_already.append(misfit)
            if misfit.unexpected and element is not rest:
                unexpected.append(element)
        for element in unexpected:
            if element.getparent() is not None:
                element.getparent().remove(element)
        if not unexpected:
            break
    return found


def element_at(root: Any, path: str | None) -> Any:
    """The element that a path of the validator leads to; the root if it leads nowhere."""
    found = root.getroottree().xpath(path) if path else []
    element = found[0] if found else root
    return element if etree.iselement(element) else element.getparent()


def told(message: str) -> Misfit:
    """A validator's message in our words: no namespaces, and what was probably meant."""
    plain = QUALIFIED.sub("", message).rstrip(".").replace("( ", "(").replace(" )", ")")
    match = UNEXPECTED.match(plain)
    if not match:
        return Misfit(plain)
    names = re.findall(r"[\w-]+", match[2] or "")
    # Within an unordered group the validator does not say what it expects.
    remedy = did_you_mean(match[1], names or elements(), f"known are: {', '.join(names)}" if names else "")
    return Misfit(f"<{match[1]}> does not stand here", remedy, unexpected=True)


@cache
def xsd() -> Any:
    """The shipped XSD, ready to validate."""
    return etree.XMLSchema(shipped())


def shipped() -> Any:
    """The XSD as it is shipped for editors."""
    data = resources.files("adslib.adapters.documents").joinpath("schema/definition.xsd").read_bytes()
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


@cache
def elements() -> frozenset[str]:
    """The names of all elements that the XSD knows."""
    declared = shipped().iter("{http://www.w3.org/2001/XMLSchema}element")
    return frozenset(element.get("name") for element in declared if element.get("name"))
