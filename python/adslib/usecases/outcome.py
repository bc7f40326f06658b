"""What every use case returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adslib.domain.plan import Plan


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a use case did, or would do in a dry run.

    Args:
        changed: whether anything is (or would be) different. before, after: the thing as plain data; empty: absent.
        job: id of the job that carries it out, empty: none. plan: what is (or would be) done, where there is one.
        message: one sentence for people.
    """

    changed: bool
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    job: str = ""
    plan: Plan | None = None
    message: str = ""


def counted(number: int, what: str, ending: str = "s") -> str:
    """A number of things in words: `1 name`, `2 names`."""
    return f"{number} {what}{'' if number == 1 else ending}"
