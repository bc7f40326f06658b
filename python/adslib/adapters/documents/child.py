"""The rendering child: reads a document on standard input, renders it within limits, writes the result (A2)."""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any

from adslib.adapters.documents.expansion import Expansion, TooLarge

MEMORY = 160 * 1024 * 1024
"""Bytes that rendering may take beyond what the child has when it begins."""
SECONDS = 2
"""Of processor time for a small document."""
MOST_SECONDS = 8
"""Of processor time for one with thousands of expressions."""
EXPRESSIONS_A_SECOND = 1000
"""How many different expressions a slow machine renders."""


def limit(expressions: int) -> None:
    """Bound memory and processor time of this process, for good."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        taken = pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        taken = 1024 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    seconds = min(MOST_SECONDS, SECONDS + expressions // EXPRESSIONS_A_SECOND)
    # What it took to start counts as used, and limits are whole seconds: where starting is slow it leaves no less.
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds += math.ceil(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def report(path: tuple[Any, ...]) -> None:
    """Say which expression begins; unbuffered, since the process may be ended at any instant."""
    os.write(2, json.dumps(path).encode() + b"\n")


def main() -> None:
    """Render one document."""
    text = sys.stdin.buffer.read()
    asked = json.loads(text)
    limit(text.count(b"{{"))
    expansion = Expansion(asked["values"], frozenset(asked["plurals"]), report)
    tree = None
    try:
        tree = expansion.document(asked["tree"])
    except TooLarge as error:
        expansion.note((), str(error), "use shorter loops")
    except MemoryError:
        expansion.note((), "the document needs too much memory", "use shorter loops and smaller values")
    answer = {"tree": tree, "moved": expansion.moved, "problems": expansion.problems}
    sys.stdout.buffer.write(json.dumps(answer, allow_nan=False).encode())
    sys.stdout.buffer.flush()
