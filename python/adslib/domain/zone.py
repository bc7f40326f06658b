"""Names in a zone: labels as DNS has them, and patterns from which unique ones are made (I4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import idna

from adslib.domain.errors import Invalid

LONGEST_LABEL = 63
LONGEST_NAME = 253
LONGEST_ZONE = LONGEST_NAME - LONGEST_LABEL - 1
"""Every label fits before it."""
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
WORDS = ("service", "environment", "datacenter", "n")
PLACEHOLDER = re.compile(r"\{(\w*)\}")
RULE = "use letters, digits and inner hyphens, up to 63 characters"


def read_label(text: str, place: str = "") -> str:
    """One label in the form that DNS carries: lower case, other scripts by IDNA 2008.

    Raises:
        Invalid: it is no label.
    """
    try:
        label = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
    except idna.IDNAError as error:
        raise Invalid(f"'{text}' is no name: {error}", place=place, remedy=RULE) from None
    if "." in label:
        raise Invalid(f"'{text}' has a dot", place=place, remedy="give the name without its zone")
    if len(label) > LONGEST_LABEL or not LABEL.fullmatch(label):
        raise Invalid(f"'{text}' is no name", place=place, remedy=RULE)
    return label


def read_zone(text: str, place: str = "") -> str:
    """The name of a zone in the form that DNS carries, label by label as in `read_label`, without a dot at its end.

    Raises:
        Invalid: it is none.
    """
    try:
        zone = ".".join(read_label(label) for label in text.removesuffix(".").split("."))
    except Invalid:
        zone = text
    if problem := zone_problem(zone):
        raise Invalid(problem[0], place=place, remedy=problem[1])
    return zone


def zone_problem(zone: str) -> tuple[str, str] | None:
    """What is wrong with the name of a zone, and what would be right."""
    labels = zone.removesuffix(".").split(".")
    if len(zone) <= LONGEST_ZONE and all(len(x) <= LONGEST_LABEL and LABEL.fullmatch(x) for x in labels):
        return None
    return f"'{zone}' is no zone", "write it like west.example.com"


def pattern_problem(pattern: str) -> tuple[str, str] | None:
    """What is wrong with a pattern of names, and what would be right."""
    known = ", ".join(f"{{{word}}}" for word in WORDS)
    unknown = [word for word in PLACEHOLDER.findall(pattern) if word not in WORDS]
    if unknown:
        return f"pattern '{pattern}' has an unknown {{{unknown[0]}}}", f"known are {known}"
    if pattern.count("{n}") != 1:
        return f"pattern '{pattern}' makes no unique names", "have {n} in it, once"
    rest = PLACEHOLDER.sub("x", pattern)
    return None if LABEL.fullmatch(rest.lower()) else (f"pattern '{pattern}' makes no names", RULE)


def stem(pattern: str, words: Mapping[str, str]) -> str:
    """A pattern with everything in its place but the number, which stays `{n}`.

    Args:
        words: `service`, `environment`, `datacenter`; what is not given falls away with the hyphen before it. Where
            nothing is left but the number, the word is `host`.

    Raises:
        Invalid: a word cannot stand in a name.
    """
    filled = PLACEHOLDER.sub(lambda found: found[0] if found[1] == "n" else words.get(found[1], ""), pattern)
    filled = re.sub(r"-+", "-", filled).strip("-").lower()
    if filled == "{n}":
        filled = "host-{n}"
    read_label(filled.replace("{n}", "1"))
    return filled
