"""The simulated cloud as a gateway: all capabilities, thousands of machines, none of them real."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, literal, or_, select, update

from adslib.adapters.gateways.orders import check_choice, check_size, checked_id
from adslib.adapters.gateways.sim import images
from adslib.adapters.gateways.sim.cloud import Cloud
from adslib.adapters.gateways.sim.faults import Faults
from adslib.adapters.gateways.sim.rows import ABILITIES, KIND, checked_address, free_address, new_row, sighting
from adslib.adapters.gateways.sim.tables import gone, machines
from adslib.domain.errors import Conflict, Failed, Invalid, NotFound
from adslib.domain.gateway import Capability, Changes, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.machine import Size
from adslib.domain.names import checked_name

SYSTEMS = ("debian-12", "rocky-9", "ubuntu-24.04")


class SimulatedGateway:
    """The gateway of a simulated cloud (A8, A9).

    Args:
        cloud: where it is kept. faults: what goes wrong. boot: seconds until a machine is up.
        quota: how many machines there may be. sizes: what they can be. locations: empty: any.
        systems: what it runs, the default first. lacks: what it cannot do; all else it can.
    """

    kind = "sim"

    def __init__(
        self,
        cloud: Cloud,
        faults: Faults,
        *,
        boot: float,
        quota: int,
        sizes: tuple[Size, ...],
        locations: tuple[str, ...],
        systems: tuple[str, ...],
        lacks: frozenset[Capability] = frozenset(),
    ) -> None:
        self.capabilities = frozenset(Capability) - lacks
        self.name = cloud.name
        self._cloud = cloud
        self._faults = faults
        self._boot = boot
        self._quota = quota
        self._sizes = sizes
        self._locations = locations
        self._systems = systems
        self._all = select(machines).where(machines.c.cloud == self.name)

    # ── making and deleting ──────────────────────────────────────────────────────────────────────────

    def create(self, order: Order) -> Sighting:
        """Simulate a new machine."""
        self._faults.enter("create", order.id)
        with self._cloud.reading() as reading:
            self._check(order, reading)
            known = reading.execute(self._all.where(machines.c.id == order.id)).first()
        if known:
            return self._seen(known)
        self._faults.refuse(order.id)
        with self._cloud.changing() as (connection, serial):
            made = connection.execute(self._all.where(machines.c.id == order.id)).first()
            made = made or self._make(order, connection, serial)
        self._faults.time_out(order.id)
        return self._seen(made)

    def delete(self, ref: str) -> None:
        """Remove a simulated machine and its snapshots."""
        self._faults.enter("delete", ref)
        with self._cloud.changing() as (connection, serial):
            images.remove_snapshots(connection, self.name, ref)
            found = connection.execute(delete(machines).where(machines.c.cloud == self.name, machines.c.ref == ref))
            if found.rowcount:
                connection.execute(insert(gone).values(cloud=self.name, ref=ref, changed=serial))

    # ── running ──────────────────────────────────────────────────────────────────────────────────────

    def start(self, ref: str) -> Sighting:
        """Switch a simulated machine on."""
        return self._switch("start", ref, on=True)

    def stop(self, ref: str) -> Sighting:
        """Switch a simulated machine off."""
        return self._switch("stop", ref, on=False)

    def reboot(self, ref: str) -> Sighting:
        """Switch a simulated machine off and on again."""
        return self._switch("reboot", ref, on=True, again=True)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def look(self, ref: str) -> Sighting:
        """Read one simulated machine."""
        self._faults.enter("look", ref)
        with self._cloud.reading() as connection:
            return self._seen(self._one(connection, ref))

    def machines(self) -> Sequence[Sighting]:
        """Read all simulated machines, in the order of their making."""
        self._faults.enter("machines")
        with self._cloud.reading() as connection:
            return tuple(map(self._seen, connection.execute(self._all.order_by(machines.c.ref))))

    def changes(self, since: str = "") -> Changes:
        """Tell what changed after a mark, a machine that has finished booting included."""
        self._faults.enter("changes", since)
        serial, _, moment = since.partition("@")
        try:
            after, before = int(serial or 0), float(moment or 0)
        except ValueError as error:
            raise Invalid(
                f"'{since}' is no mark of simulated cloud '{self.name}'", remedy="begin without one"
            ) from error
        now = time.time()
        booted = and_(machines.c.ready > before, machines.c.ready <= now)
        with self._cloud.reading() as connection:
            wanted = or_(machines.c.changed > after, booted, literal(self._faults.power_flaps > 0))
            moved = connection.execute(self._all.where(wanted)).all()
            lost = connection.execute(select(gone).where(gone.c.cloud == self.name, gone.c.changed > after)).all()
        latest = max([after, *(row.changed for row in moved), *(row.changed for row in lost)])
        return Changes(f"{latest}@{now}", tuple(map(self._seen, moved)), tuple(row.ref for row in lost))

    def offer(self) -> Offer:
        """Offer what the options say."""
        self._faults.enter("offer")
        with self._cloud.reading() as connection:
            there = connection.scalars(select(machines.c.id).where(machines.c.cloud == self.name)).all()
        return Offer(
            gateway=self.name,
            kind=KIND,
            sizes=self._sizes,
            locations=self._locations,
            systems=self._systems,
            capabilities=ABILITIES,
            room=max(0, self._quota - len(there)),
            counted=frozenset(there),
        )

    # ── templates and snapshots ──────────────────────────────────────────────────────────────────────

    def templates(self) -> Sequence[InstanceTemplate]:
        """List the instance templates: one for each system, and those that were uploaded."""
        self._faults.enter("templates")
        with self._cloud.reading() as connection:
            return images.all_templates(connection, self.name, self._systems)

    def upload_template(self, name: str, path: str) -> InstanceTemplate:
        """Note the size and the digest of a file; its content does not matter to a simulation."""
        self._faults.enter("upload_template", name)
        if name in self._systems:
            message = f"instance template '{name}' is built in"
            raise Conflict(message, remedy="choose another name")
        digest, size = images.digest_of(path)
        with self._cloud.changing() as (connection, _serial):
            images.add_template(connection, self.name, checked_name(name, "an instance template"), digest, size)
        return InstanceTemplate(name, "", size)

    def create_template(self, ref: str, name: str) -> InstanceTemplate:
        """Note an instance template; there is no disk to make it of."""
        self._faults.enter("create_template", ref)
        checked_name(name, "an instance template")
        with self._cloud.changing() as (connection, _serial):
            self._one(connection, ref)
            taken = images.all_templates(connection, self.name, self._systems)
            if name in {template.name for template in taken}:
                message = f"there is another instance template '{name}'"
                raise Conflict(message, remedy="choose another name or delete it")
            images.add_template(connection, self.name, name, ref, 0)
        return InstanceTemplate(name)

    def delete_template(self, name: str) -> None:
        """Remove an instance template that no machine was made from; nothing happens if it is gone."""
        self._faults.enter("delete_template", name)
        if name in self._systems:
            raise Invalid(f"instance template '{name}' is built in and stays")
        with self._cloud.changing() as (connection, _serial):
            images.remove_template(connection, self.name, name)

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """List the snapshots of a simulated machine."""
        self._faults.enter("snapshots", ref)
        with self._cloud.reading() as connection:
            self._one(connection, ref)
            return images.snapshots_of(connection, self.name, ref)

    def create_snapshot(self, ref: str, name: str) -> Snapshot:
        """Note a snapshot; there is no disk to save."""
        self._faults.enter("create_snapshot", ref)
        with self._cloud.changing() as (connection, serial):
            self._one(connection, ref)
            return images.add_snapshot(connection, self.name, ref, name, serial)

    def restore_snapshot(self, ref: str, name: str) -> Sighting:
        """Go back to a snapshot: a machine that runs boots anew."""
        with self._cloud.reading() as connection:
            on = self._one(connection, ref).power
            images.check_snapshot(connection, self.name, ref, name)
        return self._switch("restore_snapshot", ref, on=on, again=True)

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Remove a snapshot; nothing happens if it is gone."""
        self._faults.enter("delete_snapshot", ref)
        with self._cloud.changing() as (connection, _serial):
            self._one(connection, ref)
            images.remove_snapshots(connection, self.name, ref, checked_name(name, "a snapshot"))

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _check(self, order: Order, connection: Connection) -> None:
        """Refuse an order that cannot be met, before anything is done."""
        checked_id(order.id)
        check_size(order.size, self._sizes)
        check_choice("operating system", order.os, self._systems)
        if self._locations:
            check_choice("location", order.location, self._locations)
        if order.image:
            known = images.all_templates(connection, self.name, self._systems)
            check_choice("instance template", order.image, [template.name for template in known])
        if order.address:
            checked_address(order.address)

    def _make(self, order: Order, connection: Connection, serial: int) -> Row[Any]:
        count = self._count(connection)
        if count >= self._quota:
            message = f"the quota of simulated cloud '{self.name}' is used up: {count} machines of {self._quota}"
            raise Failed(message, remedy="delete machines, or raise its option 'quota'")
        row = new_row(order, self.name, serial, free_address(connection, self.name, order.address, serial))
        row["location"] = order.location or next(iter(self._locations), "")
        row["os"] = order.os or (order.image if order.image in self._systems else self._systems[0])
        row["image"] = order.image or row["os"]
        row["boots"] = self._faults.boots(order.id)
        row["ready"] = time.time() + self._boot
        connection.execute(insert(machines).values(row))
        return connection.execute(self._all.where(machines.c.ref == row["ref"])).one()

    def _switch(self, call: str, ref: str, *, on: bool, again: bool = False) -> Sighting:
        """Set the power of a machine; switched on, or on again, it boots."""
        self._faults.enter(call, ref)
        with self._cloud.changing() as (connection, serial):
            row = self._one(connection, ref)
            if row.power != on or again:
                here = and_(machines.c.cloud == self.name, machines.c.ref == ref)
                ready = time.time() + self._boot
                connection.execute(update(machines).where(here).values(power=on, ready=ready, changed=serial))
            return self._seen(self._one(connection, ref))

    def _seen(self, row: Row[Any]) -> Sighting:
        return sighting(row, off=self._faults.off(row.id, time.time()))

    def _one(self, connection: Connection, ref: str) -> Row[Any]:
        row = connection.execute(self._all.where(machines.c.ref == ref)).first()
        if row is None:
            raise NotFound(f"simulated cloud '{self.name}' has no machine '{ref}'")
        return row

    def _count(self, connection: Connection) -> int:
        counted = select(func.count()).select_from(machines).where(machines.c.cloud == self.name)
        return connection.scalar(counted) or 0
