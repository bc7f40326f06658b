"""Processes that want the same thing at the same moment, and processes that are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

FORK = multiprocessing.get_context("fork")
LONGEST = 240.0
"""Seconds until nothing will come any more, however busy this host is."""


def all_at_once(url: str, count: int, act: Callable[[str, int], Any]) -> list[Any]:
    """Let processes act on a URL at once; returns what each gave back, by number."""
    barrier = FORK.Barrier(count)

    def contend(number: int, answer: Connection) -> None:
        barrier.wait(LONGEST)
        try:
            answer.send(act(url, number))
        finally:
            # Whose process has ended is recovered from, rightly: nobody leaves before all have answered.
            barrier.wait(LONGEST)

    runs = []
    for number in range(count):
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=contend, args=(number, there))
        process.start()
        there.close()
        runs.append((process, here))
    results = []
    for process, here in runs:
        with here:
            assert here.poll(LONGEST), f"process {process.pid} did not answer"
            # A process that raises prints why and closes its end: EOFError.
            results.append(here.recv())
        process.join(LONGEST)
        assert process.exitcode == 0
    return results


def killed(act: Callable[[Callable[[], None]], None]) -> None:
    """Run something in a process that is killed, as by `kill -9`, when it calls what it is given."""
    process = FORK.Process(target=act, args=(lambda: os.kill(os.getpid(), signal.SIGKILL),))
    process.start()
    process.join(LONGEST)
    assert process.exitcode == -signal.SIGKILL, "the process ended before it came to the point of its death"
