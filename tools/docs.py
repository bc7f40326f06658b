"""Make the generated documents again: docs/cli.md from the command line, docs/lifecycle.md from the lifecycle tables.

Usage: docs.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from adslib.domain.lifecycle import ENVIRONMENT, JOB, Lifecycle, MachineState
from adslib.entrypoints.cli.application import EPILOG, app
from adslib.entrypoints.cli.fields import FIELDS, OUTCOME, Fields
from adslib.entrypoints.cli.presenting import Format

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Made by `make docs`; edit what it is made from. -->"
NOT_OURS = {"help", "install_completion", "show_completion"}

CLI = f"""# The command line

{NOTE}

`ads <noun> <verb>`. `ads --help`, `ads <noun> --help` and `ads <noun> <verb> --help` say the same as this page.
`ads --install-completion` lets the shell complete verbs, options, and names from the store.

{EPILOG}

Errors go to standard error, a line each: what is wrong, where, and what would be right. A traceback is never shown:
where ads itself has a defect, it is kept in a file below `ADS_HOME/crashes`, and `ADS_DEBUG=1` shows it.

Every list and show takes `--format table|json|yaml`. Tables are for people: framed and coloured on a terminal, plain
columns elsewhere (`NO_COLOR` is heeded). JSON and YAML are for programs: standard output then holds the data and
nothing else, with the fields below. Fields may be added; none is renamed or removed within a major version.
"""

SETTINGS = """## Settings

An environment variable wins over the file `ads.toml`, which wins over the default. The file is the one that
`ADS_CONFIG` names, else `ads.toml` in the current directory, else `~/.config/ads/ads.toml` (below `XDG_CONFIG_HOME`
where that is set); only one is read. What is wrong in it is told with its line, and nothing is done.

| variable | in `ads.toml` | says | default |
|---|---|---|---|
| `ADS_HOME` | `home` | where store, `local` machines, host keys and output of jobs lie | `~/.local/share/ads` |
| `ADS_DATABASE_URL` | `database_url` | the store: `sqlite:////ads.db`, `postgresql+psycopg://…` | `ads.db` in it |
| | `sizes` | sizes of machines: cores, MiB of memory, GiB of disk | `small`, `medium`, `large` |

```toml
database_url = "postgresql+psycopg://ads@db.example.org/ads"

[sizes]
small = {cpu = 1, memory = 1024, disk = 10}
huge = {cpu = 32, memory = 131072, disk = 500}
```
"""

LIFECYCLE = f"""# Lifecycles

{NOTE}

What can happen to an environment, a job and a machine. A *passing* state is one in which a job works: it leads to its
target, and if the job is interrupted the state falls to what stands beside it; nothing is lost, and the same verb may
be said again. Some events only jobs say, such as `done` and `fail`, which end a passing state; the others are verbs of
the command line.

A stopped environment may be edited. `start` then brings back what stood, and what was edited waits; `deploy` starts the
machines and brings what stands up to the definition.
"""


# ── the command line ─────────────────────────────────────────────────────────────────────────────────


def commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, groups before what they hold."""
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


def cli() -> str:
    """The text of docs/cli.md."""
    top = typer.main.get_command(app)
    parts = [CLI, SETTINGS, "## Before the noun\n", options(top)]
    parts += ["What a change writes with `--format json`; jobs add `job`, their id:\n", fields(OUTCOME)]
    for words, command in commands(top, ("ads",)):
        if len(words) > 1:
            parts.append(group(words, command) if getattr(command, "commands", None) else verb(words, command))
    return "\n".join(parts)


def group(words: tuple[str, ...], command: Any) -> str:
    """The heading of a noun."""
    return f"{'#' * len(words)} {' '.join(words)}\n\n{command.help}\n"


