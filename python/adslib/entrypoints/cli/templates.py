"""`ads template`: definitions with open parts."""

from __future__ import annotations

from typing import Annotated

import typer

from adslib.domain.errors import Invalid, NotFound
from adslib.entrypoints.cli.options import DryRun, OutputFormat, TemplateName, environment_names
from adslib.entrypoints.cli.presenting import Column, Format, moment, show_data, show_outcome, show_rows, show_thing
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Templates: definitions that leave parts to their user.", no_args_is_help=True)

Open = Annotated[
    list[str],
    typer.Option(
        "--open", metavar="PATH", help="What the user may fill: pods/*, services/media/instances; repeatable."
    ),
]
Description = Annotated[str, typer.Option(help="What it is for.")]


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="The document; open parts may be left empty.")] = "",
    open: Open = [],  # noqa: A002, B006
    environment: Annotated[
        str, typer.Option(metavar="NAME", help="Save this environment's definition.", autocompletion=environment_names)
    ] = "",
    description: Description = "",
    replace: Annotated[bool, typer.Option("--replace", help="Change the template if it is there.")] = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Create a template from a document, or save an environment as one."""
    from adslib.adapters import documents

    if bool(file) == bool(environment):
        raise Invalid("a template is made of one thing", remedy="name a FILE, or an environment with --environment")
    with opened(ctx) as ads:
        if environment:
            outcome = ads.templates.save_as(
                environment, name, open_paths=open, description=description, replace=replace, dry_run=dry_run
            )
        else:
            make = ads.templates.define if replace else ads.templates.create
            draft = documents.collect(file)
            outcome = make(name, draft, open_paths=open, description=description, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(ctx: typer.Context, format: OutputFormat = Format.TABLE) -> None:
    """List the templates."""
    with opened(ctx) as ads:
        rows = ads.templates.list()
    columns = [Column("name", "template"), Column("open"), Column("created", write=moment), Column("description")]
    show_rows(rows, columns, format, none="There is no template yet; make one with: ads template create")


@app.command()
def show(ctx: typer.Context, name: TemplateName, format: OutputFormat = Format.TABLE) -> None:
    """Show a template: what it leaves open, and its document."""
    from adslib.adapters import documents

    with opened(ctx) as ads:
        shown = ads.templates.show(name)
        used_by = ads.templates.used_by(name)
    if format is not Format.TABLE:
        show_data({**shown, "used_by": used_by}, format)
        return
    show_thing({**shown, "used_by": used_by}, format, keys=[*(key for key in shown if key != "tree"), "used_by"])
    print(f"\n{documents.dump_yaml(shown['tree'])}", end="")


@app.command()
def delete(
    ctx: typer.Context, name: TemplateName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE
) -> None:
    """Remove a template; environments made from it stay."""
    with opened(ctx) as ads:
        outcome = ads.templates.delete(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads template list")
    show_outcome(outcome, format, dry_run=dry_run)
