"""A rule of the pool as an operations team set it up: how many machines, and when it grows or shrinks (A11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adslib.domain.errors import Problem
from adslib.domain.fitting import runs
from adslib.domain.machine import Size
from adslib.domain.names import name_problem

MOST = 100_000
LONGEST = 365 * 86400


@dataclass(frozen=True, slots=True)
class PoolRule:
    """How many machines of a size there are to be.

    Args:
        name: of the rule; its machines are called after it. size: a known size.
        ceiling: the most machines, those that failed included.
        gateway, os, location: only these; empty: any.
        spare: how many are to be free. grow_at: percent held at which it grows; 0: it does not.
        floor: the least machines. shrink_after: seconds after which an idle machine that is too many goes; 0: it stays.
        cooldown: seconds between two changes by this rule. acted: when it last changed the pool.
    """

    name: str
    size: str
    ceiling: int
    gateway: str = ""
    os: str = ""
    location: str = ""
    spare: int = 0
    grow_at: int = 0
    floor: int = 0
    shrink_after: int = 0
    cooldown: int = 0
    tenant: str = "default"
    acted: datetime | None = None


def problems_of(rule: PoolRule, sizes: Mapping[str, Size], gateways: Iterable[str]) -> list[Problem]:
    """Everything that is wrong with a rule by itself.

    Args:
        gateways: the names that there are.
    """
    place = f"rule '{rule.name}'"
    found = [Problem(message, place, remedy) for message, remedy in _wrong(rule, sizes, sorted(gateways))]
    wrong_name = name_problem(rule.name, "a rule")
    return [wrong_name, *found] if wrong_name else found


def _wrong(rule: PoolRule, sizes: Mapping[str, Size], gateways: list[str]) -> Iterator[tuple[str, str]]:
    if rule.size not in sizes:
        yield f"no size is called '{rule.size}'", f"known sizes: {', '.join(sizes)}"
    if rule.gateway and rule.gateway not in gateways:
        yield f"there is no gateway '{rule.gateway}'", f"there are: {', '.join(gateways)}"
    for what, value, most in (
        ("ceiling", rule.ceiling, MOST),
        ("spare", rule.spare, MOST),
        ("floor", rule.floor, MOST),
        ("grow-at", rule.grow_at, 100),
        ("shrink-after", rule.shrink_after, LONGEST),
        ("cooldown", rule.cooldown, LONGEST),
    ):
        if not 0 <= value <= most:
            yield f"{what} is {value}", f"use 0 to {most}"
    for what, value in (("floor", rule.floor), ("spare", rule.spare)):
        if value > rule.ceiling:
            yield f"its {what} {value} is above its ceiling {rule.ceiling}", f"raise the ceiling or lower the {what}"
    if not (rule.spare or rule.floor or rule.grow_at or rule.shrink_after):
        yield "it says nothing", "give --spare, --floor, --grow-at or --shrink-after"


def overlaps(one: PoolRule, other: PoolRule) -> bool:
    """Whether a machine can be under both, so that one would undo what the other does."""
    pairs = ((one.gateway, other.gateway), (one.location, other.location))
    alike = one.size == other.size and all(not a or not b or a == b for a, b in pairs)
    return alike and (not one.os or not other.os or runs(one.os, other.os) or runs(other.os, one.os))
