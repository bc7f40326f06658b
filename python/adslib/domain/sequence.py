"""In which order services are deployed (A15): stages one after the other, the services of a stage side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adslib.domain.definition import Definition
from adslib.domain.errors import Invalid, Problem
from adslib.domain.topology import Topology

MOST_STAGES = 40

Stages = tuple[tuple[str, ...], ...]


def stages(topology: Topology) -> Stages:
    """Order the standing services: by their dependencies with the common layer first, or as the definition overrides.

    Raises:
        Invalid: an override breaks a dependency (the message says which), or there are more than 40 stages.
    """
    definition = topology.definition
    standing = topology.standing_services()
    before = {name: _ordered_requirements(definition, name, standing) for name in standing}
    if definition.sequence:
        result = _overridden(definition.sequence, before)
    else:
        result = _derived(_common_first(topology, before))
    if len(result) > MOST_STAGES:
        raise Invalid(
            f"the services need {len(result)} stages, at most {MOST_STAGES} are possible",
            place="sequence",
            remedy="break the chain of dependencies, or mark those that need no order with 'ordered: false'",
        )
    return result


def _ordered_requirements(definition: Definition, service: str, standing: Sequence[str]) -> set[str]:
    return {r.service for r in definition.services[service].requires if r.service in standing and r.ordered}


def _common_first(topology: Topology, before: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Put every service behind the common layer, except those that the common layer itself requires."""
    common = {name for name in before if all(i.scope.common for i in topology.of_service(name))}
    needed_by_common = _closure(common, before)
    return {name: required if name in needed_by_common else required | common for name, required in before.items()}


def _closure(names: set[str], before: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(before[name])
    return reached


def _derived(before: Mapping[str, set[str]]) -> Stages:
    done: set[str] = set()
    result: list[tuple[str, ...]] = []
    while len(done) < len(before):
        ready = tuple(sorted(name for name, required in before.items() if name not in done and required <= done))
        if not ready:
            raise Invalid(f"a cycle of dependencies among {', '.join(sorted(set(before) - done))}", place="services")
        result.append(ready)
        done.update(ready)
    return tuple(result)


def _overridden(sequence: Sequence[Sequence[str]], before: Mapping[str, set[str]]) -> Stages:
    position = {name: number for number, stage in enumerate(sequence, 1) for name in stage}
    problems = [
        Problem(
            f"'{name}' in stage {position[name]} requires '{required}', which comes in stage {position[required]}",
            f"sequence[{position[name] - 1}]",
            f"put '{required}' into an earlier stage, or say 'ordered: false' where '{name}' requires it",
        )
        for name in before
        for required in sorted(before[name])
        if name in position and required in position and position[required] >= position[name]
    ]
    problems += [
        Problem(f"'{name}' stands in the environment but in no stage", "sequence", "name every service once")
        for name in before
        if name not in position
    ]
    if problems:
        raise Invalid(problems=problems)
    return tuple(kept for stage in sequence if (kept := tuple(name for name in stage if name in before)))
