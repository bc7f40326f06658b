"""A machine as a row, and back: the pool may hold tens of thousands, so this is lean."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any

from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Connection, Machine, Reach, Size

_REACH = tuple((field.name, getattr(Reach(), field.name)) for field in fields(Reach))
_STATES = {str(state): state for state in MachineState}

# Machines come in few sizes and sets of capabilities, and a record is never written to.
_size = lru_cache(maxsize=1024)(Size)
_capabilities = lru_cache(maxsize=1024)(lambda *names: frozenset(names))


def values_of(machine: Machine) -> dict[str, Any]:
    """The row of a machine."""
    return {
        "id": machine.id,
        "name": machine.name,
        "gateway": machine.gateway,
        "ref": machine.ref,
        "state": machine.state.value,
        "kind": machine.kind,
        "size": machine.size.name,
        "cpu": machine.size.cpu,
        "memory": machine.size.memory,
        "disk": machine.size.disk,
        "os": machine.os,
        "location": machine.location,
        "image": machine.image,
        "reach": _reach_values(machine.reach),
        "capabilities": sorted(machine.capabilities),
        "labels": machine.labels,
        "made": machine.made,
        "holder": machine.holder or None,
        "reason": machine.reason,
        "tenant": machine.tenant,
        "generation": machine.generation,
        "on_request": machine.on_request,
        "idle_since": machine.idle_since,
    }


def machine_of(row: Any) -> Machine:
    """The machine of a row of the whole table."""
    *names, state, kind = row[:6]
    reach, capabilities, labels, made, holder, *rest = row[13:]
    return Machine(
        *(*names, _STATES[state], kind, _size(*row[6:10]), *row[10:13]),
        *(_reach(reach), _capabilities(*capabilities), labels, made, holder or "", *rest),
    )


def _reach_values(reach: Reach) -> dict[str, Any]:
    """What differs from the defaults: most machines differ in their address only."""
    return {name: value for name, default in _REACH if (value := getattr(reach, name)) != default}


def _reach(values: dict[str, Any]) -> Reach:
    if "connection" in values:
        values["connection"] = Connection(values["connection"])
    return Reach(**values)
