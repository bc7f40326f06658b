"""Names that differ by instance – `{{ self.address }}`, `{{ members.accounts[0].ports.http }}` – put in their places.

Only paths are followed: names, attributes, numbers. There is nothing to execute, so a stored string cannot run.
Expressions that say more belong into a role or a template file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adslib.domain.errors import Invalid

OPEN, CLOSE = "{{", "}}"
PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\]|\['[\w-]+'\])*")
STEP = re.compile(r"[\w-]+")


def resolve(value: Any, names: Mapping[str, Any], place: str) -> Any:
    """Replace every expression in plain data; a string that is one expression takes the value's own type.

    Args:
        value: plain data. names: what expressions may name. place: where the value stands, for errors.

    Raises:
        Invalid: an expression is no path, or names nothing.
    """
    if isinstance(value, str):
        return _text(value, names, place) if OPEN in value else value
    if isinstance(value, Mapping):
        return {key: resolve(item, names, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, names, f"{place}[{index}]") for index, item in enumerate(value)]
    return value


def _text(text: str, names: Mapping[str, Any], place: str) -> Any:
    """Look for expressions by hand: a regular expression takes cubic time on what is opened and never closed."""
    values: list[Any] = []
    at = 0
    while (start := text.find(OPEN, at)) >= 0 and (end := text.find(CLOSE, start)) >= 0:
        before, value = text[at:start], _follow(text[start + len(OPEN) : end].strip(), names, place)
        values += [before, value] if before else [value]
        at = end + len(CLOSE)
    if at < len(text):
        values.append(text[at:])
    return values[0] if len(values) == 1 else "".join(map(str, values))


def _follow(path: str, names: Mapping[str, Any], place: str) -> Any:
    if not PATH.fullmatch(path):
        raise Invalid(
            f"'{path}' is no path of names",
            place=place,
            remedy="write names joined by dots, like members.accounts[0].address; put anything more into a template",
        )
    value: Any = names
    for step in STEP.findall(path):
        try:
            value = value[int(step)] if isinstance(value, list | tuple) else value[step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Invalid(
                f"'{path}' names nothing at '{step}'", place=place, remedy=f"known there: {_known(value)}"
            ) from None
    return value


def _known(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, list | tuple) and value:
        return f"0 to {len(value) - 1}"
    return "nothing"
