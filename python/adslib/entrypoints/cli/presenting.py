"""Presenting what use cases return: tables for people, JSON and YAML for programs.

JSON and YAML hold the data as the use case gave it, and nothing else goes to standard output.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

RED, YELLOW, GREEN = "red", "yellow", "green"
COLOURS: Mapping[str, str] = {
    "live": GREEN, "ready": GREEN, "running": GREEN, "succeeded": GREEN, "deployed": GREEN, "ok": GREEN,
    "available": GREEN, "yes": GREEN,
    "failed": RED, "fail": RED, "error": RED, "critical": RED, "incomplete": RED, "unavailable": RED, "no": RED,
    "quarantined": RED,
    "warn": YELLOW, "warning": YELLOW, "interrupted": YELLOW, "cancelled": YELLOW, "stopped": YELLOW,
    "on request": YELLOW,
}  # fmt: skip
"""Colours of words that say how things stand."""


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a key of the row (dots lead into maps), its title, and how its value is written."""

    key: str
    title: str = ""
    write: Callable[[Any], str] | None = None

    def text(self, row: Mapping[str, Any]) -> str:
        """The text of this column in a row."""
        value: Any = row
        for step in self.key.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return self.write(value) if self.write else as_text(value)


def as_text(value: Any) -> str:
    """A value as a table shows it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={as_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(as_text(item) for item in value)
    return str(value)


def harmless(text: str, *, lines: bool = False) -> str:
    """A text that steers no terminal: whatever cannot be read is shown by its code.

    Args:
        lines: keep its lines apart; otherwise they become one.
    """
    if text.isprintable():
        return text
    kept = text if lines else " ".join(text.split())
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in kept)


def moment(value: Any) -> str:
    """A time of day for people: local, to the second."""
    from datetime import datetime

    return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


def console(*, stderr: bool = False) -> Console:
    """The terminal; rich keeps to NO_COLOR and to plain text where there is no terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=not stream.isatty(), emoji=False, markup=False)


def is_terminal() -> bool:
    """Whether somebody looks: standard output is a terminal that can do more than print lines."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def say(text: str) -> None:
    """Tell people something: it goes to standard error, so that data stays alone on standard output."""
    print(text, file=sys.stderr, flush=True)


def show_data(data: Any, format: Format, file: TextIO | None = None) -> None:
    """Write data as JSON or YAML, to standard output if no other file is named."""
    plain = json.loads(json.dumps(data, default=_plain))
    if format is Format.JSON:
        print(json.dumps(plain, indent=2, ensure_ascii=False), file=file)
        return
    import yaml

    yaml.safe_dump(plain, file or sys.stdout, sort_keys=False, allow_unicode=True, width=10**6)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def show_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], format: Format, *, none: str = "none"
) -> None:
    """Write a list.

    Args:
        columns: of the table; JSON and YAML hold everything. none: what to say where the list is empty.
    """
    if format is not Format.TABLE:
        show_data(rows, format)
    elif not rows:
        say(none)
    else:
        table([column.title or column.key for column in columns], [[c.text(row) for c in columns] for row in rows])


def table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Write a table, a line a row and nothing cut off: framed on a terminal that is wide enough, else aligned."""
    lines = [[harmless(text) for text in line] for line in lines]
    widths = [max(len(text) for text in column) for column in zip(titles, *lines, strict=True)]
    if is_terminal() and sum(widths) + 2 * len(widths) < shutil.get_terminal_size().columns:
        _framed(titles, lines)
        return
    for number, line in enumerate(([title.upper() for title in titles], *lines)):
        cells = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        styles = [COLOURS.get(text, "") if number else "bold" for text in line]
        print("  ".join(coloured(cell, style) for cell, style in zip(cells, styles, strict=True)).rstrip())


def _framed(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*titles, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for line in lines:
        drawn.add_row(*(Text(text, style=COLOURS.get(text, "")) for text in line))
    console().print(drawn)


def show_thing(thing: Mapping[str, Any], format: Format, *, keys: Iterable[str] = ()) -> None:
    """Write one thing: a line for each of its values, those that are empty left out.

    Args:
        keys: which ones, in which order; empty: all.
    """
    if format is not Format.TABLE:
        show_data(thing, format)
        return
    shown = {key: harmless(as_text(thing.get(key))) for key in (keys or thing)}
    width = max((len(key) for key, text in shown.items() if text), default=0)
    for key, text in shown.items():
        if text:
            print(f"{key.replace('_', ' ').ljust(width)}  {coloured(text)}")


def coloured(text: str, style: str = "") -> str:
    """A text with the colour of what it says, or of a style, where a terminal shows colours."""
    style = style or COLOURS.get(text, "")
    if not style or not is_terminal() or os.environ.get("NO_COLOR"):
        return text
    codes = {RED: 31, GREEN: 32, YELLOW: 33, "bold": 1, "dim": 2}
    return f"\x1b[{codes[style]}m{text}\x1b[0m"


def show_outcome(outcome: Any, format: Format, *, dry_run: bool = False) -> None:
    """Write what a change did, or would do: its sentence for people, or everything for programs."""
    if format is Format.TABLE:
        print(harmless(f"dry run: {outcome.message}" if dry_run else outcome.message, lines=True))
        return
    data = {"changed": outcome.changed, "message": outcome.message, "before": outcome.before, "after": outcome.after}
    show_data({**data, **({"job": outcome.job} if outcome.job else {})}, format)
