"""Ctrl-C while a job runs: the first asks it to end cleanly, a second within five seconds kills it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from adslib.entrypoints.cli.presenting import say

SECOND_WITHIN = 5.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Takes the signals of the terminal while the block runs.

    Args:
        kill: ends everything at once.
    """

    def __init__(self, kill: Callable[[], None]) -> None:
        self._kill = kill
        self._first = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def wished(self) -> bool:
        """Whether the job shall be cancelled."""
        return self._first > 0

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._heard) for each in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            # An impatient further Ctrl-C must not cut off the sentence that says how to go on.
            signal.signal(each, signal.SIG_IGN if self._first else handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._first:
            self._first = now
            say(f"Cancelling: what runs is asked to end. Ctrl-C again within {SECOND_WITHIN:.0f} s kills it.")
        elif now - self._first < SECOND_WITHIN:
            say("Killing what runs.")
            threading.Thread(target=self._kill, daemon=True).start()
