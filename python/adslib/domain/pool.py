"""The pool as people look at it: what is available, and how much of what there is (A10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adslib.domain.definition import Need
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Availability, Machine

READY = frozenset({MachineState.RUNNING, MachineState.STOPPED})


def availability(machine: Machine, standing: Sequence[Need]) -> Availability:
    """How a machine stands in the pool (A10).

    Args:
        standing: what the instances on it asked for. A machine is partly available if all of them share it and they
            leave some of it.
    """
    if machine.state not in READY:
        return Availability.UNAVAILABLE
    if not machine.holder:
        return Availability.AVAILABLE
    cpu = sum(need.cpu for need in standing)
    memory = sum(need.memory for need in standing)
    shared = bool(standing) and all(need.shared for need in standing)
    if shared and cpu < machine.size.cpu and memory < machine.size.memory:
        return Availability.PARTLY
    return Availability.DEPLOYED


def summary(machines: Iterable[tuple[Machine, Availability]]) -> dict[str, Any]:
    """The pool in numbers: by availability, and for each size and location, system and gateway how many are free."""
    seen = list(machines)
    by_availability = Counter(available for _, available in seen)
    return {
        "machines": len(seen),
        "availability": {str(kind): by_availability[kind] for kind in Availability},
        "sizes": _counted(seen, ("size", "location")),
        "systems": _counted(seen, ("os",)),
        "gateways": _counted(seen, ("gateway",)),
    }


def _counted(seen: Sequence[tuple[Machine, Availability]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    total: Counter[tuple[str, ...]] = Counter()
    free: Counter[tuple[str, ...]] = Counter()
    held: Counter[tuple[str, ...]] = Counter()
    for machine, available in seen:
        values: Mapping[str, str] = {
            "size": machine.size.name,
            "location": machine.location,
            "os": machine.os,
            "gateway": machine.gateway,
        }
        key = tuple(values[name] for name in keys)
        total[key] += 1
        free[key] += available is Availability.AVAILABLE
        held[key] += bool(machine.holder)
    return [
        {**dict(zip(keys, key, strict=True)), "machines": total[key], "free": free[key], "held": held[key]}
        for key in sorted(total)
    ]
