"""The command `ads`: its nouns, its global options, and how it ends."""

from __future__ import annotations

from typing import Annotated

import typer

import adslib
from adslib.entrypoints.cli import (
    addresses,
    doctor,
    environments,
    events,
    gateways,
    jobs,
    machines,
    networks,
    pool,
    templates,
)
from adslib.entrypoints.cli.ending import ending
from adslib.entrypoints.cli.session import Choice

EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong use or input, 3 conflict or blocked, 4 not found."

app = typer.Typer(
    name="ads",
    help="Describe an environment once; ads finds the machines, deploys it, tests it and keeps it live.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.add_typer(environments.app, name="environment")
app.add_typer(templates.app, name="template")
app.add_typer(machines.app, name="machine")
app.add_typer(pool.app, name="pool")
app.add_typer(gateways.app, name="gateway")
app.add_typer(networks.app, name="network")
app.add_typer(addresses.app, name="address")
app.add_typer(jobs.app, name="job")
app.add_typer(events.app, name="event")
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ads {adslib.__version__}")
        raise typer.Exit


@app.callback()
def choose(
    ctx: typer.Context,
    database: Annotated[
        str, typer.Option(metavar="URL", help="The store; wins over ADS_DATABASE_URL and ads.toml.")
    ] = "",
    actor: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Act as somebody else; it is recorded in the log.")
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keep what was said before the noun."""
    said = ctx.ensure_object(Choice)
    said.database, said.actor = database, actor


def main(words: list[str] | None = None) -> None:
    """Run one command line; ends the process with an exit code.

    Args:
        words: the words behind `ads`; default: the process's own.
    """
    said = Choice()
    with ending(said):
        app(args=words, prog_name="ads", obj=said)
