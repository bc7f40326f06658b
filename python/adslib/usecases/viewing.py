"""Machines as an actor sees them: only those of its tenant, as plain data, with what stands on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, overload

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor, Permission
from adslib.domain.definition import Need
from adslib.domain.errors import Forbidden, NotFound
from adslib.domain.machine import Availability, Machine
from adslib.domain.reading import read


def may_see(actor: Actor, tenant: str) -> bool:
    """Whether a tenant's things exist for an actor."""
    return tenant == actor.tenant or Permission.ADMINISTER in actor.permissions


def refuse_foreign(actor: Actor, tenant: str, what: str, remedy: str = "ask its tenant") -> None:
    """Let a thing pass that is the actor's tenant's.

    Raises:
        Forbidden: it is not; code `not-yours`.
    """
    if not may_see(actor, tenant):
        raise Forbidden(f"{what} is not yours", remedy=remedy, code="not-yours")


@overload
def visible_machine(tx: Transaction, actor: Actor, name: str) -> Machine: ...
@overload
def visible_machine(tx: Transaction, actor: Actor, name: str, *, missing_ok: Literal[True]) -> Machine | None: ...
def visible_machine(tx: Transaction, actor: Actor, name: str, *, missing_ok: bool = False) -> Machine | None:
    """The machine of this name, if it exists for the actor.

    Raises:
        NotFound: it does not, unless `missing_ok`.
    """
    found = tx.machines.find(name)
    if found and may_see(actor, found.tenant):
        return found
    if missing_ok:
        return None
    raise NotFound(f"there is no machine '{name}'", remedy="list them with: ads machine list")


def needs_on(tx: Transaction, holders: Iterable[str]) -> dict[str, list[Need]]:
    """What the instances on machines asked for, by machine id, for all machines of some environments."""
    result: dict[str, list[Need]] = {}
    for name in holders:
        environment = tx.environments.get(name)
        services = read(tx.revisions.get(name, environment.deployed or environment.revision).rendered).services
        for standing in tx.standings.of(name):
            need = services[standing.service].need if standing.service in services else Need()
            result.setdefault(standing.machine_id, []).append(need)
    return result


def machine_shown(machine: Machine, available: Availability | None = None) -> dict[str, Any]:
    """A machine as plain data."""
    reach = machine.reach
    return {
        "name": machine.name,
        "id": machine.id,
        "gateway": machine.gateway,
        "ref": machine.ref,
        "state": str(machine.state),
        **({"availability": str(available)} if available else {}),
        "holder": machine.holder,
        "kind": machine.kind,
        "size": machine.size.name,
        "cpu": machine.size.cpu,
        "memory": machine.size.memory,
        "disk": machine.size.disk,
        "os": machine.os,
        "location": machine.location,
        "image": machine.image,
        "connection": str(reach.connection),
        "address": reach.address,
        "port": reach.port,
        "user": reach.user,
        "become": reach.become,
        "key": reach.key,
        "root": reach.root,
        "python": reach.python,
        "variables": dict(reach.vars),
        "capabilities": sorted(machine.capabilities),
        "labels": dict(machine.labels),
        "made": machine.made,
        "reason": machine.reason,
        "tenant": machine.tenant,
        "generation": machine.generation,
        "on_request": machine.on_request,
        "idle_since": machine.idle_since.isoformat() if machine.idle_since else None,
    }
