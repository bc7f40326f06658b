"""`ads event`: the log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from adslib.domain.errors import Invalid
from adslib.domain.event import EventFilter, EventLevel
from adslib.domain.moments import moment_of
from adslib.entrypoints.cli.options import OutputFormat, environment_names
from adslib.entrypoints.cli.presenting import Column, Format, moment, show_data, show_rows
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Events: the log of everything that was done.", no_args_is_help=True)

LEVELS = [level.name.lower() for level in EventLevel]


@app.callback()
def events() -> None:
    """Keep `list` a verb of its own, though it is the only one."""


@app.command("list")
def list_(
    ctx: typer.Context,
    text: Annotated[str, typer.Option(help="Containing this, without case.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="From then on: 2h, 7d (ago), 2026-05-01T12:00.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Before then.")] = "",
    level: Annotated[str, typer.Option(help="This grave or graver: " + ", ".join(LEVELS) + ".")] = "",
    user: Annotated[str, typer.Option(help="Done by this user.")] = "",
    environment: Annotated[str, typer.Option(help="About this environment.", autocompletion=environment_names)] = "",
    limit: Annotated[int, typer.Option(help="At most so many, the newest.")] = 100,
    before: Annotated[int, typer.Option(metavar="ID", help="Older than this line: the next page.")] = 0,
    format: OutputFormat = Format.TABLE,
) -> None:
    """List the lines of the log.

    The newest come last in the table, and first in JSON and YAML.
    """
    if level and level.lower() not in LEVELS:
        raise Invalid(f"'{level}' is no level", place="--level", remedy=f"use {', '.join(LEVELS)}")
    now = datetime.now(UTC).astimezone()
    wanted = EventFilter(
        text=text,
        since=moment_of(since, now, "--since") if since else None,
        until=moment_of(until, now, "--until") if until else None,
        level=EventLevel[level.upper()] if level else None,
        actor=user,
        environment=environment,
        limit=limit,
    )
    with opened(ctx) as ads:
        rows = ads.events.list(wanted, before_id=before)
    if format is not Format.TABLE:
        show_data(rows, format)
        return
    columns = [
        Column("at", "time", moment),
        Column("level"),
        Column("actor", "user"),
        Column("environment"),
        Column("text", "what"),
    ]
    show_rows(rows[::-1], columns, format, none="The log has no such line.")
