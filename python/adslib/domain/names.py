"""Names that people type: short, lower-case, safe in host names, paths and group names."""

from __future__ import annotations

import re

from adslib.domain.errors import Invalid, Problem

LONGEST_NAME = 63
LONGEST_TEXT = 255
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
RULE = f"use 1 to {LONGEST_NAME} lower-case letters, digits and inner hyphens, like 'us-west'"


def name_problem(name: object, what: str, place: str = "") -> Problem | None:
    """Say what is wrong with a name, or None if it is a good one."""
    if isinstance(name, str) and len(name) <= LONGEST_NAME and NAME.fullmatch(name):
        return None
    return Problem(f"{name!r} is no name for {what}", place, RULE)


def text_problem(text: str, what: str, place: str = "", longest: int = LONGEST_TEXT) -> Problem | None:
    """Say what is wrong with a free text, or None if people can read it in one line."""
    if len(text) <= longest and text.isprintable():
        return None
    shown = text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"
    return Problem(f"{what}: {shown!r} is no text of one line", place, f"use up to {longest} readable characters")


def checked_name(name: str, what: str) -> str:
    """Return the name as it is.

    Raises:
        Invalid: it is no good name; the message says what would be.
    """
    problem = name_problem(name, what)
    if problem:
        raise Invalid(problems=[problem])
    return name


def group_name(*parts: str) -> str:
    """Make an Ansible group name of parts: hyphens and dots become underscores (``ads_service_media``)."""
    return re.sub(r"[^A-Za-z0-9_]", "_", "_".join(("ads", *parts)))
