"""`ads environment plan|deploy|test|go-live|stop|start|undeploy`: the verbs that look at or change what stands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adslib.domain.errors import Failed, Invalid
from adslib.entrypoints.cli.definitions import DocumentFile, proposed
from adslib.entrypoints.cli.options import DryRun, EnvironmentName, OutputFormat, Parameters, pairs
from adslib.entrypoints.cli.presenting import Format, say, show_data, show_outcome
from adslib.entrypoints.cli.session import opened

if TYPE_CHECKING:
    from adslib.usecases.ads import Ads
    from adslib.usecases.outcome import Outcome

BLOCKED = 3

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the result of every task.")]
Hold = Annotated[bool, typer.Option("--hold", help="Stay ready; do not go live.")]

Abandon = Annotated[
    bool,
    typer.Option("--abandon", help="Give up returned machines that cannot be cleaned; nobody is handed them."),
]
Patience = Annotated[
    int | None,
    typer.Option(
        "--patience", metavar="SECONDS", help="How long to wait for each machine that does not answer; default: 300."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to a noun."""
    for name, verb in VERBS.items():
        app.command(name)(verb)


def plan(
    ctx: typer.Context,
    name: EnvironmentName,
    file: DocumentFile = "",
    parameter: Parameters = [],  # noqa: B006
    save: Annotated[bool, typer.Option("--save", help="Keep the plan, to be deployed by its id.")] = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Show what a deployment would do, and why.

    It shows what would be created, changed, moved and removed. With FILE, or with other parameters, it shows what an
    edit would lead to, also of an environment that does not exist yet. It compares definitions: what the files of the
    project hold is compared when it is deployed. Exit code 3: something is missing.
    """
    from adslib.entrypoints.cli.planning import show_plan

    given = pairs(parameter, "parameter")
    with opened(ctx) as ads:
        document = proposed(ads, name, file, given) if file or given else None
        made = ads.environments.plan(name, document, save=save)
        problems = ads.running.role_problems(name, document)
    if format is Format.TABLE:
        show_plan(made)
        if save and not made.blocked:
            say(f"Saved; carry it out with: ads environment deploy {name} --plan {made.id}")
    else:
        show_data({**made.as_data(), "missing_roles": [str(problem) for problem in problems]}, format)
    if problems:
        raise Invalid(problems=problems)
    if made.blocked:
        raise typer.Exit(BLOCKED)


def deploy(
    ctx: typer.Context,
    name: EnvironmentName,
    hold: Hold = False,
    everything: Annotated[bool, typer.Option("--all", help="Look at every instance, even if nothing differs.")] = False,
    abandon: Abandon = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Delete machines at once that were made and cannot be used.")
    ] = False,
    plan: Annotated[str, typer.Option(metavar="ID", help="Carry out this saved plan, if it still holds.")] = "",
    patience: Patience = None,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Deploy, test, and go live if the tests pass.

    Only what differs from what stands is changed. Ctrl-C ends it cleanly; the same command goes on.
    """
    with opened(ctx) as ads:
        _carry(
            ads, name, "deploy", verbose, format,
            lambda **run: ads.running.deploy(
                name, hold=hold, everything=everything, abandon=abandon, discard=discard, plan=plan,
                patience=patience, dry_run=dry_run, **run
            ),
        )  # fmt: skip


def undeploy(
    ctx: typer.Context,
    name: EnvironmentName,
    abandon: Abandon = False,
    patience: Patience = None,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Remove what stands, and return every machine."""
    with opened(ctx) as ads:
        _carry(
            ads, name, "undeploy", verbose, format,
            lambda **run: ads.running.undeploy(name, abandon=abandon, patience=patience, dry_run=dry_run, **run),
        )  # fmt: skip


def run_tests(
    ctx: typer.Context,
    name: EnvironmentName,
    patience: Patience = None,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Run the tests again."""
    with opened(ctx) as ads:
        _carry(
            ads, name, "test", verbose, format,
            lambda **run: ads.running.test(name, patience=patience, dry_run=dry_run, **run),
        )  # fmt: skip


def stop(
    ctx: typer.Context,
    name: EnvironmentName,
    patience: Patience = None,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Shut down the machines that ads made; they keep what they have.

    Machines that were added by hand stay ready, and what runs on them goes on.
    """
    with opened(ctx) as ads:
        _carry(
            ads, name, "stop", verbose, format,
            lambda **run: ads.running.stop(name, patience=patience, dry_run=dry_run, **run),
        )  # fmt: skip


def start(
    ctx: typer.Context,
    name: EnvironmentName,
    hold: Hold = False,
    patience: Patience = None,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Start again, test, and go live if the tests pass."""
    with opened(ctx) as ads:
        _carry(
            ads, name, "start", verbose, format,
            lambda **run: ads.running.start(name, hold=hold, patience=patience, dry_run=dry_run, **run),
        )  # fmt: skip


def go_live(
    ctx: typer.Context,
    name: EnvironmentName,
    despite: Annotated[
        str,
        typer.Option("--despite-failed-tests", metavar="REASON", help="Do so in spite of failed tests; kept with it."),
    ] = "",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Let a ready environment go live."""
    with opened(ctx) as ads:
        outcome = ads.environments.go_live(name, despite=despite, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


VERBS: Mapping[str, Callable[..., None]] = {
    "plan": plan,
    "deploy": deploy,
    "test": run_tests,
    "go-live": go_live,
    "stop": stop,
    "start": start,
    "undeploy": undeploy,
}


def _carry(ads: Ads, name: str, verb: str, verbose: bool, format: Format, run: Callable[..., Outcome]) -> None:
    """Carry a job out with its progress on the screen, then show how the environment stands."""
    from adslib.entrypoints.cli.interrupting import Interrupts
    from adslib.entrypoints.cli.progress import progress

    with Interrupts(lambda: ads.running.kill(name)) as interrupts, progress(verb, name, verbose) as on_event:
        outcome = run(on_event=on_event, cancelled=interrupts.wished)
    if outcome.job == "":
        _show_preview(outcome, format)
        return
    job = outcome.after["job"]
    if format is Format.TABLE:
        _show_end(ads, name, outcome)
    else:
        show_outcome(outcome, format)
    if job["state"] != "succeeded":
        raise _failure(name, verb, outcome)


def _show_end(ads: Ads, name: str, outcome: Outcome) -> None:
    from adslib.entrypoints.cli.trees import show_standing, show_tests

    sys.stdout.flush()
    if outcome.after["instances"]:
        show_standing(ads, name, outcome.after)
        print()
    else:
        show_tests(outcome.after)
    if outcome.after["job"]["state"] == "succeeded":
        print(outcome.message)


def _show_preview(outcome: Outcome, format: Format) -> None:
    from adslib.entrypoints.cli.planning import show_plan

    if format is not Format.TABLE:
        show_data(outcome.plan.as_data() if outcome.plan else {}, format)
    elif outcome.plan and (outcome.plan.actions or outcome.plan.blocked):
        show_plan(outcome.plan)
    else:
        print(outcome.message)
    if outcome.plan and outcome.plan.blocked:
        raise typer.Exit(BLOCKED)


def _failure(name: str, verb: str, outcome: Outcome) -> Failed:
    job: dict[str, Any] = outcome.after["job"]
    state = outcome.after["state"]
    again = verb if verb in outcome.after["possible"] else "deploy"
    remedy = (
        f"the environment is {state}; go on with: ads environment {again} {name}; look at: ads job log {job['job']}"
    )
    from adslib.domain.errors import Problem

    causes = [Problem(cause, instance) for instance, cause in job["failures"].items()]
    return Failed(problems=[*causes, Problem(outcome.message, "", remedy)])
