"""Names that differ by instance – `{{ self.address }}`, `{{ members.accounts[0].ports.http }}` – put in their places.

Only paths are followed: names, attributes, numbers. There is nothing to execute, so a stored string cannot run.
Expressions that say more belong into a role or a template file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adslib.domain.errors import Invalid

EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
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
        return _text(value, names, place) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: resolve(item, names, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, names, f"{place}[{index}]") for index, item in enumerate(value)]
    return value


def _text(text: str, names: Mapping[str, Any], place: str) -> Any:
    whole = EXPRESSION.fullmatch(text)
    if whole and "}}" not in whole.group(1):
        return _follow(whole.group(1), names, place)
    return EXPRESSION.sub(lambda match: str(_follow(match.group(1), names, place)), text)


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
            known = ", ".join(value) if isinstance(value, Mapping) else f"0 to {len(value) - 1}" if value else "nothing"
            raise Invalid(f"'{path}' names nothing at '{step}'", place=place, remedy=f"known there: {known}") from None
    return value
