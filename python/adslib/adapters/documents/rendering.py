"""Renders a tree in a child process with limits of memory and time; no child where nothing is to be rendered (A2)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adslib.domain.definition import Tree
from adslib.domain.errors import Failed
from adslib.domain.reading.findings import TreePath

PATIENCE = 240.0
"""Seconds by the clock; the child's own limit is on processor time, of which a busy host may give it little."""
START = "import sys; sys.path[:] = {path!r}; from adslib.adapters.documents.child import main; main()"
LITERAL = ("parameters", "levels", "include")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What rendering gave.

    Args:
        tree: the rendered tree, None if it could not be made.
        moved: for what loops put elsewhere: path in the rendered tree → path in the document.
        problems: path in the document, message, remedy.
    """

    tree: Tree
    moved: Mapping[TreePath, TreePath] = field(default_factory=dict)
    problems: tuple[tuple[TreePath, str, str], ...] = ()

    def origin(self, path: TreePath) -> TreePath:
        """Where in the document a path of the rendered tree comes from."""
        for length in range(len(path), 0, -1):
            above = self.moved.get(path[:length])
            if above is not None:
                return (*above, *path[length:])
        return path


def has_expressions(tree: Tree) -> bool:
    """Whether a document holds any expression or loop."""
    pending = [value for key, value in tree.items() if key not in LITERAL] if isinstance(tree, dict) else []
    if isinstance(tree, dict) and "for_each" in tree:
        return True
    while pending:
        here = pending.pop()
        if isinstance(here, str):
            if "{{" in here or "{%" in here or "{#" in here:
                return True
        elif isinstance(here, dict):
            if "for_each" in here:
                return True
            pending.extend(here)
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return False


def render(tree: Tree, values: Mapping[str, Any], plurals: Iterable[str]) -> Rendered:
    """Put parameter values in and unroll loops.

    Args:
        tree: the unrendered document. values: of all parameters. plurals: keys of the levels.

    Raises:
        Failed: the child could not be started.
    """
    if not has_expressions(tree):
        return Rendered(tree)
    asked = json.dumps({"tree": tree, "values": dict(values), "plurals": list(plurals)}).encode()
    command = [sys.executable, "-I", "-S", "-c", START.format(path=[entry for entry in sys.path if entry])]
    try:
        done = subprocess.run(command, input=asked, capture_output=True, timeout=PATIENCE, check=False, env={})
    except subprocess.TimeoutExpired as error:
        return ended(error.stderr or b"", "takes too long")
    except OSError as error:
        raise Failed(f"expressions cannot be rendered: {error.strerror}", remedy="check memory and processes") from None
    if done.returncode == 0:
        return answered(json.loads(done.stdout))
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return ended(done.stderr, "takes too long")
    if done.returncode < 0:
        return ended(done.stderr, f"ends the renderer by signal {-done.returncode}")
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
    raise Failed(f"the renderer failed: {last[0]}", remedy="report this with the definition")


def answered(answer: Mapping[str, Any]) -> Rendered:
    """The child's answer as our own."""
    return Rendered(
        answer["tree"],
        {tuple(moved): tuple(origin) for moved, origin in answer["moved"]},
        tuple((tuple(problem["path"]), problem["message"], problem["remedy"]) for problem in answer["problems"]),
    )


def ended(reported: bytes, what: str) -> Rendered:
    """The child was ended: the last expression that it began is to blame."""
    path: TreePath = ()
    for line in reversed(reported.decode("utf-8", "replace").splitlines()):
        if line.startswith("["):
            path = tuple(json.loads(line))
            break
    return Rendered(None, problems=((path, f"this expression {what}", "a definition holds small, simple values"),))
