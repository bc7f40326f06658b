"""Refreshing: what the store knows of a gateway's machines against what the gateway shows of them (A10).

Pure; whoever calls it reads both sides and writes what comes out. What somebody is making or deleting is left to
them, and what failed stays failed: it is in quarantine until a person releases it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine

UNDERWAY = frozenset({MachineState.CREATING, MachineState.DELETING})


@dataclass(frozen=True, slots=True)
class Changed:
    """A machine that is not what the store says: as it was, as it is, and what is different, in words."""

    before: Machine
    after: Machine
    what: str


@dataclass(frozen=True, slots=True)
class Differences:
    """What happened at a gateway behind our back.

    Args:
        appeared: machines that nobody here made. changed: those that are different now, and held ones that are gone.
        vanished: machines that are gone and that nobody holds.
    """

    appeared: tuple[Sighting, ...] = ()
    changed: tuple[Changed, ...] = ()
    vanished: tuple[Machine, ...] = ()


def compare(known: Iterable[Machine], seen: Iterable[Sighting], gone: Iterable[str] | None = None) -> Differences:
    """Compare the store with a gateway, in the order of the machines that are known.

    Args:
        known: machines of the gateway in the store. seen: machines that it shows.
        gone: refs of those that it says are gone; None: `seen` is all that it has, so what is not in it is gone.
    """
    by_ref = {sighting.ref: sighting for sighting in seen}
    missing = None if gone is None else frozenset(gone)
    changed: list[Changed] = []
    vanished: list[Machine] = []
    found: set[str] = set()
    ids: set[str] = set()
    for machine in known:
        ids.add(machine.id)
        found.add(machine.ref)
        sighting = by_ref.get(machine.ref)
        if machine.state in UNDERWAY or not machine.ref:
            continue
        if sighting is None:
            if missing is not None and machine.ref not in missing:
                continue
            if not machine.holder:
                vanished.append(machine)
            elif machine.state is not MachineState.UNKNOWN:
                lost = replace(machine, state=MachineState.UNKNOWN, reason=f"gateway {machine.gateway} has it no more")
                changed.append(Changed(machine, lost, "vanished"))
        elif (after := updated(machine, sighting)) != machine:
            changed.append(Changed(machine, after, ", ".join(_different(machine, after))))
    appeared = (s for ref, s in by_ref.items() if ref not in found and s.id not in ids and s.state not in UNDERWAY)
    return Differences(tuple(appeared), tuple(changed), tuple(vanished))


def updated(machine: Machine, seen: Sighting) -> Machine:
    """A machine as its gateway shows it; what people said about reaching it stays, and so does quarantine."""
    quarantined = machine.state is MachineState.FAILED
    state = machine.state if quarantined or seen.state in UNDERWAY else seen.state
    reason = machine.reason if quarantined else seen.reason if state is MachineState.FAILED else ""
    address = seen.reach.address or machine.reach.address  # A stopped machine may have none for a while.
    size = seen.size if seen.size.cpu and not _alike(machine, seen) else machine.size
    kind, os, location = seen.kind or machine.kind, seen.os or machine.os, seen.location or machine.location
    told = (state, reason, address, size, kind, os, location)
    known = (machine.state, machine.reason, machine.reach.address, machine.size, machine.kind, machine.os)
    if told == (*known, machine.location):
        return machine
    reach = machine.reach if address == machine.reach.address else replace(machine.reach, address=address)
    return replace(machine, state=state, reason=reason, reach=reach, size=size, kind=kind, os=os, location=location)


def _alike(machine: Machine, seen: Sighting) -> bool:
    """Whether the sizes are the same but for their names."""
    return (seen.size.cpu, seen.size.memory, seen.size.disk) == (
        machine.size.cpu,
        machine.size.memory,
        machine.size.disk,
    )


def _different(before: Machine, after: Machine) -> Iterator[str]:
    """What is different, in words."""
    pairs: Mapping[str, tuple[str, str]] = {
        "": (str(before.state), str(after.state)),
        "address ": (before.reach.address, after.reach.address),
        "size ": (_amount(before), _amount(after)),
        "kind ": (before.kind, after.kind),
        "system ": (before.os, after.os),
        "location ": (before.location, after.location),
    }
    for what, (was, now) in pairs.items():
        if was != now:
            yield f"{what}{was or 'none'} → {now or 'none'}"
    if before.reason != after.reason and after.reason:
        yield after.reason


def _amount(machine: Machine) -> str:
    size = machine.size
    return f"{size.cpu:g} CPU, {size.memory} MiB, {size.disk} GiB"


def names_for(appeared: Iterable[Sighting], gateway: str, taken: Iterable[str]) -> list[str]:
    """A name for each machine that was found: its own if that is one and free, else with the gateway's or a number.

    Args:
        taken: the names among their `wishes` that somebody has.
    """
    used = set(taken)
    result = []
    for sighting in appeared:
        name = next(each for each in _candidates(sighting, gateway) if each not in used)
        used.add(name)
        result.append(name)
    return result


def wishes(appeared: Iterable[Sighting], gateway: str) -> list[str]:
    """The first names that `names_for` would like; whoever has them is to be asked in the store."""
    return [name for sighting in appeared for name, _ in zip(_candidates(sighting, gateway), range(3), strict=False)]


def _candidates(sighting: Sighting, gateway: str) -> Iterator[str]:
    own, ref = _slug(sighting.name), _slug(sighting.ref)
    if own:
        yield own
        yield f"{gateway}-{own}"[:63].rstrip("-")
    yield f"{gateway}-{ref}"[:63].rstrip("-")
    number = 1
    while True:
        number += 1
        yield f"{gateway}-{ref[:40]}-{number}"


def _slug(text: str) -> str:
    """A text as a name: lower case, letters, digits and inner hyphens."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    return "-".join(part for part in plain.split("-") if part)[:63].rstrip("-")