def verb(words: tuple[str, ...], command: Any) -> str:
    """One command: how it is written, what it does, its options, and what it writes for programs."""
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    usage = " ".join([*words, "[OPTIONS]", *(argument_name(argument) for argument in arguments)])
    level = min(len(words), 4)
    text = " ".join(part.strip() for part in (command.help or "").split("\n\n"))
    parts = [f"{'#' * level} {' '.join(words)}\n", f"    {usage}\n", f"{' '.join(text.split())}\n", options(command)]
    promised = FIELDS.get(" ".join(words[1:]))
    if promised:
        parts += ["Data:\n", fields(promised)]
    return "\n".join(part for part in parts if part)


def argument_name(argument: Any) -> str:
    """An argument as the usage shows it."""
    return str(argument.metavar or argument.name.upper())


def options(command: Any) -> str:
    """The arguments and options of a command, as a list."""
    lines = [
        f"- {written(parameter)} – {parameter.help or 'no help'}{default_of(parameter)}"
        for parameter in command.params
        if parameter.name not in NOT_OURS
    ]
    return "\n".join(lines) + "\n" if lines else ""


def written(parameter: Any) -> str:
    """How an argument or option is written."""
    if parameter.param_type_name == "argument":
        return f"`{argument_name(parameter)}`"
    value = "" if parameter.is_flag else f" {parameter.metavar or kind_of(parameter)}"
    return ", ".join(f"`{name}{value}`" for name in parameter.opts)


def kind_of(parameter: Any) -> str:
    """What an option takes."""
    if isinstance(parameter.default, Format):
        return "|".join(Format)
    return "NUMBER" if isinstance(parameter.default, int) else "TEXT"


def default_of(parameter: Any) -> str:
    """The default of an option, where there is one to tell."""
    if parameter.param_type_name == "argument" or parameter.default in (None, "", 0, False) or not parameter.default:
        return ""
    default = getattr(parameter.default, "value", parameter.default)
    return f" Default: {default}." if isinstance(default, str | int) else ""


def fields(promised: Fields) -> str:
    """The fields of the data that a command writes."""
    return "".join(f"- `{name}` – {meaning}\n" for name, meaning in promised.items())


# ── the lifecycles ───────────────────────────────────────────────────────────────────────────────────


def lifecycle() -> str:
    """The text of docs/lifecycle.md."""
    parts = [LIFECYCLE, "## Environments\n", *noun(ENVIRONMENT, "not-deployed"), "## Jobs\n", *noun(JOB, "queued")]
    parts += ["## Machines\n", f"States: {', '.join(f'`{state}`' for state in MachineState)}.\n"]
    parts.append("`creating` is the recorded intent: the machine may or may not exist at its gateway yet.\n")
    return "\n".join(parts)


def noun(cycle: Lifecycle[Any, Any], first: str) -> Iterator[str]:
    """The diagram and the tables of one noun."""
    names = {str(state): str(state).replace("-", "_") for pair in cycle.table for state in (pair[0], cycle.table[pair])}
    yield "```mermaid\nstateDiagram-v2"
    for name, alias in names.items():
        if name != alias:
            yield f'    state "{name}" as {alias}'
    yield f"    [*] --> {names[first]}"
    for (state, event), after in cycle.table.items():
        if state != after:
            yield f"    {names[str(state)]} --> {names[str(after)]}: {event}"
    for state, passing in cycle.passing.items():
        yield f"    {names[str(state)]} --> {names[str(passing.interrupted)]}: (interrupted)"
    yield "```\n"
    yield "| state | event | then |\n|---|---|---|"
    yield from (f"| {state} | {event} | {after} |" for (state, event), after in cycle.table.items())
    yield "\n| passing state | leads to | if interrupted |\n|---|---|---|"
    yield from (f"| {state} | {passing.target} | {passing.interrupted} |" for state, passing in cycle.passing.items())
    yield ""


class Page(StrEnum):
    """The pages that are made here."""

    CLI = "docs/cli.md"
    LIFECYCLE = "docs/lifecycle.md"


def main() -> int:
    """Write every page."""
    for page, text in ((Page.CLI, cli()), (Page.LIFECYCLE, lifecycle())):
        path = ROOT / page
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
