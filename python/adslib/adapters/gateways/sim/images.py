"""What a simulated cloud keeps beside its machines: instance templates and snapshots.

Of a template only name, size and digest are kept, of a snapshot only name and time: there are no disks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from adslib.adapters.gateways.sim.tables import machines, snapshots, templates
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.gateway import InstanceTemplate, Snapshot
from adslib.domain.names import checked_name


def digest_of(path: str) -> tuple[str, int]:
    """The SHA-256 and the size in bytes of a file.

    Raises:
        Invalid: it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file_digest(file, "sha256").hexdigest(), Path(path).stat().st_size
    except OSError as error:
        raise Invalid(f"it cannot be read ({error.strerror})", place=path) from error


def all_templates(connection: Connection, cloud: str, systems: Sequence[str]) -> tuple[InstanceTemplate, ...]:
    """The templates by name: one for each system, and those that were uploaded."""
    rows = connection.execute(select(templates).where(templates.c.cloud == cloud))
    uploaded = [InstanceTemplate(row.name, "", row.size_bytes) for row in rows]
    return tuple(sorted([*uploaded, *(InstanceTemplate(os, os) for os in systems)], key=lambda each: each.name))


def add_template(connection: Connection, cloud: str, name: str, digest: str, size: int) -> None:
    """Note a template; the same one again changes nothing.

    Raises:
        Conflict: there is another of that name.
    """
    known = select(templates.c.digest).where(templates.c.cloud == cloud, templates.c.name == name)
    there = connection.scalar(known)
    if there is None:
        row = {"cloud": cloud, "name": name, "os": "", "size_bytes": size, "digest": digest}
        connection.execute(insert(templates).values(row))
    elif there != digest:
        message = f"there is another instance template '{name}'"
        raise Conflict(message, remedy="choose another name or delete it")


def remove_template(connection: Connection, cloud: str, name: str) -> None:
    """Remove a template; nothing happens if it is gone.

    Raises:
        Conflict: a machine was made from it.
    """
    user = connection.scalar(select(machines.c.name).where(machines.c.cloud == cloud, machines.c.image == name))
    if user:
        message = f"machine '{user}' was made from instance template '{name}'"
        raise Conflict(message, remedy="delete the machine first")
    connection.execute(delete(templates).where(templates.c.cloud == cloud, templates.c.name == name))


def snapshots_of(connection: Connection, cloud: str, ref: str) -> tuple[Snapshot, ...]:
    """The snapshots of a machine, oldest first."""
    rows = connection.execute(select(snapshots).where(_of(cloud, ref)).order_by(snapshots.c.number))
    return tuple(Snapshot(row.name, ref, row.taken) for row in rows)


def add_snapshot(connection: Connection, cloud: str, ref: str, name: str, number: int) -> Snapshot:
    """Note a snapshot.

    Raises:
        Invalid: it is no name. Conflict: the name is taken.
    """
    checked_name(name, "a snapshot")
    if any(known.name == name for known in snapshots_of(connection, cloud, ref)):
        message = f"machine '{ref}' has a snapshot '{name}' already"
        raise Conflict(message, remedy="choose another name, or delete it first")
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    row = {"cloud": cloud, "ref": ref, "name": name, "number": number, "taken": taken}
    connection.execute(insert(snapshots).values(row))
    return Snapshot(name, ref, taken)


def check_snapshot(connection: Connection, cloud: str, ref: str, name: str) -> None:
    """Make sure that there is such a snapshot.

    Raises:
        NotFound: there is none.
    """
    known = [snapshot.name for snapshot in snapshots_of(connection, cloud, ref)]
    if name not in known:
        message = f"machine '{ref}' has no snapshot '{name}'"
        raise NotFound(message, remedy=f"there are: {', '.join(known) or 'none'}")


def remove_snapshots(connection: Connection, cloud: str, ref: str, name: str = "") -> None:
    """Remove a snapshot, or all of a machine; nothing happens if there is none."""
    chosen = and_(_of(cloud, ref), snapshots.c.name == name) if name else _of(cloud, ref)
    connection.execute(delete(snapshots).where(chosen))


def _of(cloud: str, ref: str) -> ColumnElement[bool]:
    return and_(snapshots.c.cloud == cloud, snapshots.c.ref == ref)
