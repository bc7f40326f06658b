"""What a gateway does with operations that it does not offer: it refuses them before anything happens."""

from __future__ import annotations

from collections.abc import Sequence

from adslib.domain.errors import Unsupported
from adslib.domain.gateway import Capability, InstanceTemplate, Order, Sighting, Snapshot


class Refusal:
    """Refuses every operation of `Gateway` that depends on a capability; a gateway overrides those that it offers."""

    name: str
    kind: str
    capabilities: frozenset[Capability]

    def create(self, order: Order) -> Sighting:
        """Refuse to make a machine."""
        raise self._refused("make machines")

    def delete(self, ref: str) -> None:
        """Refuse to delete a machine."""
        raise self._refused("delete machines")

    def start(self, ref: str) -> Sighting:
        """Refuse to start a machine."""
        raise self._refused("start machines")

    def stop(self, ref: str) -> Sighting:
        """Refuse to stop a machine."""
        raise self._refused("stop machines")

    def reboot(self, ref: str) -> Sighting:
        """Refuse to reboot a machine."""
        raise self._refused("reboot machines")

    def templates(self) -> Sequence[InstanceTemplate]:
        """Refuse to list instance templates."""
        raise self._refused("keep instance templates")

    def upload_template(self, name: str, path: str) -> InstanceTemplate:
        """Refuse to take an instance template."""
        raise self._refused("keep instance templates")

    def create_template(self, ref: str, name: str) -> InstanceTemplate:
        """Refuse to make an instance template of a machine."""
        raise self._refused("make instance templates of machines")

    def delete_template(self, name: str) -> None:
        """Refuse to remove an instance template."""
        raise self._refused("keep instance templates")

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """Refuse to list snapshots."""
        raise self._refused("take snapshots")

    def create_snapshot(self, ref: str, name: str) -> Snapshot:
        """Refuse to take a snapshot."""
        raise self._refused("take snapshots")

    def restore_snapshot(self, ref: str, name: str) -> Sighting:
        """Refuse to go back to a snapshot."""
        raise self._refused("take snapshots")

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Refuse to remove a snapshot."""
        raise self._refused("take snapshots")

    def _refused(self, what: str) -> Unsupported:
        offered = ", ".join(sorted(self.capabilities)) or "nothing of the kind"
        return Unsupported(f"gateway '{self.name}' ({self.kind}) cannot {what}", remedy=f"it offers {offered}")
