"""`ads pool`: rules by which the pool grows and shrinks, and what they would do."""

from __future__ import annotations

from typing import Annotated

import typer

from adslib.domain.errors import Failed, NotFound, Problem
from adslib.entrypoints.cli.options import DryRun, OutputFormat, completing, gateway_names
from adslib.entrypoints.cli.presenting import Column, Format, moment, say, show_data, show_outcome, show_rows
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="The pool: spare machines by rule.", no_args_is_help=True)
rules = typer.Typer(help="Rules: how many machines of a size there are to be.", no_args_is_help=True)
app.add_typer(rules, name="rule")

rule_names = completing(lambda ads: (str(each["name"]) for each in ads.pool.rules()))
RuleName = Annotated[str, typer.Argument(metavar="NAME", help="The rule.", autocompletion=rule_names)]


@rules.command()
def add(
    ctx: typer.Context,
    name: RuleName,
    size: Annotated[str, typer.Option(help="Name of a size.")],
    ceiling: Annotated[int, typer.Option(metavar="NUMBER", help="The most machines, those that failed included.")],
    gateway: Annotated[str, typer.Option(help="Only machines of this gateway.", autocompletion=gateway_names)] = "",
    os: Annotated[str, typer.Option(help="Only with this operating system, like debian-12.")] = "",
    location: Annotated[str, typer.Option(help="Only in this location.")] = "",
    spare: Annotated[int, typer.Option(metavar="NUMBER", help="How many are to be free.")] = 0,
    grow_at: Annotated[int, typer.Option(metavar="PERCENT", help="Grow when so many are held; 0: do not.")] = 0,
    floor: Annotated[int, typer.Option(metavar="NUMBER", help="The least machines.")] = 0,
    shrink_after: Annotated[
        str, typer.Option(metavar="TIME", help="Delete one too many when it is idle so long, like 2h; 0s: never.")
    ] = "0s",
    cooldown: Annotated[
        str, typer.Option(metavar="TIME", help="Time between two changes by this rule, like 10m.")
    ] = "0s",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Add a rule, or say it anew."""
    from adslib.domain.moments import span_of
    from adslib.domain.pool_rule import PoolRule

    rule = PoolRule(
        name=name,
        size=size,
        ceiling=ceiling,
        gateway=gateway,
        os=os,
        location=location,
        spare=spare,
        grow_at=grow_at,
        floor=floor,
        shrink_after=int(span_of(shrink_after, "--shrink-after").total_seconds()),
        cooldown=int(span_of(cooldown, "--cooldown").total_seconds()),
    )
    with opened(ctx) as ads:
        outcome = ads.pool.add_rule(rule, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@rules.command()
def remove(ctx: typer.Context, name: RuleName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Forget a rule; its machines stay in the pool."""
    with opened(ctx) as ads:
        outcome = ads.pool.remove_rule(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads pool rule list")
    show_outcome(outcome, format, dry_run=dry_run)


@rules.command("list")
def list_(ctx: typer.Context, format: OutputFormat = Format.TABLE) -> None:
    """List the rules, and how many machines each counts."""
    with opened(ctx) as ads:
        rows = ads.pool.rules()
    names = ("size", "gateway", "os", "location", "floor", "spare", "grow_at", "ceiling", "shrink_after", "cooldown")
    columns = [Column("name", "rule"), *(Column(each, each.replace("_", " ")) for each in names)]
    show_rows(rows, [*columns, *map(Column, ("machines", "held", "free"))], format)


@app.command()
def plan(ctx: typer.Context, format: OutputFormat = Format.TABLE) -> None:
    """Show what the rules would do now, and why."""
    with opened(ctx) as ads:
        outcome = ads.pool.apply(dry_run=True)
    data = {key: value for key, value in outcome.after.items() if key != "failed"}
    if format is not Format.TABLE:
        show_data(data, format)
        return
    columns = [Column("verb", "action"), *map(Column, ("machine", "gateway", "rule", "reason"))]
    show_rows(data["actions"], columns, format, none="nothing to do")
    for each in data["waiting"]:
        say(f"rule '{each['rule']}' waits: {each['reason']}")
    if data["look_again_at"]:
        say(f"look again at {moment(data['look_again_at'])}")


@app.command()
def apply(ctx: typer.Context, dry_run: DryRun = False, format: OutputFormat = Format.TABLE) -> None:
    """Make spare machines and delete idle ones, by rule.

    What an interrupted run left is ended first. The exit code is 1 if something failed.
    """
    with opened(ctx) as ads:
        outcome = ads.pool.apply(dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)
    problems = [Problem(cause, f"machine '{name}'") for name, cause in outcome.after["failed"].items()]
    if problems:
        raise Failed(problems=problems)
