"""Why a change of machines was refused, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from sqlalchemy import select

from adslib.adapters.store.generations import AGAIN
from adslib.adapters.store.schema import environments, machines, standings
from adslib.adapters.store.statements import Statements, chunks
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.machine import Machine

RENAME = "choose another, or change the one that is there"


def refuse_held(machine: str, holder: str) -> NoReturn:
    """Raise the `Conflict` of a machine that somebody else holds."""
    raise Conflict(f"machine '{machine}' is held by environment '{holder}'", remedy="plan again with what is free")


def refuse_taken(statements: Statements, refused: Sequence[Machine], *, new: bool) -> None:
    """Find what a constraint of the machines spoke against.

    Args:
        new: they were to be added; otherwise they were to be changed, so their ids are rightly there.

    Raises:
        Conflict: a name, an id or a gateway's ref is given twice or taken. NotFound: there is no such holder.
    """
    ids = {machine.id for machine in refused}
    taken: dict[tuple[str, ...], str] = {}
    for name, machine_id, gateway, ref in _alike(statements, refused):
        if new or machine_id not in ids:
            taken |= {("name", name): name, ("id", machine_id): name, ("ref", gateway, ref): name}
    for machine in refused:
        for key, message in (
            (("name", machine.name), "there is already a machine '{0}'"),
            (("id", machine.id), "machine '{0}' already has the id '{1}'"),
            (("ref", machine.gateway, machine.ref), "machine '{0}' is already known as '{2}' of gateway '{1}'"),
        ):
            if key in taken and key[-1]:
                raise Conflict(message.format(taken[key], *key[1:]), place=f"machine '{machine.name}'", remedy=RENAME)
            taken[key] = machine.name
    for holder in sorted({machine.holder for machine in refused if machine.holder}):
        if not statements.first(select(environments.c.name).where(environments.c.name == holder)):
            raise NotFound(f"there is no environment '{holder}'", remedy="create it first")


def _alike(statements: Statements, wanted: Sequence[Machine]) -> Iterator[tuple[str, str, str, str]]:
    query = select(machines.c.name, machines.c.id, machines.c.gateway, machines.c.ref)
    for column, own in (
        (machines.c.name, [machine.name for machine in wanted]),
        (machines.c.id, [machine.id for machine in wanted]),
        (machines.c.ref, [machine.ref for machine in wanted if machine.ref]),
    ):
        for chunk in chunks(own):
            for row in statements.rows(query.where(column.in_(chunk))):
                yield row.name, row.id, row.gateway, row.ref


def refuse_stale(statements: Statements, changed: Sequence[Machine]) -> NoReturn:
    """Say which of the changed machines is not what was read.

    Raises:
        NotFound: it is gone. Conflict: it was changed, or somebody else holds it.
    """
    for chunk in chunks(changed):
        wanted = machines.c.id.in_([machine.id for machine in chunk])
        query = select(machines.c.id, machines.c.generation, machines.c.holder, machines.c.state).where(wanted)
        there = {row.id: row for row in statements.rows(query)}
        for machine in chunk:
            row = there.get(machine.id)
            if row is None:
                raise NotFound(f"there is no machine '{machine.name}' any more", remedy="list them: ads machine list")
            if row.generation != machine.generation or (row.holder or "") != machine.holder:
                held = f", held by environment '{row.holder}'" if row.holder else ", held by nobody"
                raise Conflict(
                    f"machine '{machine.name}' was changed by somebody else: it is at generation {row.generation}, "
                    f"{row.state}{held}; you have read generation {machine.generation}",
                    remedy=AGAIN,
                )
    raise Conflict("one of the machines was changed by somebody else", remedy=AGAIN)


def refuse_used(statements: Statements, ids: Sequence[str]) -> None:
    """Let machines pass that nothing stands on.

    Raises:
        Conflict: an instance stands on one of them.
    """
    query = select(machines.c.name, standings.c.environment, standings.c.instance).join_from(machines, standings)
    for chunk in chunks(ids):
        if row := statements.first(query.where(machines.c.id.in_(chunk))):
            raise Conflict(
                f"instance '{row.instance}' of environment '{row.environment}' still stands on machine '{row.name}'",
                remedy="undeploy or move it first",
            )
