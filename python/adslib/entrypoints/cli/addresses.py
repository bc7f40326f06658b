"""`ads address`: who has which address and name; asking for them and giving them back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from adslib.domain.errors import Invalid
from adslib.domain.moments import moment_of
from adslib.entrypoints.cli.options import (
    DryRun,
    NetworkName,
    OutputFormat,
    environment_names,
    machine_names,
    network_names,
)
from adslib.entrypoints.cli.presenting import Column, Format, moment, show_outcome, show_rows, show_thing
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Addresses and names: who has them, since when and why.", no_args_is_help=True)

Space = Annotated[str, typer.Option(help="The address space.")]
Network = Annotated[str | None, typer.Option(help="Of this network.", autocompletion=network_names)]
Service = Annotated[str | None, typer.Option(help="Of this service.")]
Environment = Annotated[str | None, typer.Option(help="Of this environment.", autocompletion=environment_names)]
Machine = Annotated[str | None, typer.Option(help="Of this machine.", autocompletion=machine_names)]

GIVEN = [
    Column("address"),
    Column("name"),
    Column("network"),
    Column("service"),
    Column("environment"),
    Column("machine"),
    Column("given", write=moment),
]
COLUMNS = [*GIVEN, Column("why"), Column("id", "allocation")]


@app.command()
def allocate(
    ctx: typer.Context,
    vlan: Annotated[str | None, typer.Option(metavar="1-4094", help="In this VLAN.")] = None,
    datacenter: Annotated[str | None, typer.Option(help="The data centre of the VLAN.")] = None,
    network: Annotated[str | None, typer.Option(help="In this network.", autocompletion=network_names)] = None,
    space: Annotated[str | None, typer.Option(help="In any network of this space.")] = None,
    count: Annotated[str | None, typer.Option(metavar="NUMBER", help="How many; default 1.")] = None,
    address: Annotated[
        bool | None, typer.Option("--address/--no-address", help="Addresses; asked for without being said.")
    ] = None,
    name: Annotated[bool | None, typer.Option("--name/--no-name", help="Names in the zone of the network.")] = None,
    addresses: Annotated[
        list[str] | None, typer.Option("--want", metavar="ADDRESS", help="This one and no other; repeatable.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--want-name", metavar="NAME", help="This one, without its zone; repeatable.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(metavar="4|6", help="Of the addresses; default 4, or 6 if no network there gives 4.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="For which service; a word of the names.")] = None,
    environment: Annotated[
        str | None, typer.Option(help="For which environment.", autocompletion=environment_names)
    ] = None,
    machine: Annotated[str | None, typer.Option(help="For which machine.", autocompletion=machine_names)] = None,
    why: Annotated[str | None, typer.Option(help="What for, in words.")] = None,
    key: Annotated[str | None, typer.Option(help="Asked again with the same key, it gives the same answer.")] = None,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Ask for addresses, names, or both, and get all of them or none.

    Where a VLAN's first network is full, its others serve, then those of the same end user, then the reserve.
    """
    from adslib.domain.assignment_reading import ASKED, read_request

    # A list that was not said is empty here.
    request = read_request({key: ctx.params[key] or None if key in LISTS else ctx.params[key] for key in ASKED})
    with opened(ctx) as ads:
        outcome = ads.addresses.allocate(request, dry_run=dry_run)
    if format is Format.TABLE:
        columns = [Column("address"), Column("name"), *(Column(key) for key in ("network", "prefix", "gateway"))]
        show_rows(outcome.after["addresses"], [*columns, Column("link", "served by"), COLUMNS[-1]], format)
        print()
    show_outcome(outcome, format, dry_run=dry_run)


LISTS = ("addresses", "names")


