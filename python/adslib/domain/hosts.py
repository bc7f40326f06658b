"""Hosts as Ansible sees them: groups and variables of each machine, with everything that a role needs (A16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adslib.domain.definition import Service, Test
from adslib.domain.desired import Desired
from adslib.domain.environment import Environment
from adslib.domain.errors import Invalid
from adslib.domain.machine import Connection, Machine
from adslib.domain.names import group_name
from adslib.domain.resolution import resolve
from adslib.domain.topology import Instance, Scope


@dataclass(frozen=True, slots=True)
class Host:
    """A machine in the inventory: its name, the groups it is in, and its variables."""

    name: str
    groups: tuple[str, ...]
    variables: Mapping[str, Any]


def connection_variables(machine: Machine) -> dict[str, Any]:
    """The variables by which Ansible reaches a machine, and those that say what it is."""
    reach = machine.reach
    result: dict[str, Any] = {"ansible_connection": str(reach.connection), "ansible_host": reach.address}
    if reach.connection is Connection.SSH:
        result |= {
            "ansible_port": reach.port,
            "ansible_user": reach.user or None,
            "ansible_ssh_private_key_file": reach.key or None,
            "ansible_become": True if reach.become else None,
            "ansible_become_method": reach.become or None,
            # Ansible names a connection that it keeps open by address; machines of two tenants may have the same one.
            "ansible_control_path": f"%(directory)s/{machine.id}",
        }
    result |= {
        "ansible_python_interpreter": reach.python or None,
        "ads_machine": machine.name,
        "ads_machine_id": machine.id,
        "ads_gateway": machine.gateway,
        "ads_location": machine.location,
        "ads_os": machine.os,
        "ads_size": machine.size.name,
        "ads_address": reach.address,
        "ads_root": reach.root,
        "ads_python": reach.python or "/usr/bin/python3",
        "ads_capabilities": sorted(machine.capabilities),
        **reach.vars,
    }
    return {key: value for key, value in result.items() if value is not None}


class HostViews:
    """Builds the hosts of one environment; what instances share is built once.

    Args:
        environment: its row. desired: what shall stand. seats: instance id → machine name.
        machines: by name, every machine that is in `seats`.
        addresses: by machine, the addresses and names that it has of networks.
    """

    def __init__(
        self,
        environment: Environment,
        desired: Desired,
        seats: Mapping[str, str],
        machines: Mapping[str, Machine],
        addresses: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        self._addresses = addresses
        self._environment = environment
        self._desired = desired
        self._seats = seats
        self._machines = machines
        self._faces: dict[str, dict[str, Any]] = {}
        self._members: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
        self._settings: dict[tuple[str, str, bool], dict[str, dict[str, Any]]] = {}
        services = desired.definition.services
        self._components = {name: _component(desired, name) for name in services}
        self._tests = {name: [_set_fields(test) for test in service.tests] for name, service in services.items()}

    def hosts(self) -> list[Host]:
        """All hosts, by name."""
        standing: dict[str, list[Instance]] = {}
        for instance in self._desired.topology.instances:
            name = self._seats.get(instance.id)
            if name is not None and name in self._machines:
                standing.setdefault(name, []).append(instance)
        return [self._host(self._machines[name], instances) for name, instances in sorted(standing.items())]

    def _host(self, machine: Machine, instances: Iterable[Instance]) -> Host:
        groups = dict.fromkeys(
            (
                "ads_machines",
                group_name("environment", self._environment.name),
                group_name("gateway", machine.gateway),
                group_name("state", self._environment.state),
            )
        )
        variables = connection_variables(machine)
        variables["ads_environment"] = self._environment.name
        variables["ads_project"] = self._environment.project
        variables["ads_addresses"] = given = self._addresses.get(machine.name, [])
        variables["ads_fqdn"] = next((each["name"] for each in given if each["name"]), "")
        variables["ads_instances"] = entries = []
        for instance in instances:
            entries.append(self.entry(instance, machine, variables))
            groups |= dict.fromkeys(self._groups(instance))
        return Host(machine.name, tuple(groups), variables)

    def _groups(self, instance: Instance) -> Iterable[str]:
        yield group_name("service", instance.service)
        for level, path in instance.scope.levels.items():
            yield group_name(level, path)
        component = self._desired.definition.services[instance.service].component
        if component:
            yield group_name("component", component, self._desired.version(instance.service))

    def entry(self, instance: Instance, machine: Machine, host: Mapping[str, Any]) -> dict[str, Any]:
        """One instance on its host, as the roles see it.

        Raises:
            Invalid: an expression in its variables, settings or tests names nothing.
        """
        service = self._desired.topology.service(instance)
        face = self.face(instance)
        members = {r.service: self._faces_of(instance.scope, r.service) for r in service.requires if r.service}
        names = {
            "self": face,
            "members": members,
            "configurations": face["configurations"],
            **{key: value for key, value in host.items() if key.startswith("ads_")},
        }
        variables = resolve(self._desired.variables(instance), names, f"services.{service.name}.vars")
        return {
            "id": instance.id,
            "ads_instance": face,
            "ads_component": self._components[service.name],
            "ads_configurations": face["configurations"],
            "ads_members": members,
            "stage": self._desired.stage_of[service.name],
            "os": service.need.os,
            "variables": variables,
            "roles": [
                {"name": role.name, "vars": resolve(role.vars, names, f"services.{service.name}.roles.{role.name}")}
                for role in service.roles
            ],
            "tests": _tests(service.name, self._tests[service.name], names),
        }

    def face(self, instance: Instance) -> dict[str, Any]:
        """An instance as itself and others see it: `self`, and an item of `members.<service>`."""
        found = self._faces.get(instance.id)
        if found is None:
            service = self._desired.topology.service(instance)
            machine = self._machines.get(self._seats.get(instance.id, ""))
            found = self._faces[instance.id] = {
                "id": instance.id,
                "name": instance.name,
                "service": service.name,
                "index": instance.index,
                "version": self._desired.version(service.name),
                "environment": self._environment.name,
                "machine": machine.name if machine else "",
                "address": machine.reach.address if machine else "",
                "ports": dict(service.ports),
                "path": instance.scope.path.split("/") if instance.scope.path else [],
                "place": instance.scope.place,
                "levels": dict(instance.scope.levels),
            }
            found["configurations"] = self._settings_of(instance.scope, service, found, machine)
        return found

    def _settings_of(
        self, scope: Scope, service: Service, face: Mapping[str, Any], machine: Machine | None
    ) -> dict[str, dict[str, Any]]:
        """The settings that an instance sees: shared with others in its scope unless they say what differs."""
        key = (service.name, scope.path, scope.common)
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = self._desired.configurations(scope, service)
        if "{{" not in str(found):
            return found
        names: dict[str, Any] = {"self": face}
        if machine:
            names |= {name: value for name, value in connection_variables(machine).items() if name.startswith("ads_")}
        return {name: _resolved(settings, names) for name, settings in found.items()}

    def _faces_of(self, scope: Scope, service: str) -> list[dict[str, Any]]:
        key = (service, scope.path, scope.common)
        found = self._members.get(key)
        if found is None:
            members = self._desired.topology.members(scope, service)
            found = self._members[key] = [self.face(member) for member in members]
        return found


def _resolved(settings: dict[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the names of the instance in their places; what names nothing of it stays as it is, and inert."""
    try:
        return {name: resolve(value, names, name) for name, value in settings.items()}
    except Invalid:
        return settings


def _component(desired: Desired, service: str) -> dict[str, Any] | None:
    """The component of a service with the files of the configurations that it requires."""
    named = desired.definition.services[service]
    component = desired.definition.components.get(named.component)
    files = [asdict(file) for configuration in desired.required(named) for file in configuration.files]
    if component is None:
        return {"name": service, "version": "", "files": files} if files else None
    data = _listed(asdict(component))
    return {**data, "files": [*data["files"], *files]}


def _listed(value: Any) -> Any:
    """Plain data as a document has it: lists, not tuples."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _tests(service: str, tests: Iterable[Mapping[str, Any]], names: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tests of an instance, each with what it needs to run: the instance, its address and its ports."""
    face = names["self"]
    about = {"instance": face["id"], "address": face["address"], "ports": face["ports"]}
    return [
        {**about, **resolve(test, names, f"services.{service}.tests[{number}]")} for number, test in enumerate(tests)
    ]


def _set_fields(test: Test) -> dict[str, Any]:
    return {key: value for key, value in asdict(test).items() if value != ""}
