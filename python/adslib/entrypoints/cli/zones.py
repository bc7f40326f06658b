"""`ads network zone` and `ads network publish`: zones, their DNS servers, and what is at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from adslib.domain.errors import NotFound
from adslib.entrypoints.cli.options import DryRun, OutputFormat, ZoneName, zone_names
from adslib.entrypoints.cli.presenting import Column, Format, say, show_outcome, show_rows
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Zones: where the names of networks are published.", no_args_is_help=True)


@app.command()
def add(
    ctx: typer.Context,
    name: ZoneName,
    server: Annotated[str, typer.Option(metavar="HOST", help="The DNS server that carries it: address or name.")],
    key: Annotated[str, typer.Option(metavar="NAME", help="Name of the TSIG key that may change it.")],
    secret: Annotated[str, typer.Option(metavar="WHERE", help="Where the key's secret lies: env:NAME or file:/path.")],
    port: Annotated[int, typer.Option(help="TCP port of the server.")] = 53,
    algorithm: Annotated[str, typer.Option(help="Algorithm of the key.")] = "hmac-sha256",
    reverse: Annotated[
        list[str],
        typer.Option(metavar="PREFIX", help="A reverse zone that the server carries, like 10.1.0.0/16; repeatable."),
    ] = [],  # noqa: B006
    ttl: Annotated[int, typer.Option(metavar="SECONDS", help="How long records may be kept.")] = 300,
    tenant: Annotated[str, typer.Option(help="Whose it is; yours, if you do not say.")] = "",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Publish a zone's names from now on, or elsewhere than before."""
    with opened(ctx) as ads:
        outcome = ads.zones.add(
            name,
            server,
            key_name=key,
            secret=secret,
            port=port,
            algorithm=algorithm,
            reverse=reverse,
            ttl=ttl,
            tenant=tenant,
            dry_run=dry_run,
        )
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def remove(ctx: typer.Context, name: ZoneName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Publish a zone no more; what is at its server stays there."""
    with opened(ctx) as ads:
        outcome = ads.zones.remove(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads network zone list")
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(ctx: typer.Context, format: OutputFormat = Format.TABLE) -> None:
    """List the zones, how many names wait, and why publishing failed."""
    with opened(ctx) as ads:
        rows = ads.zones.list()
    names = ("server", "port", "key_name", "reverse", "ttl", "pending", "failure")
    show_rows(rows, [Column("name", "zone"), *map(Column, names)], format)


@app.command()
def export(
    ctx: typer.Context,
    name: ZoneName,
    reverse: Annotated[
        str, typer.Option(metavar="PREFIX", help="This reverse zone of it instead, like 10.1.0.0/16.")
    ] = "",
) -> None:
    """Write a zone as a file that DNS servers load."""
    with opened(ctx) as ads:
        text = ads.zones.export(name, reverse=reverse)
    typer.echo(text, nl=False)


def publish(
    ctx: typer.Context,
    zone: Annotated[
        str, typer.Argument(metavar="[ZONE]", help="The zone; without, all.", autocompletion=zone_names)
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Compare whole zones with the store, and change nothing; 1: they differ.")
    ] = False,
    all: Annotated[  # noqa: A002
        bool, typer.Option("--all", help="Set right whatever differs, not only what waits, and whoever wrote it.")
    ] = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Bring the names that wait to their DNS servers."""
    with opened(ctx) as ads:
        outcome = ads.zones.publish(zone, check=check, repair=all, dry_run=dry_run)
    differences = outcome.after.get("differences")
    if format is not Format.TABLE:
        show_outcome(outcome, format, dry_run=dry_run)
    elif differences:
        columns = [Column(each) for each in ("zone", "kind", "name", "type")]
        columns += [Column("wanted", write=_records), Column("found", write=_records), Column("pending")]
        show_rows(differences, columns, format)
        say(outcome.message)
    elif outcome.after.get("records"):
        columns = [Column(each) for each in ("zone", "name", "type")]
        show_rows(outcome.after["records"], [*columns, Column("wanted", write=_records)], format)
        say(outcome.message)
    else:
        show_outcome(outcome, format, dry_run=dry_run)
    if check and differences:
        raise typer.Exit(1)


def _records(records: Mapping[str, Any]) -> str:
    return f"{', '.join(records['data'])} ({records['ttl']} s)" if records else "none"
