"""The tree of an environment on the screen, and how it stands at the end of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adslib.entrypoints.cli.presenting import COLOURS, Column, coloured, is_terminal, moment, table

if TYPE_CHECKING:
    from adslib.usecases.ads import Ads

OPEN = ("ready", "live")
MACHINE_COLUMNS = (
    Column("name", "machine"),
    Column("state"),
    Column("availability"),
    Column("gateway"),
    Column("size"),
    Column("os"),
    Column("location"),
    Column("address"),
    Column("holder"),
)


def show_standing(ads: Ads, name: str, shown: Mapping[str, Any], *, machines: bool = True) -> None:
    """Write an environment's tree, the table of its machines, what its tests said, and where to go in."""
    from adslib.domain.structure import structure, web_addresses

    definition = ads.environments.document(name).definition
    for line in lines_of(structure(definition, shown["instances"]), str(shown["state"])):
        print(line)
    held = ads.machines.list(holder=name) if machines else ()
    if held:
        print()
        table(
            [column.title or column.key for column in MACHINE_COLUMNS],
            [[column.text(row) for column in MACHINE_COLUMNS] for row in held],
        )
    show_tests(shown)
    entrances = web_addresses(definition, shown["instances"]) if shown["state"] in OPEN else {}
    if entrances:
        print("\nentrances:")
    for instance, url in entrances.items():
        print(f"  {instance}  {url}")


def show_tests(shown: Mapping[str, Any]) -> None:
    """Write what the last tests said."""
    tests = shown["tests"]
    if tests:
        failures: Sequence[str] = tests["failures"]
        verdict = coloured(f"{len(failures)} failed", "red") if failures else coloured("none failed", "green")
        print(f"\ntests of {moment(tests['at'])}: {tests['passed']} passed, {verdict}")
        for failure in failures:
            print(f"  {failure}")
    if shown["live_despite"]:
        print(f"live despite failed tests: {shown['live_despite']}")


def lines_of(tree: Mapping[str, Any], state: str) -> list[str]:
    """The tree as lines."""
    marks = ("├── ", "│   ", "└── ", "    ") if _can_draw() else ("|-- ", "|   ", "`-- ", "    ")
    return [f"{tree['level']} {tree['name']}: {coloured(state)}", *_below(tree, "", marks)]


def _can_draw() -> bool:
    import sys

    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _below(node: Mapping[str, Any], indent: str, marks: tuple[str, str, str, str]) -> list[str]:
    result: list[str] = []
    width = max((len(_short(row)) for row in node["instances"]), default=0)
    branches: list[tuple[str, Mapping[str, Any] | None]] = [(_leaf(row, width), None) for row in node["instances"]]
    branches += [(f"{child['level']} {child['name']}".strip(), child) for child in node["children"]]
    for number, (text, child) in enumerate(branches, 1):
        last = number == len(branches)
        result.append(f"{indent}{marks[2 if last else 0]}{text}")
        if child:
            result += _below(child, indent + marks[3 if last else 1], marks)
    return result


def _short(row: Mapping[str, Any]) -> str:
    return str(row["instance"]).rpartition("/")[2]


def _leaf(row: Mapping[str, Any], width: int) -> str:
    state = str(row["state"])
    shown = coloured(state) if state in COLOURS or not is_terminal() else coloured(state, "dim")
    parts = [_short(row).ljust(width), shown, str(row.get("version") or "")]
    if row.get("machine"):
        parts.append(f"on {row['machine']} ({row.get('address') or 'no address yet'})")
    if row.get("message"):
        parts.append(f"- {row['message']}")
    return "  ".join(part for part in parts if part)
