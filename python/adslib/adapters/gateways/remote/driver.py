"""What a connector to a provider tells and does: plain facts and single acts. `RemoteGateway` keeps the promises."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from adslib.domain.errors import AdsError
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot


class Driver(Protocol):
    """One provider, as its library speaks to it. Errors are the library's own; `told` and `passing` read them.

    A connector has the methods of the capabilities that it declares; nobody calls the others. Every call has a time
    limit of its own.
    """

    kind: str
    """The kind of the gateway, such as `proxmox`."""
    capabilities: frozenset[Capability]
    refs: re.Pattern[str]
    """What a ref of this provider looks like; nothing else is ever asked after."""
    images: Mapping[str, str]
    """Operating systems, the default first, and what the provider calls the images of theirs. They are built in."""

    def told(self, error: Exception) -> AdsError | None:
        """What an error of the library means; None: it is a defect, not the provider's answer."""

    def passing(self, error: Exception) -> bool:
        """Whether the same call may well succeed a little later."""

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """All machines, also those that ads did not make."""

    def machine(self, ref: str) -> Sighting | None:
        """One machine; None if there is none. It is `creating` until it can be reached at its address."""

    def find(self, id: str) -> Sighting | None:
        """The machine that was made for an order, however far its making came."""

    def offer(self) -> Offer:
        """What can be made: sizes, smallest first, locations, systems, costs. Its `room` is not looked at."""

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def make(self, order: Order) -> str:
        """Begin to make a machine, tagged with the order's id from its first moment, or go on where it was left.

        Args:
            order: checked against the offer; its size and its system are filled in.

        Returns: its ref. Nobody waits here for it to run.
        """

    def delete(self, ref: str) -> None:
        """Begin to remove a machine with its disks; it has no snapshots any more."""

    def start(self, ref: str) -> None:
        """Begin to switch a machine on."""

    def stop(self, ref: str) -> None:
        """Begin to shut a machine down."""

    def reboot(self, ref: str) -> None:
        """Begin to shut down a machine that runs, and start it again."""

    # ── snapshots and instance templates ─────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """The snapshots of a machine, oldest first."""

    def create_snapshot(self, ref: str, name: str) -> None:
        """Save a machine under a name that is free, and wait for it."""

    def restore_snapshot(self, ref: str, name: str) -> None:
        """Bring a machine back to a snapshot that there is; it may be stopped afterwards."""

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Remove a snapshot that there is."""

    def templates(self) -> Sequence[InstanceTemplate]:
        """The instance templates that were made or uploaded, without those of `images`."""

    def upload_template(self, name: str, path: str) -> None:
        """Take a file as an instance template.

        Raises:
            Conflict: there is another of this name. Invalid: the file will not do.
        """

    def create_template(self, ref: str, name: str) -> None:
        """Make an instance template of a machine, under a name that is free, and wait for it."""

    def delete_template(self, name: str) -> None:
        """Remove an instance template that there is, with what it is stored on.

        Raises:
            Conflict: a machine needs it.
        """
