"""The library's drivers are not made for threads: each thread has one of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

D = TypeVar("D")


class PerThread(Generic[D]):
    """Gives the thread that asks a driver of its own.

    Args:
        build: makes one.
    """

    def __init__(self, build: Callable[[], D]) -> None:
        self._build = build
        self._made = threading.local()

    def __call__(self) -> D:
        """The driver of this thread."""
        if not hasattr(self._made, "driver"):
            self._made.driver = self._build()
        driver: D = self._made.driver
        return driver
