"""`ads environment`: definitions and what is known of them; the verbs that run playbooks stand in `running`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adslib.domain.errors import Failed, Invalid, NotFound
from adslib.entrypoints.cli import running
from adslib.entrypoints.cli.definitions import DocumentFile, proposed
from adslib.entrypoints.cli.options import (
    Comment,
    DryRun,
    EnvironmentName,
    OutputFormat,
    Parameters,
    pairs,
    template_names,
)
from adslib.entrypoints.cli.presenting import (
    Column,
    Format,
    moment,
    say,
    show_data,
    show_outcome,
    show_rows,
    show_thing,
)
from adslib.entrypoints.cli.session import opened

if TYPE_CHECKING:
    from adslib.adapters.documents import Document

app = typer.Typer(help="Environments: from their definition to live.", no_args_is_help=True)


@app.command()
def create(
    ctx: typer.Context,
    file: DocumentFile = "",
    parameter: Parameters = [],  # noqa: B006
    name: Annotated[str, typer.Option(help="Name of the environment, if not the document's.")] = "",
    template: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Make it from a template; FILE fills what it leaves open.",
            autocompletion=template_names,
        ),
    ] = "",
    comment: Comment = "",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Create an environment from its definition, or from a template."""
    from adslib.adapters import documents

    given = pairs(parameter, "parameter")
    if not file and not template:
        raise Invalid("there is nothing to create it from", remedy="name a file, or a template with --template")
    with opened(ctx) as ads:
        if template:
            fill = documents.collect(file) if file else None
            name = name or str((fill and fill.tree.get("environment")) or "")
            if not name:
                raise Invalid("the new environment has no name", remedy="give it with --name")
            outcome = ads.templates.instantiate(
                template, name, fill=fill, parameters=given, comment=comment, dry_run=dry_run
            )
        else:
            document = documents.load(file, given)
            outcome = ads.environments.create(document, name=name, comment=comment, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def edit(
    ctx: typer.Context,
    name: EnvironmentName,
    file: DocumentFile = "",
    parameter: Parameters = [],  # noqa: B006
    comment: Comment = "",
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Give an environment a new definition.

    From FILE, from new parameters alone, or from $EDITOR where neither is given. Parameters keep the values that the
    environment has, unless others are given. For an environment that was made from a template, FILE may be what fills
    the template, changed.
    """

    given = pairs(parameter, "parameter")
    with opened(ctx) as ads:
        if file or given:
            outcome = ads.environments.edit(name, proposed(ads, name, file, given), comment=comment, dry_run=dry_run)
        else:
            with _edited(name, ads.environments.document(name)) as document:
                outcome = ads.environments.edit(name, document, comment=comment, dry_run=dry_run)
        state = outcome.after.get("state")
    show_outcome(outcome, format, dry_run=dry_run)
    if outcome.changed and not dry_run and state != "not-deployed" and format is Format.TABLE:
        say(f"To bring what stands up to it: ads environment deploy {name}")


@contextmanager
def _edited(name: str, current: Document) -> Iterator[Document]:
    """The current definition as the user leaves it in the editor; a text that will not do stays in a file to go on."""
    import shutil
    import tempfile

    from adslib.adapters import documents

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise Invalid("there is no editor", remedy="name a FILE, give -p key=value, or set EDITOR")
    folder = Path(tempfile.mkdtemp(prefix="ads-edit-"))
    path = folder / f"{name}.yml"
    before = documents.dump_yaml(current.tree).encode()
    path.write_bytes(before)
    try:
        _edit(editor, path)
        yield documents.load(path, current.parameters, current.origin)
    except Exception:
        if path.is_file() and path.read_bytes() != before:
            say(f"Your text is kept in {path}; go on with: ads environment edit {name} {path}")
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _edit(editor: str, path: Path) -> None:
    import shlex
    import subprocess

    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except OSError as error:
        raise Failed(f"the editor '{editor}' cannot be started: {error.strerror}", remedy="set EDITOR") from None
    if done.returncode:
        raise Failed(f"the editor ended with exit code {done.returncode}", remedy="nothing was changed")


@app.command()
def clone(
    ctx: typer.Context,
    name: EnvironmentName,
    new_name: Annotated[str, typer.Argument(metavar="NEW-NAME", help="Name of the new environment.")],
    dry_run: DryRun = False,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Create an environment with another's current definition."""
    with opened(ctx) as ads:
        outcome = ads.environments.clone(name, new_name, dry_run=dry_run)
    show_outcome(outcome, format, dry_run=dry_run)


@app.command()
def delete(
    ctx: typer.Context, name: EnvironmentName, dry_run: DryRun = False, format: OutputFormat = Format.TABLE
) -> None:
    """Forget an environment that is not deployed, with its revisions."""
    with opened(ctx) as ads:
        outcome = ads.environments.delete(name, dry_run=dry_run)
    if not outcome.before:
        raise NotFound(outcome.message, remedy="list them with: ads environment list")
    show_outcome(outcome, format, dry_run=dry_run)


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[str, typer.Option(help="Only those in this state.")] = "",
    format: OutputFormat = Format.TABLE,
) -> None:
    """List the environments."""
    from adslib.domain.lifecycle import EnvironmentState

    known = [str(each) for each in EnvironmentState]
    if state and state not in known:
        raise Invalid(f"'{state}' is no state of an environment", place="--state", remedy=f"use {', '.join(known)}")
    with opened(ctx) as ads:
        rows = ads.environments.list(state=state)
    columns = [
        Column("name", "environment"),
        Column("state"),
        Column("revision"),
        Column("deployed_revision", "deployed", lambda number: str(number or "")),
        Column("tests", "tests", _tests),
        Column("created", write=moment),
    ]
    nothing = "There is no environment yet; make one with: ads environment create FILE"
    show_rows(rows, columns, format, none=f"No environment is {state}." if state else nothing)


def _tests(tests: Any) -> str:
    if not tests:
        return ""
    return f"{tests['passed']} passed" + (f", {len(tests['failures'])} failed" if tests["failures"] else "")


@app.command()
def show(ctx: typer.Context, name: EnvironmentName, format: OutputFormat = Format.TABLE) -> None:
    """Show an environment: its tree, machines, tests and entrances."""
    from adslib.entrypoints.cli.trees import show_standing

    with opened(ctx) as ads:
        shown = ads.environments.show(name)
        if format is not Format.TABLE:
            show_data(shown, format)
            return
        keys = ("revision", "deployed_revision", "project", "possible", "last_job")
        show_thing(shown, format, keys=keys)
        print()
        show_standing(ads, name, shown)


@app.command()
def history(ctx: typer.Context, name: EnvironmentName, format: OutputFormat = Format.TABLE) -> None:
    """List the revisions of an environment's definition, newest first."""
    with opened(ctx) as ads:
        rows = ads.environments.history(name)
    columns = [
        Column("revision"),
        Column("created", write=moment),
        Column("created_by", "by"),
        Column("commit", write=lambda commit: str(commit or "")[:12]),
        Column("clean"),
        Column("template"),
        Column("comment"),
    ]
    show_rows(rows, columns, format)


@app.command()
def diff(
    ctx: typer.Context,
    name: EnvironmentName,
    before: Annotated[int, typer.Argument(metavar="[REVISION]", help="From this one; default: the one before.")] = 0,
    after: Annotated[int, typer.Argument(metavar="[REVISION]", help="To this one; default: the current one.")] = 0,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Compare two revisions of an environment's definition."""
    from dataclasses import asdict

    from adslib.domain.comparison import unified

    with opened(ctx) as ads:
        current = int(ads.environments.show(name)["revision"])
        changes = ads.environments.compare(name, before or max(1, (after or current) - 1), after)
    if format is not Format.TABLE:
        show_data([{**asdict(change), "path": list(change.path)} for change in changes], format)
    elif changes:
        print(unified(changes), end="")
    else:
        say("Nothing differs.")


@app.command()
def export(
    ctx: typer.Context,
    name: EnvironmentName,
    format: Annotated[str, typer.Option("--format", help="yaml or xml.")] = "yaml",
    revision: Annotated[int, typer.Option(help="Number of the revision; default: the current one.")] = 0,
) -> None:
    """Write the definition of an environment.

    It is unrendered, with its includes merged in.
    """
    from adslib.adapters import documents

    writers = {"yaml": "dump_yaml", "xml": "dump_xml"}
    if format not in writers:
        raise Invalid(f"a definition is not written as '{format}'", place="--format", remedy="use yaml or xml")
    with opened(ctx) as ads:
        document = ads.environments.document(name, revision)
    print(getattr(documents, writers[format])(document.tree), end="")


running.add_to(app)
