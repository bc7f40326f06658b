"""`ads job`: what was carried out, and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adslib.domain.errors import Invalid, NotFound
from adslib.entrypoints.cli.options import JobId, OutputFormat, environment_names
from adslib.entrypoints.cli.presenting import Column, Format, moment, show_data, show_outcome, show_rows, show_thing
from adslib.entrypoints.cli.session import opened

app = typer.Typer(help="Jobs: what is carried out, or was; its log.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    environment: Annotated[
        str, typer.Option(help="Of this environment, also a deleted one.", autocompletion=environment_names)
    ] = "",
    state: Annotated[str, typer.Option(help="In this state.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    format: OutputFormat = Format.TABLE,
) -> None:
    """List the jobs, newest first."""
    from adslib.domain.lifecycle import JobState

    known = [str(each) for each in JobState]
    if state and state not in known:
        raise Invalid(f"'{state}' is no state of a job", place="--state", remedy=f"use {', '.join(known)}")
    with opened(ctx) as ads:
        rows = ads.jobs.list(environment=environment, state=state, limit=limit)
    columns = [
        Column("job"),
        Column("environment"),
        Column("kind"),
        Column("state"),
        Column("step"),
        Column("actor", "by"),
        Column("created", "began", moment),
        Column("finished", "ended", moment),
    ]
    show_rows(rows, columns, format, none="There is no such job.")


@app.command()
def show(ctx: typer.Context, job: JobId, format: OutputFormat = Format.TABLE) -> None:
    """Show a job: what it did, and what failed."""
    with opened(ctx) as ads:
        shown = ads.jobs.show(job)
    if format is not Format.TABLE:
        show_data(shown, format)
        return
    keys = [key for key in shown if key not in ("plan", "failures")]
    show_thing({**shown, "options": {k: v for k, v in shown["options"].items() if v}}, format, keys=keys)
    for instance, cause in shown["failures"].items():
        print(f"  {instance}: {cause}")
    print("plan".ljust(10), ", ".join(f"{n} to {verb}" for verb, n in shown["plan"]["counts"].items()) or "nothing new")


@app.command()
def cancel(ctx: typer.Context, job: JobId, format: OutputFormat = Format.TABLE) -> None:
    """End a job that is at work.

    Its environment falls to what the lifecycle says.
    """
    with opened(ctx) as ads:
        outcome = ads.jobs.cancel(job)
    show_outcome(outcome, format)


@app.command()
def log(
    ctx: typer.Context,
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
) -> None:
    """Write what the playbook of a job said."""
    import time

    with opened(ctx) as ads:
        shown = ads.jobs.show(job)
        path = Path(str(shown["artifacts"])) / "stdout"
        if not shown["artifacts"] or not (path.is_file() or (follow and shown["state"] == "running")):
            where = f"there is no output of job {job} on this host"
            raise NotFound(where, remedy="it was run by hand, or elsewhere; look at: ads event list")
        at = 0
        while True:
            ended = not follow or ads.jobs.show(job)["state"] not in ("running", "queued")
            if path.is_file():
                with path.open(encoding="utf-8", errors="replace") as stream:
                    stream.seek(at)
                    typer.echo(stream.read(), nl=False)
                    at = stream.tell()
            if ended:
                return
            time.sleep(0.5)
