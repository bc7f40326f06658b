"""The pool as people look at it: what is available, and how much of what there is (A10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from adslib.domain.definition import Need
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Availability, Machine, Size, size_class

READY = frozenset({MachineState.RUNNING, MachineState.STOPPED})


def availability(machine: Machine, standing: Sequence[Need]) -> Availability:
    """How a machine stands in the pool (A10).

    Args:
        standing: what the instances on it asked for. A machine is partly available if all of them share it and they
            leave some of it.
    """
    if machine.state is MachineState.FAILED:
        return Availability.QUARANTINED
    if machine.state not in READY:
        return Availability.UNAVAILABLE
    if not machine.holder:
        return Availability.ON_REQUEST if machine.on_request else Availability.AVAILABLE
    cpu = sum(need.cpu for need in standing)
    memory = sum(need.memory for need in standing)
    shared = bool(standing) and all(need.shared for need in standing)
    if shared and cpu < machine.size.cpu and memory < machine.size.memory:
        return Availability.PARTLY
    return Availability.DEPLOYED


def summary(machines: Iterable[tuple[Machine, Availability]], sizes: Collection[Size]) -> dict[str, Any]:
    """The pool in numbers: by availability, and for each size and location, system and gateway what can be had.

    Args:
        sizes: those that users know; what a gateway reports counts as one of them, see `size_class`.
    """
    called = lru_cache(maxsize=None)(lambda size: size_class(size, sizes) or size.name)
    seen = [(machine, called(machine.size), available) for machine, available in machines]
    by_availability = Counter(available for _, _, available in seen)
    return {
        "machines": len(seen),
        "availability": {str(kind): by_availability[kind] for kind in Availability},
        "sizes": _counted(seen, ("size", "location")),
        "systems": _counted(seen, ("os",)),
        "gateways": _counted(seen, ("gateway",)),
    }


def _counted(seen: Sequence[tuple[Machine, str, Availability]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for machine, size, available in seen:
        values = {"size": size, "location": machine.location, "os": machine.os, "gateway": machine.gateway}
        counted = counts.setdefault(tuple(values[name] for name in keys), Counter())
        counted["machines"] += 1
        counted["held"] += bool(machine.holder)
        counted[_COLUMNS.get(available, "")] += 1
    columns = ("machines", "free", "held", "partly", "quarantined")
    return [
        {**dict(zip(keys, key, strict=True)), **{name: counts[key][name] for name in columns}} for key in sorted(counts)
    ]


_COLUMNS = {
    Availability.AVAILABLE: "free",
    Availability.PARTLY: "partly",
    Availability.QUARANTINED: "quarantined",
}
