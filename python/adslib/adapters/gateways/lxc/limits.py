"""Holding containers to their size, by control groups, where this host's can do so."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from adslib.domain.errors import Failed
from adslib.domain.machine import Size

GROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000
"""Microseconds in which a container may use so many cores."""
LOOK_EVERY, LAST_SECONDS = 0.05, 10.0
"""Seconds between two tries to remove control groups, and until that is given up."""


class Limit(StrEnum):
    CPU = "cpu"
    MEMORY = "memory"


def lines(size: Size, demanded: Iterable[Limit]) -> list[str]:
    """The lines of lxc's configuration that hold a container to its size.

    Args:
        demanded: what must be held; the rest is where it can be.

    Raises:
        Failed: this host cannot hold what is demanded.
    """
    held = {Limit.CPU: _cpu(size.cpu), Limit.MEMORY: _memory(size.memory * 2**20)}
    for limit in demanded:
        if not held[limit]:
            raise Failed(
                f"this host has no control group for '{limit}', so containers cannot be held to their size",
                place=str(GROUPS),
                remedy="leave it out of the gateway's option 'limits', or boot with that controller",
            )
    return [line for line in held.values() if line]


def _cpu(cores: float) -> str:
    if _unified("cpu"):
        return f"lxc.cgroup2.cpu.max = {int(cores * PERIOD)} {PERIOD}"
    there = (GROUPS / "cpu" / "cpu.cfs_quota_us").exists()
    return f"lxc.cgroup.cpu.cfs_quota_us = {int(cores * PERIOD)}" if there else ""


def _memory(size: int) -> str:
    if _unified("memory"):
        return f"lxc.cgroup2.memory.max = {size}"
    there = (GROUPS / "memory" / "memory.limit_in_bytes").exists()
    return f"lxc.cgroup.memory.limit_in_bytes = {size}" if there else ""


def _unified(controller: str) -> bool:
    with suppress(OSError):
        return controller in (GROUPS / "cgroup.controllers").read_text().split()
    return False


def remove_groups(name: str) -> None:
    """Remove the control groups of a container that does not run; lxc leaves them."""
    until = time.monotonic() + LAST_SECONDS
    while not _removed(name) and time.monotonic() < until:
        # A process that ends has no words any more while it still is in its groups.
        time.sleep(LOOK_EVERY)


def _removed(name: str) -> bool:
    """Remove what can be removed; tells whether nothing is left."""
    # lxc adds a number where there is one of the name already; controllers of the old kind have a hierarchy each.
    groups = [each for form in (name, f"{name}-[0-9]") for each in (*GROUPS.glob(form), *GROUPS.glob(f"*/{form}"))]
    for group in groups:
        for place in (*sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True), group):
            with suppress(OSError):
                place.rmdir()
    return not any(group.exists() for group in groups)
