"""The inventory: the machines of environments as they stand, ready for Ansible (A10, A16).

Everything is read in one transaction, and what hosts share – faces, members, components – is one object in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.environment import Environment, Revision
from adslib.domain.errors import Invalid, NotFound
from adslib.domain.hosts import Host, HostViews, connection_variables
from adslib.domain.lifecycle import EnvironmentState
from adslib.domain.machine import Machine
from adslib.domain.names import group_name
from adslib.usecases.commissioning import addresses_of
from adslib.usecases.situation import desired

FILTERS = ("name", "gateway", "location", "os", "size", "kind", "state", "service")
"""What machines can be chosen by; each takes one pattern or several (`us-*`), and all that are given must fit."""

_ROLLING = frozenset({EnvironmentState.INCOMPLETE, EnvironmentState.DEPLOYING, EnvironmentState.UPDATING})

Patterns = Sequence[str]


class Inventory:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def hosts(
        self,
        *,
        environments: Patterns = (),
        states: Collection[str] = (),
        filters: Mapping[str, str | Patterns] | None = None,
        include_free: bool = False,
    ) -> list[dict[str, Any]]:
        """The machines that instances stand on, by name; changing what is returned changes what others share.

        Args:
            environments: names or patterns (`tel*`); empty: all. states: of the environments; empty: any.
            filters: patterns by one of FILTERS. include_free: machines that nobody holds, too.

        Returns:
            name, groups and variables of each host.

        Raises:
            Invalid: there is no such state or filter.
            NotFound: an environment that is named without a pattern does not exist.
        """
        self._actor.must(Permission.VIEW, "machines")
        wanted_states = _checked_states(states)
        chosen = _checked_filters(filters or {})
        with self._app.store.reading() as tx:
            found = self._environments(tx, environments, wanted_states)
            machines = self._machines(tx, found if environments else None, include_free)
            records = [_Record(tx, environment, machines.get(environment.name, ())) for environment in found]
        hosts = [host for record in records for host in record.hosts(chosen)]
        if include_free and not chosen.get("service"):
            hosts += [_free(machine) for machine in machines.get("", ()) if _fits(machine, chosen)]
        hosts.sort(key=lambda host: host.name)
        return [{"name": host.name, "groups": host.groups, "variables": host.variables} for host in hosts]

    def _environments(self, tx: Transaction, patterns: Patterns, states: Collection[str]) -> list[Environment]:
        found = tx.environments.list(tenant=self._actor.tenant)
        known = {environment.name for environment in found}
        for name in patterns:
            if name not in known and not set("*?[") & set(name):
                raise NotFound(f"there is no environment '{name}'", remedy="list them with: ads environment list")
        return [
            environment
            for environment in found
            if (not patterns or any(fnmatchcase(environment.name, pattern) for pattern in patterns))
            and (not states or environment.state in states)
        ]

    def _machines(self, tx: Transaction, holders: Iterable[Environment] | None, free: bool) -> dict[str, list[Machine]]:
        """Machines by holder; those that nobody holds under the empty name."""
        if holders is None:
            read = tx.machines.list(tenant=self._actor.tenant, free=None if free else False)
        else:
            read = [machine for holder in holders for machine in tx.machines.list(holder=holder.name)]
            read += tx.machines.list(free=True, tenant=self._actor.tenant) if free else []
        result: dict[str, list[Machine]] = {}
        for machine in read:
            result.setdefault(machine.holder, []).append(machine)
        return result


class _Record:
    """What the store says of one environment, to be turned into hosts when the transaction is over."""

    def __init__(self, tx: Transaction, environment: Environment, machines: Iterable[Machine]) -> None:
        self._environment = environment
        self._machines = {machine.id: machine for machine in machines}
        standings = tx.standings.of(environment.name) if self._machines else []
        self._standings = [standing for standing in standings if standing.machine_id in self._machines]
        self._revisions = list(_revisions(tx, environment)) if self._standings else []
        self._addresses = addresses_of(tx, environment.name) if self._standings else {}

    def hosts(self, chosen: Mapping[str, Patterns]) -> list[Host]:
        """The hosts that fit."""
        seats = {s.instance: self._machines[s.machine_id].name for s in self._standings}
        machines = {machine.name: machine for machine in self._machines.values()}
        result: dict[str, Host] = {}
        for revision in self._revisions:
            wanted = desired(revision)
            for host in HostViews(self._environment, wanted, seats, machines, self._addresses).hosts():
                if _fits(machines[host.name], chosen):
                    result[host.name] = _joined(result.get(host.name), host)
            # An instance that this revision does not know stands by the next one.
            seats = {instance: name for instance, name in seats.items() if instance not in wanted.topology.by_id}
            if not seats:
                break
        return [_finished(host, machines[host.name]) for host in result.values() if _serves(host, chosen)]


def _revisions(tx: Transaction, environment: Environment) -> Iterator[Revision]:
    """The revisions that what stands may come from, the likeliest first."""
    numbers = [environment.deployed, environment.revision]
    if not environment.deployed or environment.state in _ROLLING:
        numbers.reverse()
    for number in dict.fromkeys(numbers):
        if number:
            yield tx.revisions.get(environment.name, number)


def _joined(one: Host | None, other: Host) -> Host:
    if one is None:
        return other
    instances = [*one.variables["ads_instances"], *other.variables["ads_instances"]]
    groups = tuple(dict.fromkeys((*one.groups, *other.groups)))
    return Host(one.name, groups, {**one.variables, "ads_instances": instances})


def _finished(host: Host, machine: Machine) -> Host:
    more = {"ads_machine_state": str(machine.state), "ads_labels": dict(machine.labels)}
    return Host(host.name, host.groups, {**host.variables, **more})


def _free(machine: Machine) -> Host:
    groups = ("ads_machines", "ads_free", group_name("gateway", machine.gateway))
    return _finished(Host(machine.name, groups, {**connection_variables(machine), "ads_instances": []}), machine)


def _fits(machine: Machine, chosen: Mapping[str, Patterns]) -> bool:
    for field, patterns in chosen.items():
        if field != "service":
            value = machine.size.name if field == "size" else str(getattr(machine, field))
            if not any(fnmatchcase(value, pattern) for pattern in patterns):
                return False
    return True


def _serves(host: Host, chosen: Mapping[str, Patterns]) -> bool:
    patterns = chosen.get("service")
    services = {entry["ads_instance"]["service"] for entry in host.variables["ads_instances"]} if patterns else ()
    return not patterns or any(fnmatchcase(service, pattern) for service in services for pattern in patterns)


def _checked_states(states: Collection[str]) -> Collection[str]:
    known = [str(state) for state in EnvironmentState]
    for state in states:
        if state not in known:
            raise Invalid(f"'{state}' is no state of an environment", place="states", remedy=f"use {', '.join(known)}")
    return states


def _checked_filters(filters: Mapping[str, str | Patterns]) -> Mapping[str, Patterns]:
    for name in filters:
        if name not in FILTERS:
            raise Invalid(
                f"machines have no '{name}' to choose by", place="filters", remedy=f"use {', '.join(FILTERS)}"
            )
    return {name: [value] if isinstance(value, str) else list(map(str, value)) for name, value in filters.items()}
