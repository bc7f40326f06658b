"""`ads machine`: the pool, its machines, and what their gateways can do."""

from __future__ import annotations

from typing import Annotated

import typer

from adslib.domain.errors import Failed, Invalid, NotFound, Problem
from adslib.entrypoints.cli import snapshots
from adslib.entrypoints.cli.options import DryRun, GatewayName, MachineName, OutputFormat, gateway_names, pairs
from adslib.entrypoints.cli.presenting import (
    Column,
    Format,
    show_data,
    show_outcome,
    show_rows,
    show_thing,
    table,
)
from adslib.entrypoints.cli.session import opened
from adslib.entrypoints.cli.trees import MACHINE_COLUMNS

app = typer.Typer(help="Machines: the pool.", no_args_is_help=True)
app.add_typer(snapshots.app, name="snapshot")

Text = str | None
Trusting = Annotated[
    bool, typer.Option("--trust-first-contact", help="Ask for the host key now, and believe what is shown.")
]


@app.command()
def add(
    ctx: typer.Context,
    name: MachineName,
    address: Annotated[Text, typer.Option(help="Host name or IP address.")] = None,
    size: Annotated[Text, typer.Option(help="Name of a size.")] = None,
    os: Annotated[Text, typer.Option(help="Operating system, like debian-12.")] = None,
    location: Annotated[Text, typer.Option(help="Where it stands, like us-west.")] = None,
    user: Annotated[Text, typer.Option(help="Login name; default: Ansible's.")] = None,
    port: Annotated[int | None, typer.Option(metavar="NUMBER", help="TCP port of SSH.")] = None,
    key: Annotated[Text, typer.Option(metavar="FILE", help="Private key file on this host.")] = None,
    become: Annotated[
        Text, typer.Option(metavar="METHOD", help="How to become root: sudo, su, doas; '' for no.")
    ] = None,
    kind: Annotated[Text, typer.Option(help="container, vm, metal or process.")] = None,
    gateway: Annotated[Text, typer.Option(help="Whose machine it is.", autocompletion=gateway_names)] = None,
    python: Annotated[Text, typer.Option(metavar="PATH", help="Python there; default: Ansible finds it.")] = None,
    connection: Annotated[Text, typer.Option(help="ssh or local.")] = None,
    root: Annotated[
        Text, typer.Option(metavar="DIR", help="Directory that is its file system, for local ones.")
    ] = None,
    label: Annotated[list[str], typer.Option(metavar="KEY=VALUE", help="A label; repeatable.")] = [],  # noqa: B006
    var: Annotated[
        list[str], typer.Option(metavar="KEY=VALUE", help="A further ansible_… connection variable; repeatable.")
    ] = [],  # noqa: B006
    capability: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="What roles may use there: packages, systemd, or none; default: both."),
    ] = [],  # noqa: B006
    host_key: Annotated[str, typer.Option(metavar="KEY|FILE", help="Its public SSH host key.")] = "",
    trust_first_contact: Trusting = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Add a machine by hand, or change one that is there.

    What is not said stays as it is.
    """
    from adslib.usecases.machine_spec import MachineSpec

    chosen = frozenset(word for words in capability for word in words.split(",")) - {"none"} if capability else None
    spec = MachineSpec(
        name=name,
        address=address,
        size=size,
        os=os,
        location=location,
        user=user,
        port=port,
        key=key,
        become=become,
        kind=kind,
        gateway=gateway,
        python=python,
        connection=connection,
        root=root,
        labels=pairs(label, "label") if label else None,
        variables=pairs(var, "var") if var else None,
        capabilities=chosen,
    )
    with opened(ctx) as ads:
        outcome = ads.machines.add(spec, host_key=host_key, trust_first_contact=trust_first_contact, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("import")
def import_(
    ctx: typer.Context,
    inventory: Annotated[str, typer.Option("--inventory", "-i", metavar="PATH", help="File or directory.")],
    size: Annotated[str, typer.Option(help="Size of those whose variable does not say it.")] = "",
    os: Annotated[str, typer.Option(help="Operating system of those whose variable does not say it.")] = "",
    location: Annotated[str, typer.Option(help="Location of those whose variable does not say it.")] = "",
    size_var: Annotated[str, typer.Option(metavar="NAME", help="Variable of each host that says its size.")] = "",
    os_var: Annotated[str, typer.Option(metavar="NAME", help="Variable that says its operating system.")] = "",
    location_var: Annotated[str, typer.Option(metavar="NAME", help="Variable that says its location.")] = "",
    gateway: Annotated[str, typer.Option(help="Whose machines they become.")] = "static",
    trust_first_contact: Trusting = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Take the hosts of an Ansible inventory in.

    All or none; those that are there are changed. Plain secrets are refused.
    """
    with opened(ctx) as ads:
        outcome = ads.machines.import_inventory(
            inventory,
            size=size,
            os=os,
            location=location,
            size_var=size_var,
            os_var=os_var,
            location_var=location_var,
            gateway=gateway,
            trust_first_contact=trust_first_contact,
            dry_run=dry_run,
        )
    if format is Format.TABLE and dry_run:
        show_rows(outcome.after["machines"], MACHINE_COLUMNS, format)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def remove(ctx: typer.Context, name: MachineName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Take a machine out of the pool.

    One that ads made is deleted at its gateway.
    """
    with opened(ctx) as ads:
        outcome = ads.machines.remove(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads machine list")
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def release(
    ctx: typer.Context, name: MachineName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE
) -> None:
    """Hand a machine out again that was kept back.

    One in quarantine is looked at first, and stays there if it still fails; one that was found is for anybody then.
    """
    with opened(ctx) as ads:
        outcome = ads.machines.release(name, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def refresh(
    ctx: typer.Context,
    gateway: Annotated[str, typer.Option(help="This one only.", autocompletion=gateway_names)] = "",
    due: Annotated[bool, typer.Option("--due", help="Only those whose time has come, by their refresh_every.")] = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Look what happened at the gateways.

    Machines that appeared, changed or vanished are written down. A gateway that does not answer does not stop the
    others; the exit code is 1 then.
    """
    with opened(ctx) as ads:
        outcome = ads.machines.refresh(gateway, due=due, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)
    problems = [
        Problem(each["failure"], f"gateway {each['gateway']}") for each in outcome.after["gateways"] if each["failure"]
    ]
    if problems:
        raise Failed(problems=problems)


@app.command()
def notify(
    ctx: typer.Context,
    gateway: GatewayName,
    ref: Annotated[str, typer.Argument(metavar="REF", help="What the gateway calls the machine.")],
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Look at one machine that changed at its gateway."""
    with opened(ctx) as ads:
        outcome = ads.machines.notify(gateway, ref, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(
    ctx: typer.Context,
    gateway: Annotated[str, typer.Option(help="Of this gateway.", autocompletion=gateway_names)] = "",
    location: Annotated[str, typer.Option(help="In this location.")] = "",
    state: Annotated[str, typer.Option(help="In this state.")] = "",
    os: Annotated[str, typer.Option(help="With this operating system: debian finds debian-12 too.")] = "",
    size: Annotated[str, typer.Option(help="Of this size.")] = "",
    holder: Annotated[str, typer.Option(help="Held by this environment.")] = "",
    availability: Annotated[str, typer.Option(help="available, 'partly available', 'on request', quarantined, …")] = "",
    free: Annotated[bool, typer.Option("--free", help="Held by nobody.")] = False,
    held: Annotated[bool, typer.Option("--held", help="Held by somebody.")] = False,
    text: Annotated[str, typer.Option(help="A part of the name, address or a label.")] = "",
    format: OutputFormat = Format.TABLE,
) -> None:
    """List the machines of the pool."""
    if free and held:
        raise Invalid("a machine is not both free and held", place="--free --held", remedy="give one of them")
    with opened(ctx) as ads:
        rows = ads.machines.list(
            gateway=gateway,
            location=location,
            state=state,
            os=os,
            size=size,
            holder=holder,
            availability=availability,
            free=True if free else False if held else None,
            text=text,
        )
    show_rows(rows, MACHINE_COLUMNS, format, none="There is no such machine; add one with: ads machine add")


@app.command()
def show(ctx: typer.Context, name: MachineName, format: OutputFormat = Format.TABLE) -> None:
    """Show a machine and what stands on it."""
    with opened(ctx) as ads:
        shown = ads.machines.show(name)
    if format is not Format.TABLE:
        show_data(shown, format)
        return
    show_thing(shown, format, keys=[key for key in shown if key != "instances"])
    if shown["instances"]:
        print()
        show_rows(shown["instances"], [Column("instance"), Column("service"), Column("version")], format)


@app.command()
def summary(ctx: typer.Context, format: OutputFormat = Format.TABLE) -> None:
    """Show the pool in numbers."""
    with opened(ctx) as ads:
        numbers = ads.machines.summary()
    if format is not Format.TABLE:
        show_data(numbers, format)
        return
    table(
        ["machines", *numbers["availability"]],
        [[str(numbers["machines"]), *map(str, numbers["availability"].values())]],
    )
    for key, names in (("sizes", ("size", "location")), ("systems", ("os",)), ("gateways", ("gateway",))):
        if numbers[key]:
            print()
            show_rows(
                numbers[key],
                [Column(name) for name in (*names, "machines", "free", "held", "partly", "quarantined")],
                format,
            )


@app.command()
def start(ctx: typer.Context, name: MachineName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Start a machine."""
    with opened(ctx) as ads:
        outcome = ads.machines.start(name, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def stop(ctx: typer.Context, name: MachineName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Shut a machine down."""
    with opened(ctx) as ads:
        outcome = ads.machines.stop(name, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def reboot(ctx: typer.Context, name: MachineName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Shut a machine down and start it again."""
    with opened(ctx) as ads:
        outcome = ads.machines.reboot(name, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)
