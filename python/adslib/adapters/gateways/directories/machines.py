"""All machines of one directory: which there are, and how one comes into being and goes without a trace.

A machine is made as `.making-<id>` and takes its name when it is complete; it goes as `.deleting-<id>`. So whatever
has the name of a machine is one, and after a crash it is plain what was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.directories.directory import Directory, Record, remove, settle
from adslib.adapters.gateways.locks import locked
from adslib.adapters.gateways.orders import ID, refuse_full
from adslib.domain.errors import AdsError, Failed, NotFound
from adslib.domain.gateway import Order

MAKING, DELETING = ".making-", ".deleting-"
BUSY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Machines:
    """The directories of all machines.

    Args:
        gateway: its name, for messages. noun: what one is called in them. place: where they lie. os: of all of them.
        image: what they are made from if nothing else is ordered. limit: how many there may be.
        furnish: fills the directory of a new machine with all but its record.
    """

    gateway: str
    noun: str
    place: Path
    os: str
    image: str
    limit: int
    addresses: Addresses
    furnish: Callable[[Directory, Record], None]

    def directory(self, machine_id: str) -> Directory:
        """The directory of a machine, whether there is one or not."""
        return Directory(self.place / machine_id)

    def all(self) -> list[Directory]:
        """All machines by id, also those that are half made or half deleted."""
        if not self.place.is_dir():
            return []
        paths = [path for path in self.place.iterdir() if ID.fullmatch(identity(path)) and path.is_dir()]
        return [Directory(path) for path in sorted(paths, key=identity)]

    def find(self, ref: str) -> Directory:
        """The directory of a machine that there is, even if it is half made or half deleted.

        Raises:
            NotFound: there is none.
        """
        if ID.fullmatch(ref):
            for prefix in ("", MAKING, DELETING):
                path = self.place / f"{prefix}{ref}"
                if path.exists():
                    return Directory(path)
        raise self._unknown(ref)

    @contextmanager
    def busy(self, machine_id: str) -> Iterator[Directory]:
        """Keep everybody else from a machine while the block runs.

        Raises:
            Conflict: somebody else is busy with it for too long.
        """
        self.place.mkdir(parents=True, exist_ok=True)
        lock = self.place / f".{machine_id}.lock"
        with locked(lock, f"{self.noun} '{machine_id}'", BUSY_SECONDS):
            try:
                yield self.directory(machine_id)
            finally:
                if not self.directory(machine_id).path.exists():
                    lock.unlink(missing_ok=True)

    @contextmanager
    def known(self, ref: str) -> Iterator[Directory]:
        """The same for a machine that stands.

        Raises:
            NotFound: there is none. Conflict: somebody else is busy with it for too long.
        """
        if not ID.fullmatch(ref) or not self.directory(ref).path.exists():
            raise self._unknown(ref)
        with self.busy(ref) as machine:
            if not machine.path.exists():
                raise self._unknown(ref)
            yield machine

    def make(self, order: Order) -> None:
        """Make the directory of a machine and claim its address.

        Raises:
            Failed: there are too many, or the disk is full. Conflict: the address is taken.
        """
        machine = self.directory(order.id)
        half = Directory(self.place / f"{MAKING}{order.id}")
        self._begin(half)
        try:
            record = Record(
                id=order.id,
                name=order.name,
                size=order.size,
                os=self.os,
                location=order.location,
                image=order.image or self.image,
                address=self.addresses.claim(machine.path, order.id, order.address),
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                labels=dict(order.labels),
            )
            half.init.mkdir()
            half.snapshots.mkdir()
            self.furnish(half, record)
            half.unstarted.touch()
            half.write(record)
            half.path.rename(machine.path)
            settle(self.place)
        except (AdsError, OSError) as error:
            self.clear(order.id)
            if isinstance(error, OSError):
                message = f"{self.noun} '{order.name}' cannot be made ({error})"
                raise Failed(message, place=str(half.path)) from error
            raise

    def part(self, machine: Directory) -> None:
        """Take a stopped machine out of the machines; `clear` then removes what it was."""
        machine.path.rename(self.place / f"{DELETING}{machine.path.name}")
        settle(self.place)

    def clear(self, machine_id: str) -> None:
        """Remove what is half made or half deleted of a machine that does not stand, and give back its address."""
        halves = [self.place / f"{prefix}{machine_id}" for prefix in (MAKING, DELETING)]
        left = [path for path in halves if path.exists()]
        if left:
            self.addresses.release(self.directory(machine_id).path)
            for path in left:
                remove(path)

    def _begin(self, half: Directory) -> None:
        """Make the directory that a machine grows in, if there may be one more."""
        with locked(self.place / ".lock", f"gateway '{self.gateway}'", BUSY_SECONDS):
            count = len(self.all())
            refuse_full(self.gateway, count, self.limit)
            half.path.mkdir(mode=0o755)

    def _unknown(self, ref: str) -> NotFound:
        return NotFound(f"gateway '{self.gateway}' has no machine '{ref}'", place=str(self.place))


def identity(path: Path) -> str:
    """The id of the machine that a directory is or was to be."""
    return path.name.removeprefix(MAKING).removeprefix(DELETING)
