"""What shall stand, ready to be compared with what stands: instances, stages, and a digest of each instance.

The digest covers everything that a deployment of the instance depends on: its software, settings, variables, ports,
the machine, and the members it works with. Equal digests: nothing to do (A7, T5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from adslib.domain.definition import Configuration, Definition, Service
from adslib.domain.sequence import stages
from adslib.domain.topology import Instance, Scope, Topology


class Seat(NamedTuple):
    """Where an instance stands: the machine's name, its id (empty: not made yet) and its address (empty: not known)."""

    machine: str
    id: str = ""
    address: str = ""


Seats = Mapping[str, Seat]
"""Instance id → seat."""


def fingerprint(*parts: object) -> str:
    """A short digest of plain data: 16 hexadecimal digits, the same on every machine and in every run."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Desired:
    """The expanded definition of one environment.

    Raises:
        Invalid: the sequence cannot be met, or two instances share an id.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.topology = Topology(definition)
        self.stages = stages(self.topology)
        self.stage_of = {name: number for number, stage in enumerate(self.stages, 1) for name in stage}
        self._software: dict[tuple[str, str, bool], str] = {}
        self._services: dict[str, Any] = {}

    def variables(self, instance: Instance) -> dict[str, Any]:
        """The variables of an instance: its service's, laid over them its nodes', and over these its placement's."""
        scope = instance.scope
        service = self.topology.service(instance)
        return {**service.vars, **scope.attributes.get("vars", {}), **scope.vars.get(instance.service, {})}

    def required(self, service: Service) -> list[Configuration]:
        """The configurations that a service requires, directly or not, the nearest first."""
        waiting = [r.configuration for r in service.requires if r.configuration]
        found: dict[str, Configuration] = {}
        for name in waiting:
            if name not in found:
                found[name] = self.definition.configurations[name]
                waiting.extend(found[name].requires)
        return list(found.values())

    def configurations(self, scope: Scope, service: Service) -> dict[str, dict[str, Any]]:
        """The settings that a service sees in a scope: of every configuration that it requires."""
        return {c.name: {**c.settings, **scope.settings.get(c.name, {})} for c in self.required(service)}

    def version(self, service: str) -> str:
        """The version of a service's component, empty if roles of the user's own deploy it."""
        component = self.definition.services[service].component
        return self.definition.components[component].version if component else ""

    def software(self, instance: Instance) -> str:
        """Digest of what an instance is, whatever machine it stands on."""
        scope = instance.scope
        key = (instance.service, scope.path, scope.common)
        found = self._software.get(key)
        if found is None:
            service = self.topology.service(instance)
            found = self._software[key] = fingerprint(
                self._description(service), self.variables(instance), self.configurations(scope, service)
            )
        return found

    def _description(self, service: Service) -> Any:
        found = self._services.get(service.name)
        if found is None:
            component = self.definition.components.get(service.component)
            found = self._services[service.name] = [
                asdict(component) if component else None,
                [asdict(role) for role in service.roles],
                dict(service.ports),
                [asdict(file) for configuration in self.required(service) for file in configuration.files],
            ]
        return found


class Digests:
    """Digests of instances for one seating; members are digested once per service and scope."""

    def __init__(self, desired: Desired, seats: Seats) -> None:
        self._desired = desired
        self._seats = seats
        self._members: dict[tuple[str, str, bool], str] = {}

    def of(self, instance: Instance) -> str:
        """The digest of an instance on its seat."""
        service = self._desired.topology.service(instance)
        members = [self._of_members(instance.scope, r.service) for r in service.requires if r.service]
        seat = self._seats[instance.id]
        text = "|".join((self._desired.software(instance), seat.machine, seat.id, seat.address, *members))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _of_members(self, scope: Scope, service: str) -> str:
        key = (service, scope.path, scope.common)
        found = self._members.get(key)
        if found is None:
            lines = []
            for member in self._desired.topology.members(scope, service):
                seat = self._seats[member.id]
                lines.append(f"{member.id}|{seat.id}|{seat.address}|{self._desired.software(member)}")
            found = self._members[key] = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        return found
