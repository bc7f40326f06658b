"""A gateway over a provider: idempotent, bounded in time, and sure of what is rather than of what was answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from adslib.adapters.gateways.locks import locked
from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.orders import check_choice, check_size, checked_id, refuse_full
from adslib.adapters.gateways.refusal import Refusal
from adslib.adapters.gateways.remote.calls import Calls
from adslib.adapters.gateways.remote.driver import Driver
from adslib.domain.errors import Conflict, Failed, Invalid, NotFound
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.lifecycle import MachineState
from adslib.domain.names import checked_name

RUNNING, STOPPED = MachineState.RUNNING, MachineState.STOPPED
GONE = (None, MachineState.DELETING)
BUSY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What every gateway over a provider lets its user choose.

    Args:
        limit: how many machines ads may have there; 0: as many as the provider gives.
        patience: seconds to wait until a machine runs, stops or is gone.
    """

    limit: int
    patience: float


def read_terms(read: Options) -> Terms:
    """Read these options among those of a connector."""
    return Terms(read.whole("limit", 0), read.number("patience", 300, least=1, most=7200))


class RemoteGateway(Refusal):
    """The gateway over a driver (A8, A9).

    Args:
        name: its name. driver: speaks to the provider. terms: see there. place: a directory for its locks.
    """

    def __init__(self, name: str, driver: Driver, terms: Terms, place: Path) -> None:
        self.name = name
        self.kind = driver.kind
        self.capabilities = driver.capabilities
        self._driver = driver
        self._terms = terms
        self._place = place
        self._calls = Calls(name, driver, terms.patience)

    # ── making and deleting ──────────────────────────────────────────────────────────────────────────

    def create(self, order: Order) -> Sighting:
        """Make a machine and wait until it can be reached; what was made for the order before is found by its tag."""
        self._must(Capability.CREATE, "make machines")
        order = self._checked(order)
        with self._busy(order.id):
            seen = self._calls.ask(lambda: self._driver.find(order.id))
            if seen is None or seen.state is MachineState.CREATING:
                with self._place_for(order.id):
                    # Looked for again at each try: a call that failed may have been heard.
                    ref = self._calls.ask(lambda: self._made(order))
                seen = self._awaited(ref, "it did not run", RUNNING, STOPPED)
            return seen

    def delete(self, ref: str) -> None:
        """Remove a machine and all that was kept of it; called again, it goes on where it was interrupted."""
        self._must(Capability.DELETE, "delete machines")
        if not self._driver.refs.fullmatch(ref):
            return
        with self._busy(ref):
            seen = self._look(ref)
            if seen is None:
                return
            if Capability.SNAPSHOTS in self.capabilities and seen.state is not MachineState.DELETING:
                for snapshot in self._calls.ask(lambda: self._driver.snapshots(ref)):
                    self._delete_snapshot(ref, snapshot.name)
            self._calls.ask(lambda: self._driver.delete(ref))
            self._ran(ref).unlink(missing_ok=True)
            self._calls.awaited(lambda: self._driver.machine(ref), _gone, f"machine '{seen.name}' did not go")

    # ── running ──────────────────────────────────────────────────────────────────────────────────────

    def start(self, ref: str) -> Sighting:
        """Start a stopped machine and wait until it can be reached."""
        self._must(Capability.START, "start machines")
        with self._known(ref) as seen:
            return self._started(seen)

    def stop(self, ref: str) -> Sighting:
        """Shut a machine down and wait for that."""
        self._must(Capability.STOP, "stop machines")
        with self._known(ref) as seen:
            self._ran(ref).unlink(missing_ok=True)
            if seen.state is STOPPED:
                return seen
            self._calls.ask(lambda: self._driver.stop(ref))
            return self._awaited(ref, "it did not stop", STOPPED)

    def reboot(self, ref: str) -> Sighting:
        """Shut a machine down and start it again."""
        self._must(Capability.REBOOT, "reboot machines")
        with self._known(ref) as seen:
            if seen.state is STOPPED:
                return self._started(seen)
            self._calls.ask(lambda: self._driver.reboot(ref))
            return self._awaited(ref, "it did not run", RUNNING)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def look(self, ref: str) -> Sighting:
        """Read one machine at the provider."""
        seen = self._look(ref) if self._driver.refs.fullmatch(ref) else None
        if seen is None:
            raise NotFound(f"gateway '{self.name}' has no machine '{ref}'")
        return seen

    def machines(self) -> Sequence[Sighting]:
        """Read all machines at the provider, in the order of their refs."""
        return sorted(self._calls.ask(self._driver.machines), key=lambda seen: seen.ref)

    def offer(self) -> Offer:
        """Offer what the provider makes, as many as the limit allows."""
        limit = self._terms.limit
        if Capability.CREATE not in self.capabilities:
            return replace(self._offered, room=0)
        if not limit:
            return replace(self._offered, room=None)
        there = self._ours()
        return replace(self._offered, room=max(0, limit - len(there)), counted=frozenset(there))

    # ── snapshots ────────────────────────────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """List the snapshots of a machine."""
        self._must(Capability.SNAPSHOTS, "take snapshots")
        self.look(ref)
        return tuple(self._calls.ask(lambda: self._driver.snapshots(ref)))

    def create_snapshot(self, ref: str, name: str) -> Snapshot:
        """Save a machine."""
        self._must(Capability.SNAPSHOTS, "take snapshots")
        checked_name(name, "a snapshot")
        with self._known(ref) as seen:
            if name in self._snapshots(ref):
                message = f"machine '{seen.name}' has a snapshot '{name}' already"
                raise Conflict(message, remedy="choose another name, or delete it first")
            self._unless(lambda: name in self._snapshots(ref), lambda: self._driver.create_snapshot(ref, name))
            return self._snapshots(ref)[name]

    def restore_snapshot(self, ref: str, name: str) -> Sighting:
        """Bring a machine back to a snapshot; if it ran it runs again, also when that was interrupted meanwhile."""
        self._must(Capability.SNAPSHOTS, "take snapshots")
        with self._known(ref) as seen:
            known = self._snapshots(ref)
            if name not in known:
                message = f"machine '{seen.name}' has no snapshot '{name}'"
                raise NotFound(message, remedy=f"there are: {', '.join(known) or 'none'}")
            ran = self._ran(ref)
            if seen.state is RUNNING:
                ran.touch()
            self._calls.ask(lambda: self._driver.restore_snapshot(ref, name))
            now = self._awaited(ref, "it did not come back", RUNNING, STOPPED)
            if ran.exists():
                now = self._started(now)
                ran.unlink()
                return now
            if now.state is RUNNING:
                self._calls.ask(lambda: self._driver.stop(ref))
            return self._awaited(ref, "it did not stop", STOPPED)

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Remove a snapshot; nothing happens if it is gone."""
        self._must(Capability.SNAPSHOTS, "take snapshots")
        with self._known(ref):
            self._delete_snapshot(ref, name)

    # ── instance templates ───────────────────────────────────────────────────────────────────────────

    def templates(self) -> Sequence[InstanceTemplate]:
        """List the images of the operating systems, and the instance templates that were made or uploaded."""
        self._must(Capability.TEMPLATES, "keep instance templates")
        return sorted([*self._built_in, *self._templates().values()], key=lambda template: template.name)

    def upload_template(self, name: str, path: str) -> InstanceTemplate:
        """Take an instance template from a file."""
        self._must(Capability.UPLOAD, "take instance templates from a file")
        checked_name(name, "an instance template")
        self._refuse_built_in(name)
        if not Path(path).is_file():
            raise Invalid("it cannot be read: there is no such file", place=path)
        with self._busy(f"template {name}"):
            self._calls.ask(lambda: self._driver.upload_template(name, path))
            return self._templates()[name]

    def create_template(self, ref: str, name: str) -> InstanceTemplate:
        """Make an instance template of a machine."""
        self._must(Capability.CAPTURE, "make instance templates of machines")
        checked_name(name, "an instance template")
        self._refuse_built_in(name)
        with self._known(ref), self._busy(f"template {name}"):
            if name in self._templates():
                message = f"there is another instance template '{name}'"
                raise Conflict(message, remedy="choose another name or delete it")
            self._unless(lambda: name in self._templates(), lambda: self._driver.create_template(ref, name))
            return self._templates()[name]

    def delete_template(self, name: str) -> None:
        """Remove an instance template; nothing happens if it is gone."""
        self._must(Capability.TEMPLATES, "keep instance templates")
        if name in self._driver.images:
            raise Invalid(f"instance template '{name}' is built in and stays")
        with self._busy(f"template {name}"):
            self._unless(lambda: name not in self._templates(), lambda: self._driver.delete_template(name))

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _must(self, capability: Capability, what: str) -> None:
        if capability not in self.capabilities:
            raise self._refused(what)

    @cached_property
    def _offered(self) -> Offer:
        """What does not change while a gateway is open."""
        return self._calls.ask(self._driver.offer)

    @property
    def _built_in(self) -> list[InstanceTemplate]:
        return [InstanceTemplate(system, system) for system in self._driver.images]

    def _checked(self, order: Order) -> Order:
        """The order with what was left open, if it can be met; nothing was done yet."""
        offer = self._offered
        checked_id(order.id)
        check_size(order.size, offer.sizes)
        check_choice("operating system", order.os, offer.systems)
        if offer.locations:
            check_choice("location", order.location, offer.locations)
        if order.image and order.image not in self._driver.images:
            known = self.templates() if Capability.TEMPLATES in self.capabilities else self._built_in
            check_choice("instance template", order.image, [template.name for template in known])
        image = order.image or order.os or offer.systems[0]
        system = order.os or (image if image in offer.systems else "")
        return replace(order, os=system, image=image)

    def _unless(self, done: Callable[[], bool], act: Callable[[], None]) -> None:
        """Act unless it is done; asked anew at each try, as a call that failed may have been heard."""
        self._calls.ask(lambda: None if done() else act())

    def _made(self, order: Order) -> str:
        seen = self._driver.find(order.id)
        return seen.ref if seen and seen.state is not MachineState.CREATING else self._driver.make(order)

    def _started(self, seen: Sighting) -> Sighting:
        if seen.state is not RUNNING:
            self._calls.ask(lambda: self._driver.start(seen.ref))
        return self._awaited(seen.ref, "it did not run", RUNNING)

    def _awaited(self, ref: str, what: str, *states: MachineState) -> Sighting:
        """Wait until a machine is in one of some states.

        Raises:
            Failed: it takes too long, or the machine failed. NotFound: it is gone.
        """
        ends = (*states, MachineState.FAILED, *GONE)
        seen = self._calls.awaited(
            lambda: self._driver.machine(ref), lambda now: (now and now.state) in ends, f"machine '{ref}': {what}"
        )
        if seen is None or seen.state is MachineState.DELETING:
            raise NotFound(f"gateway '{self.name}' has no machine '{ref}' any more")
        if seen.state is MachineState.FAILED:
            raise Failed(f"{what}: {seen.reason or 'its provider says that it failed'}", place=seen.name)
        return seen

    def _ran(self, ref: str) -> Path:
        """The mark of a machine that ran before it went back to a snapshot."""
        return self._place / f"{quote(ref, safe=' ')}.ran"

    def _look(self, ref: str) -> Sighting | None:
        return self._calls.ask(lambda: self._driver.machine(ref))

    def _snapshots(self, ref: str) -> Mapping[str, Snapshot]:
        return {snapshot.name: snapshot for snapshot in self._calls.ask(lambda: self._driver.snapshots(ref))}

    def _delete_snapshot(self, ref: str, name: str) -> None:
        self._unless(lambda: name not in self._snapshots(ref), lambda: self._driver.delete_snapshot(ref, name))

    def _templates(self) -> Mapping[str, InstanceTemplate]:
        return {template.name: template for template in self._calls.ask(self._driver.templates)}

    def _refuse_built_in(self, name: str) -> None:
        if name in self._driver.images:
            raise Conflict(f"instance template '{name}' is built in", remedy="choose another name")

    # ── one at a time ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _busy(self, thing: str) -> Iterator[None]:
        """Keep the other processes of this home from a thing while the block runs.

        Raises:
            Conflict: somebody else is busy with it for too long.
        """
        path = self._lock(thing)
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path, f"gateway '{self.name}', '{thing}'", BUSY_SECONDS):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _known(self, ref: str) -> Iterator[Sighting]:
        """The same for a machine that there is."""
        self.look(ref)
        with self._busy(ref):
            yield self.look(ref)

    def _ours(self) -> list[str]:
        return [seen.id for seen in self._calls.ask(self._driver.machines) if seen.id]

    @contextmanager
    def _place_for(self, id: str) -> Iterator[None]:
        """Keep a place within the limit for an order while the block runs, until the provider can count its machine.

        Raises:
            Failed: there is none; those that are being made count too.
        """
        if not self._terms.limit:
            yield
            return
        mark = self._place / "making" / id
        with self._busy("limit"):
            mark.parent.mkdir(exist_ok=True)
            # Those that are being made first: one that is done meanwhile is then found at the provider.
            refuse_full(self.name, len({*self._making(), *self._ours()} - {id}), self._terms.limit)
            mark.touch()
        try:
            yield
        finally:
            mark.unlink()

    def _making(self) -> Iterator[str]:
        """The orders that are being made; what a killed process left of its own is cleared away."""
        for mark in (self._place / "making").iterdir():
            try:
                with locked(self._lock(mark.name), mark.name, 0):
                    mark.unlink(missing_ok=True)
            except Conflict:
                yield mark.name

    def _lock(self, thing: str) -> Path:
        return self._place / f".{quote(thing, safe=' ')}.lock"


def _gone(seen: Sighting | None) -> bool:
    return (seen and seen.state) in GONE