@app.command()
def release(
    ctx: typer.Context,
    allocations: Annotated[
        list[str] | None, typer.Argument(metavar="[ALLOCATION…]", help="As 'allocate' and 'list' name them.")
    ] = None,
    machine: Annotated[str | None, typer.Option(help="All of this machine.", autocompletion=machine_names)] = None,
    environment: Annotated[
        str | None, typer.Option(help="All of this environment.", autocompletion=environment_names)
    ] = None,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Give allocations back; all or none.

    An address alone is not enough: it may have been given to somebody else meanwhile.
    """
    if bool(allocations) == bool(machine or environment):
        raise Invalid("say once what to release", remedy="name allocations, or --machine, or --environment")
    with opened(ctx) as ads:
        held = [] if allocations else ads.addresses.list(machine=machine, environment=environment)
        ids = allocations or [str(row["id"]) for row in held]
        outcome = ads.addresses.release(ids, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(
    ctx: typer.Context,
    network: Network = None,
    space: Annotated[str | None, typer.Option(help="In this space.")] = None,
    datacenter: Annotated[str | None, typer.Option(help="In networks of this data centre.")] = None,
    vlan: Annotated[int | None, typer.Option(metavar="1-4094", help="In networks of this VLAN.")] = None,
    owner: Annotated[str | None, typer.Option(help="In networks of this end user.")] = None,
    service: Service = None,
    environment: Environment = None,
    machine: Machine = None,
    limit: Annotated[int | None, typer.Option(metavar="NUMBER", help="At most so many.")] = None,
    format: OutputFormat = Format.TABLE,
) -> None:
    """List who has which address and name."""
    with opened(ctx) as ads:
        rows = ads.addresses.list(
            limit=limit,
            network=network,
            space=space,
            datacenter=datacenter,
            vlan=vlan,
            owner=owner,
            service=service,
            environment=environment,
            machine=machine,
        )
    show_rows(rows, COLUMNS, format, none="Nobody has such an address or name.")


@app.command()
def show(
    ctx: typer.Context,
    thing: Annotated[str, typer.Argument(metavar="ADDRESS|NAME|ALLOCATION", help="An address, a name with its zone.")],
    space: Space = "default",
    format: OutputFormat = Format.TABLE,
) -> None:
    """Show who has an address or a name, since when and why."""
    with opened(ctx) as ads:
        shown = dict(ads.addresses.show(thing, space=space))
    if format is Format.TABLE:
        shown |= {key: moment(shown[key]) for key in ("given", "seen")}
    show_thing(shown, format)


@app.command()
def history(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address.")],
    space: Space = "default",
    format: OutputFormat = Format.TABLE,
) -> None:
    """Show who has and who had an address, the last one first."""
    with opened(ctx) as ads:
        rows = ads.addresses.history(address, space=space)
    columns = [*GIVEN[1:-1], Column("given", write=moment), Column("by", "given by"), Column("released", write=moment)]
    columns += [Column("released_by", "released by"), COLUMNS[-1]]
    show_rows(rows, columns, format, none=f"Nobody ever had {address} in space '{space}'.")


@app.command()
def free(
    ctx: typer.Context,
    name: NetworkName,
    count: Annotated[int, typer.Option(metavar="NUMBER", help="Addresses to name, at most.")] = 10,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Show the lowest free addresses of a network.

    Nobody takes them by this.
    """
    with opened(ctx) as ads:
        found = ads.addresses.free(name, count=count)
    show_thing(found, format, keys=[] if format is not Format.TABLE else ["network", "prefix", "free", "addresses"])


@app.command()
def seen(
    ctx: typer.Context,
    things: Annotated[list[str], typer.Argument(metavar="ADDRESS|NAME|ALLOCATION…", help="What answered.")],
    space: Space = "default",
    format: OutputFormat = Format.TABLE,
) -> None:
    """Note what was seen in use just now, as by a probe.

    Deployments and their tests do so by themselves. What answers and nobody has is told.
    """
    with opened(ctx) as ads:
        outcome = ads.addresses.saw(things, space=space)
    show_outcome(outcome, format)


@app.command()
def unused(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(metavar="TIME", help="Not seen from then on: 2h, 7d (ago), 2026-05-01.")] = "7d",
    network: Network = None,
    environment: Environment = None,
    format: OutputFormat = Format.TABLE,
) -> None:
    """List what is merely assigned.

    It was given before a time, and has not been seen in use since then.
    """
    moment_ = moment_of(since, datetime.now(UTC).astimezone(), "--since")
    with opened(ctx) as ads:
        rows = ads.addresses.list(unseen_since=moment_, network=network, environment=environment)
    columns = [*GIVEN, Column("seen", write=_seen), COLUMNS[-1]]
    show_rows(rows, columns, format, none="Everything that was given before was seen since.")


@app.command()
def reconcile(
    ctx: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Release the former, and record the latter.")] = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Find what networks and machines say of each other that differs.

    What is held for machines that are gone, or was recorded for those that have another address by now, and addresses
    of machines that nobody recorded; those that somebody else has, or that are not given out, are shown and left alone.
    What somebody asked for by hand, for a machine that is not in the pool or an environment that is not there, is shown
    as elsewhere and left alone, too.
    """
    with opened(ctx) as ads:
        outcome = ads.addresses.reconcile(repair=repair)
    if format is Format.TABLE:
        columns = [Column(key) for key in ("machine", "address", "network", "environment")]
        for title in ("gone", "unknown", "elsewhere"):
            if rows := outcome.before[title]:
                shown = [Column("is"), *columns, Column("holder"), Column("closed", "not given out")]
                show_rows([{**row, "is": title} for row in rows], shown, format)
                print()
    show_outcome(outcome, format)


def _seen(value: Any) -> str:
    return moment(value) or "never"
