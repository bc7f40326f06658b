"""What something costs in processor time, here and in child processes.

By the clock it would hang on whatever else runs on this host.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if the block takes more processor time than that."""
    before = used()
    yield
    spent = used() - before
    assert spent < seconds, f"it took {spent:.2f} s of processor time"


def used() -> float:
    """Seconds of processor time of this process, and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)
