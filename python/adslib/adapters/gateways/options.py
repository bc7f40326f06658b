"""Reading the options of a gateway: every wrong one is named, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, TypeVar

from adslib.domain.errors import Invalid, Problem
from adslib.domain.zone_setting import SECRET

REFRESH_EVERY = "refresh_every"
"""An option of every gateway: seconds between two refreshes by whoever watches the pool; 0: only when asked."""

PER_ENVIRONMENT = "per_environment"
"""An option of every gateway: how many machines one environment may have there; 0: any number."""

WIPE = "wipe"
"""An option of every gateway: the role that wipes a machine before it is returned to the pool."""

COSTS = "costs"
"""An option of every gateway: what an hour costs, by the name of the size."""

WEEK = 7 * 86400

ROLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)


class Options:
    """The options as they were given. Read each by its type, then call `finish`.

    Args:
        gateway: its name, for messages. given: plain values from YAML, JSON or the command line.
    """

    def __init__(self, gateway: str, given: Mapping[str, Any]) -> None:
        self._gateway = gateway
        self._given = given
        self._known: set[str] = set()
        self._problems: list[Problem] = []

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self._take(name, default)
        return value if isinstance(value, str) else self._wrong(name, value, "use a text", default)

    def word(self, name: str, default: str, known: Iterable[str]) -> str:
        """One of some words; an empty default allows none."""
        value = self._take(name, default)
        fits = value == default or value in (words := tuple(known))
        return str(value) if fits else self._wrong(name, value, f"use one of: {', '.join(words)}", default)

    def secret(self, name: str, default: str = "") -> str:
        """Where a secret lies, `env:NAME` or `file:/path`; what is the secret itself is refused and not repeated."""
        value = self._take(name, default)
        if value == "" or (isinstance(value, str) and SECRET.fullmatch(value)):
            return str(value)
        self._refuse(f"option {name}: the store keeps no secrets, only where they lie", "use env:NAME or file:/path")
        return ""

    def refuse(self, name: str, why: str, remedy: str) -> None:
        """Let `finish` refuse an option that is wrong in a way that its connector knows."""
        self._refuse(f"option {name}: {why}", remedy)

    def number(self, name: str, default: float, *, least: float = 0, most: float | None = None) -> float:
        """A number within limits, also written as a text."""
        value = self._take(name, default)
        span = f"use a number from {least:g}{f' to {most:g}' if most is not None else ' on'}"
        try:
            if isinstance(value, bool):
                raise ValueError
            number = float(value)
        except (TypeError, ValueError):
            return self._wrong(name, value, span, default)
        within = least <= number and (most is None or number <= most) and number != float("inf")
        return number if within else self._wrong(name, value, span, default)

    def whole(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A whole number within limits."""
        number = self.number(name, default, least=least, most=most)
        return int(number) if number == int(number) else self._wrong(name, number, "use a whole number", default)

    def flag(self, name: str, default: bool = False) -> bool:
        """A yes or no."""
        value = self._take(name, default)
        if isinstance(value, bool):
            return value
        known = {"true": True, "yes": True, "false": False, "no": False}
        word = str(value).lower()
        return known[word] if word in known else self._wrong(name, value, "use true or false", default)

    def chosen(self, name: str, choices: type[W]) -> frozenset[W]:
        """Some words out of the ones there are, also written as one text with commas."""
        known = {str(choice): choice for choice in choices}
        words = self.names(name)
        unknown = [word for word in words if word not in known]
        if unknown:
            return self._wrong(name, unknown[0], f"use some of: {', '.join(sorted(known))}", frozenset())
        return frozenset(known[word] for word in words)

    def names(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of names, also written as one text with commas."""
        value = self._take(name, default)
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
            return self._wrong(name, value, "use a list of names", default)
        return tuple(part.strip() for part in parts if part.strip())

    def pairs(self, name: str) -> Mapping[str, str]:
        """Names with a text each, also written as one text, `name=text, name=text`; one that stands alone has none."""
        value = self._take(name, {})
        if isinstance(value, str | list | tuple):
            parts = (part.partition("=") for part in self.names(name))
            value = {key.strip(): text.strip() for key, _, text in parts}
        if not isinstance(value, dict) or not all(isinstance(text, str) for both in value.items() for text in both):
            return self._wrong(name, value, "use names with a text each", {})
        return value

    def role(self, name: str) -> str:
        """The name of an Ansible role; empty: none."""
        value = self.text(name)
        return value if not value or ROLE.fullmatch(value) else self._wrong(name, value, "use the name of a role", "")

    def numbers(self, name: str) -> Mapping[str, float]:
        """Numbers by name, also written as one text: `small=0.02,large=0.4`."""
        value = self._take(name, {})
        try:
            pairs = dict(part.split("=") for part in value.split(",")) if isinstance(value, str) and value else value
            read = {str(key).strip(): float(number) for key, number in dict(pairs or {}).items()}
        except (TypeError, ValueError):
            read = {"": -1}
        good = all(key and 0 <= number < inf for key, number in read.items())
        return read if good else self._wrong(name, value, "use names and numbers, like small=0.02,large=0.4", {})

    def finish(self) -> None:
        """Refuse what is wrong or unknown.

        Raises:
            Invalid: with all that is wrong.
        """
        read_common(self)
        unknown = sorted(set(self._given) - self._known)
        known = ", ".join(sorted(self._known)) or "none"
        self._problems += [
            Problem(f"'{name}' is no option of it", f"gateway {self._gateway}", f"its options: {known}")
            for name in unknown
        ]
        if self._problems:
            raise Invalid(problems=self._problems)

    def _take(self, name: str, default: object) -> Any:
        self._known.add(name)
        return self._given.get(name, default)

    def _wrong(self, name: str, value: object, remedy: str, default: T) -> T:
        self._refuse(f"option {name}: {value!r} will not do", remedy)
        return default

    def _refuse(self, what: str, remedy: str) -> None:
        self._problems.append(Problem(what, f"gateway {self._gateway}", remedy))


@dataclass(frozen=True, slots=True)
class Common:
    """What every gateway takes as options.

    Args:
        refresh_every, per_environment, wipe, costs: see the names of these options.
    """

    refresh_every: int
    per_environment: int
    wipe: str
    costs: Mapping[str, float]


def read_common(read: Options) -> Common:
    """Read these options, whatever others there are."""
    return Common(
        read.whole(REFRESH_EVERY, 0, most=WEEK), read.whole(PER_ENVIRONMENT, 0), read.role(WIPE), read.numbers(COSTS)
    )
