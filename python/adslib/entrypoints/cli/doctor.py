"""`ads doctor`: whether this installation can do its work."""

from __future__ import annotations

from typing import Annotated

import typer

from adslib.entrypoints.cli.options import OutputFormat
from adslib.entrypoints.cli.presenting import Column, Format, show_rows
from adslib.entrypoints.cli.session import opened


def doctor(
    ctx: typer.Context,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="First bring the store to the schema of this ads.")
    ] = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Look whether this installation can do its work.

    It says what would mend the store, Ansible, the collection and what else is needed.
    """
    from dataclasses import asdict

    with opened(ctx) as ads:
        if migrate:
            ads.doctor.migrate()
        checks = ads.doctor.check()
    columns = [Column("name", "check"), Column("verdict"), Column("found"), Column("remedy")]
    show_rows([asdict(check) for check in checks], columns, format)
    if any(check.verdict == "fail" for check in checks):
        raise typer.Exit(1)
