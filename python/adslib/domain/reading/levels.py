"""The tiers of the hierarchy, which a definition may specify itself (A3)."""

from __future__ import annotations

import re

from adslib.domain.definition import DEFAULT_LEVELS, Level
from adslib.domain.reading.findings import Part

RESERVED = (
    "environment",
    "description",
    "parameters",
    "include",
    "levels",
    "components",
    "configurations",
    "services",
    "common",
    "sequence",
    "project",
    "allow_host_changes",
)
"""The keys of a document that are no level's plural."""

ATTRIBUTES = ("vlan", "gateway", "location", "owner", "vars")
NODE_KEYS = ("services", "configurations", *ATTRIBUTES)
"""The keys of a node besides the plural of the next level."""

PLURAL = re.compile(r"[a-z][a-z0-9_-]*")


def read_levels(top: Part) -> tuple[Level, ...]:
    """The levels a document names, or the default ones; what is wrong is noted (A3)."""
    part = top.get("levels")
    if part is None:
        return DEFAULT_LEVELS
    levels: list[Level] = []
    for name, entry in part.entries():
        part.findings.name(name, "a level", entry.path)
        if entry.value is not None:
            entry.only(("place", "at", "plural"))
            level = Level(
                name,
                entry.text("plural", f"{name}s"),
                entry.flag("place"),
                entry.text("at") or None,
            )
        else:
            level = Level(name, f"{name}s")
        check_plural(level, levels, entry)
        levels.append(level)
    check_places(levels, part)
    return tuple(levels)


def check_plural(level: Level, earlier: list[Level], entry: Part) -> None:
    """The plural is a key of the document, so it must be free."""
    if not PLURAL.fullmatch(level.plural):
        entry.wrong(f"{level.plural!r} is no plural of a level", "use lower-case letters, digits, '-' and '_'")
    elif level.plural in (*RESERVED, *NODE_KEYS, "for_each"):
        entry.wrong(f"the plural '{level.plural}' is a key of every definition", "give another one by 'plural'")
    elif any(other.plural == level.plural for other in earlier):
        entry.wrong(f"the plural '{level.plural}' is taken by another level", "give another one by 'plural'")


def check_places(levels: list[Level], part: Part) -> None:
    """``at`` names a level of places; a level is not both a place and at one."""
    places = [level.name for level in levels if level.place]
    for level in levels:
        path = (*part.path, level.name)
        if level.at and level.place:
            part.findings.add(path, "a level is a place or stands 'at' one, not both")
        elif level.at and level.at not in places:
            known = f"levels of places are: {', '.join(places)}" if places else "mark a level by 'place: true'"
            part.findings.add((*path, "at"), f"there is no level of places '{level.at}'", known)


def place_levels(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels machines stand in, from the top."""
    return tuple(level for level in levels if level.place)


def logical_levels(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels that group services, from the top."""
    return tuple(level for level in levels if not level.place)
