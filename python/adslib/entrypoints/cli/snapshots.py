"""`ads machine snapshot`: saved states of machines."""

from __future__ import annotations

from typing import Annotated

import typer

from adslib.domain.errors import NotFound
from adslib.entrypoints.cli.options import DryRun, MachineName, OutputFormat
from adslib.entrypoints.cli.presenting import Column, Format, moment, show_outcome, show_rows
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Snapshots of machines.", no_args_is_help=True)

SnapshotName = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Name of the snapshot.")]


@app.command("list")
def list_(ctx: typer.Context, name: MachineName, format: OutputFormat = Format.TABLE) -> None:
    """List the snapshots of a machine, oldest first."""
    with opened(ctx) as ads:
        rows = ads.machines.snapshots(name)
    show_rows(rows, [Column("name", "snapshot"), Column("taken", write=moment)], format, none="It has none.")


@app.command()
def create(
    ctx: typer.Context,
    name: MachineName,
    snapshot: SnapshotName,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Save the state of a machine."""
    with opened(ctx) as ads:
        outcome = ads.machines.create_snapshot(name, snapshot, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def restore(
    ctx: typer.Context,
    name: MachineName,
    snapshot: SnapshotName,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Bring a machine back to a snapshot; it is stopped meanwhile."""
    with opened(ctx) as ads:
        outcome = ads.machines.restore_snapshot(name, snapshot, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def delete(
    ctx: typer.Context,
    name: MachineName,
    snapshot: SnapshotName,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Remove a snapshot."""
    with opened(ctx) as ads:
        outcome = ads.machines.delete_snapshot(name, snapshot, dry_run=dry_run)
    if not outcome.changed and not dry_run:
        raise NotFound(outcome.message, remedy=f"list them with: ads machine snapshot list {name}")
    show_outcome(outcome, format, dry_run=dry_run)
