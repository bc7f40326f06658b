"""`ads network`: prefixes in address spaces, and how full they are."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from adslib.domain.errors import Failed, NotFound
from adslib.domain.network import Role
from adslib.entrypoints.cli import zones
from adslib.entrypoints.cli.options import DryRun, NetworkName, OutputFormat, network_names, pairs
from adslib.entrypoints.cli.presenting import Column, Format, say, show_outcome, show_rows, show_thing
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Networks: prefixes that addresses and names are given from.", no_args_is_help=True)
app.add_typer(zones.app, name="zone")
app.command("publish")(zones.publish)

Text = str | None
Texts = list[str] | None


def _roles() -> list[str]:
    return list(Role)


Prefix = Annotated[str, typer.Argument(metavar="PREFIX", help="Its addresses, like 10.1.0.0/16 or 2001:db8::/64.")]
NewPrefix = Annotated[
    str, typer.Argument(metavar="PREFIX", help="Like 10.1.0.0/16 or 2001:db8::/64; with --within a length, like /26.")
]
Within = Annotated[
    Text,
    typer.Option(
        metavar="NETWORK", help="Take the first vacant prefix of this container.", autocompletion=network_names
    ),
]
Range = Annotated[str, typer.Argument(metavar="RANGE", help="Like 10.0.0.200-10.0.0.254, a prefix or one address.")]
Space = Annotated[Text, typer.Option(help="Name of the private network; prefixes of different spaces may overlap.")]
Vlan = Annotated[Text, typer.Option(metavar="1-4094", help="VLAN; unique in its data centre.")]
Vxlan = Annotated[Text, typer.Option(metavar="1-16777215", help="VXLAN network identifier.")]
Lan = Annotated[Text, typer.Option(help="Any other attribute of its LAN.")]
Datacenter = Annotated[Text, typer.Option(help="Where it is.")]
Owner = Annotated[Text, typer.Option(help="The end user that it is for.")]
RoleName = Annotated[
    Text,
    typer.Option(
        help="user, reserve (serves when others are full) or container (holds others).", autocompletion=_roles
    ),
]
Gateway = Annotated[Text, typer.Option(metavar="ADDRESS", help="The router; never given out.")]
Resolvers = Annotated[Texts, typer.Option("--resolver", metavar="ADDRESS", help="Name server; repeatable.")]
Mtu = Annotated[Text, typer.Option(metavar="BYTES", help="Largest packet.")]
Zone = Annotated[Text, typer.Option(help="DNS zone of its names, like west.example.com.")]
Pattern = Annotated[
    Text, typer.Option(help="Of generated names: {n}, {service}, {environment}, {datacenter}; default {service}-{n}.")
]
Cooldown = Annotated[Text, typer.Option(metavar="SECONDS", help="How long a released address rests; default 0.")]
Position = Annotated[Text, typer.Option(metavar="NUMBER", help="Among the networks of its VLAN: the lowest is first.")]
Tags = Annotated[Texts, typer.Option("--tag", metavar="KEY=VALUE", help="A tag; repeatable.")]
Tenant = Annotated[Text, typer.Option(help="Whose it is.")]


LISTS = ("resolvers", "held", "tags")


def _said(ctx: typer.Context) -> dict[str, Any]:
    """What the command line says of a network; an empty list of options clears what was there."""
    from adslib.domain.network_reading import SETTABLE

    said = {key: value for key, value in ctx.params.items() if key in SETTABLE and key not in ("name", "prefix")}
    # A list that was not said is empty here; one that clears has an empty text.
    lists = {key: [part for part in said[key] if part] if said.get(key) else None for key in LISTS}
    return {**said, **lists, "tags": pairs(lists["tags"], "tag") if lists["tags"] is not None else None}


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    prefix: NewPrefix,
    within: Within = None,
    space: Space = None,
    vlan: Vlan = None,
    vxlan: Vxlan = None,
    lan: Lan = None,
    datacenter: Datacenter = None,
    owner: Owner = None,
    role: RoleName = None,
    gateway: Gateway = None,
    resolvers: Resolvers = None,
    mtu: Mtu = None,
    zone: Zone = None,
    pattern: Pattern = None,
    cooldown: Cooldown = None,
    position: Position = None,
    held: Annotated[
        Texts, typer.Option("--hold", metavar="RANGE", help="Addresses to hold back, and why; repeatable.")
    ] = None,
    tags: Tags = None,
    tenant: Tenant = None,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Add a network."""
    with opened(ctx) as ads:
        outcome = ads.networks.add({"name": name, "prefix": prefix, "within": within, **_said(ctx)}, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def edit(
    ctx: typer.Context,
    name: NetworkName,
    rename: Annotated[Text, typer.Option(metavar="NAME", help="What to call it from now on.")] = None,
    space: Space = None,
    vlan: Vlan = None,
    vxlan: Vxlan = None,
    lan: Lan = None,
    datacenter: Datacenter = None,
    owner: Owner = None,
    role: RoleName = None,
    gateway: Gateway = None,
    resolvers: Resolvers = None,
    mtu: Mtu = None,
    zone: Zone = None,
    pattern: Pattern = None,
    cooldown: Cooldown = None,
    position: Position = None,
    tags: Tags = None,
    tenant: Tenant = None,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Change what is said of a network.

    What is not said stays as it is, and '' clears it; tags and resolvers that are said replace all that were there.
    """
    with opened(ctx) as ads:
        outcome = ads.networks.edit(name, {"name": rename, **_said(ctx)}, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def remove(ctx: typer.Context, name: NetworkName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Remove a network that nobody has an address or name of."""
    with opened(ctx) as ads:
        outcome = ads.networks.remove(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads network list")
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(
    ctx: typer.Context,
    space: Annotated[Text, typer.Option(help="In this space.")] = None,
    datacenter: Annotated[Text, typer.Option(help="In this data centre.")] = None,
    vlan: Annotated[int | None, typer.Option(metavar="1-4094", help="With this VLAN.")] = None,
    owner: Annotated[Text, typer.Option(help="For this end user.")] = None,
    role: Annotated[Text, typer.Option(help="user, reserve or container.", autocompletion=_roles)] = None,
    zone: Annotated[Text, typer.Option(help="With names in this zone.")] = None,
    tenant: Annotated[Text, typer.Option(help="Of this tenant.")] = None,
    tags: Annotated[list[str], typer.Option("--tag", metavar="KEY=VALUE", help="With this tag; repeatable.")] = [],  # noqa: B006
    format: OutputFormat = Format.TABLE,
) -> None:
    """List the networks, and how full they are."""
    with opened(ctx) as ads:
        rows = ads.networks.list(
            tags=pairs(tags, "tag"),
            space=space,
            datacenter=datacenter,
            vlan=vlan,
            owner=owner,
            role=role,
            zone=zone,
            tenant=tenant,
        )
    columns = [
        Column("name", "network"),
        Column("prefix"),
        Column("space"),
        Column("role"),
        Column("datacenter", "data centre"),
        Column("vlan"),
        Column("owner"),
        Column("zone"),
        Column("size", write=_many),
        Column("free", write=_many),
        USED,
    ]
    show_rows(rows, columns, format, none="There is no such network; add one with: ads network add")


@app.command()
def show(ctx: typer.Context, name: NetworkName, format: OutputFormat = Format.TABLE) -> None:
    """Show a network, how full it is, and what lies within it."""
    with opened(ctx) as ads:
        shown = dict(ads.networks.show(name))
    if format is Format.TABLE:
        shown |= {"used": _share(shown["used"]), **{key: _many(shown[key]) for key in ("size", "free")}}
    show_thing(shown, format)


@app.command()
def split(
    ctx: typer.Context,
    name: NetworkName,
    length: Annotated[int | None, typer.Option(metavar="NUMBER", help="Into equal parts of this length.")] = None,
    at: Annotated[str, typer.Option(metavar="PREFIX", help="Cut this prefix out.")] = "",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Split a network; whoever has addresses keeps them.

    The first part keeps the name, the others are called NAME-2, NAME-3 and so on.
    """
    with opened(ctx) as ads:
        outcome = ads.networks.split(name, length=length, at=at, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def merge(
    ctx: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME NAME…", help="Adjacent networks.", autocompletion=network_names)
    ],
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Join adjacent networks into the first named."""
    with opened(ctx) as ads:
        outcome = ads.networks.merge(names, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def resize(
    ctx: typer.Context,
    name: NetworkName,
    prefix: Prefix,
    gateway: Gateway = None,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Give a network another prefix.

    Whoever has an address of it keeps it; a prefix without one of them is refused. So is one without its gateway,
    unless another is said ('': none), and one without a range that is held back.
    """
    with opened(ctx) as ads:
        outcome = ads.networks.edit(name, {"prefix": prefix, "gateway": gateway}, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def hold(
    ctx: typer.Context,
    name: NetworkName,
    places: Range,
    why: Annotated[str, typer.Option(help="What they are kept for.")] = "",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Hold addresses back.

    Nobody gets them, and whoever has one keeps it.
    """
    with opened(ctx) as ads:
        outcome = ads.networks.hold(name, places, why=why, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def unhold(
    ctx: typer.Context, name: NetworkName, places: Range, dry_run: DryRun = False, format: OutputFormat = Format.TABLE
) -> None:
    """Give addresses out again that were held back."""
    with opened(ctx) as ads:
        outcome = ads.networks.unhold(name, places, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def usage(
    ctx: typer.Context,
    by: Annotated[str, typer.Option(help="network, vlan, owner, datacenter, space or tenant.")] = "network",
    format: OutputFormat = Format.TABLE,
) -> None:
    """Show how full the networks are, together by what they share."""
    with opened(ctx) as ads:
        rows = ads.networks.usage(by)
    columns = [
        Column(by, write=lambda value: str(value or "none")),
        *([Column("networks")] if by != "network" else []),
        *(Column(name, write=_many) for name in ("size", "taken", "resting", "free")),
        USED,
    ]
    show_rows(rows, columns, format, none="There is no network yet; add one with: ads network add")


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; standard output without it.")] = "-",
) -> None:
    """Write the networks as CSV, a line each.

    Importing it as it is changes nothing.
    """
    from adslib.adapters.tables import write_table
    from adslib.domain.network_reading import SETTABLE

    with opened(ctx) as ads:
        rows = ads.networks.export()
    if file == "-":
        write_table(sys.stdout, SETTABLE, rows)
        return
    try:
        with Path(file).open("w", encoding="utf-8", newline="") as stream:
            write_table(stream, SETTABLE, rows)
    except OSError as error:
        raise Failed(f"'{file}' cannot be written: {error.strerror}", remedy="name another file") from None
    say(f"{len(rows)} networks written to {file}")


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV as 'ads network export' writes it; - for input.")],
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Add and change networks as a table has them, all or none.

    A network that is not in the table, and a column that is left out, stay as they are; an empty cell clears. A column
    'within' takes prefixes from containers, as with 'ads network add --within'.
    """
    from adslib.adapters.tables import read_table
    from adslib.domain.network_reading import SETTABLE

    table = read_table(file, (*SETTABLE, "within"))
    with opened(ctx) as ads:
        rows = [{key: _cell(key, value) for key, value in row.items()} for _, row in table]
        outcome = ads.networks.put_all(rows, places=[place for place, _ in table], dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


def _cell(key: str, value: Any) -> Any:
    """What is never empty is not said by an empty cell."""
    return None if value == "" and key in ("prefix", "space", "role", "tenant", "pattern", "within") else value


def _many(number: int) -> str:
    """A number of addresses; one that nobody can read is a power of two."""
    return str(number) if number < 1 << 32 else f"~2^{round(math.log2(number))}"


def _share(percent: float) -> str:
    return f"{percent:g} %"


USED = Column("used", write=_share)
