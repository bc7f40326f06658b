"""`ads gateway`: where machines come from."""

from __future__ import annotations

from typing import Annotated

import typer

from adslib.domain.errors import NotFound
from adslib.entrypoints.cli.options import DryRun, GatewayName, MachineName, OutputFormat, pairs
from adslib.entrypoints.cli.presenting import Column, Format, show_outcome, show_rows, show_thing
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Gateways: where machines come from.", no_args_is_help=True)
templates = typer.Typer(help="Instance templates: what a gateway makes machines from.", no_args_is_help=True)
app.add_typer(templates, name="template")

TemplateName = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Name of the instance template.")]


def _kinds() -> list[str]:
    from adslib.adapters.gateways import KINDS

    return sorted(KINDS)


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    kind: Annotated[
        str, typer.Option(help="Which connector: local, lxc, libvirt, proxmox, libcloud, …", autocompletion=_kinds)
    ],
    option: Annotated[
        list[str], typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the connector; repeatable.")
    ] = [],  # noqa: B006
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Add a gateway, or give one that has no machines other options."""
    with opened(ctx) as ads:
        outcome = ads.gateways.add(name, kind, pairs(option, "option"), dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def remove(ctx: typer.Context, name: GatewayName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Forget a gateway that has no machines."""
    with opened(ctx) as ads:
        outcome = ads.gateways.remove(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads gateway list")
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(ctx: typer.Context, format: OutputFormat = Format.TABLE) -> None:
    """List the gateways, what they can do, and whether they answer."""
    with opened(ctx) as ads:
        rows = ads.gateways.list()
    columns = [
        Column("name", "gateway"),
        Column("kind"),
        Column("reachable"),
        Column("machines"),
        Column("room", write=lambda room: "any" if room is None else str(room)),
        Column("sizes"),
        Column("systems"),
        Column("capabilities"),
        Column("reason"),
    ]
    show_rows(rows, columns, format)


@app.command()
def show(ctx: typer.Context, name: GatewayName, format: OutputFormat = Format.TABLE) -> None:
    """Show a gateway."""
    with opened(ctx) as ads:
        shown = ads.gateways.show(name)
    show_thing(shown, format)


@app.command()
def sizes(ctx: typer.Context, name: GatewayName, format: OutputFormat = Format.TABLE) -> None:
    """List the sizes of machines that a gateway makes."""
    with opened(ctx) as ads:
        rows = ads.gateways.sizes(name)
    columns = [
        Column("name", "size"),
        Column("cpu", "cores"),
        Column("memory", "MiB"),
        Column("disk", "GiB"),
        Column("cost", "an hour"),
    ]
    show_rows(rows, columns, format, none="It makes no machines.")


@templates.command("list")
def list_templates(ctx: typer.Context, name: GatewayName, format: OutputFormat = Format.TABLE) -> None:
    """List the instance templates of a gateway."""
    with opened(ctx) as ads:
        rows = ads.gateways.templates(name)
    show_rows(rows, [Column("name", "template"), Column("os"), Column("size_bytes", "bytes")], format)


@templates.command("create")
def create_template(
    ctx: typer.Context,
    machine: MachineName,
    template: TemplateName,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Make an instance template of a machine, at its gateway."""
    with opened(ctx) as ads:
        outcome = ads.gateways.create_template(machine, template, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@templates.command("upload")
def upload_template(
    ctx: typer.Context,
    name: GatewayName,
    template: TemplateName,
    file: Annotated[str, typer.Argument(metavar="FILE", help="File on this host.")],
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Give a gateway an instance template."""
    with opened(ctx) as ads:
        outcome = ads.gateways.upload_template(name, template, file, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@templates.command("delete")
def delete_template(
    ctx: typer.Context,
    name: GatewayName,
    template: TemplateName,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Remove an instance template from a gateway."""
    with opened(ctx) as ads:
        outcome = ads.gateways.delete_template(name, template, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy=f"list them with: ads gateway template list {name}")
    show_outcome(outcome, format, dry_run=dry_run)
