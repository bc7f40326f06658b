"""Snapshots of machines at EC2: of the disk that they boot from, which is exchanged when one goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from libcloud.compute.base import Node, StorageVolume, VolumeSnapshot
from libcloud.compute.types import StorageVolumeState, VolumeSnapshotState

from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.adapters.gateways.libcloud.per_thread import PerThread
from adslib.adapters.gateways.remote.calls import Calls
from adslib.domain.errors import Failed
from adslib.domain.gateway import Snapshot

OF, SNAPSHOT, TAKEN = "ads-of", "ads-snapshot", "ads-taken"
"""Tags: the machine that a volume or a snapshot belongs to, the name of a snapshot, and when it was taken."""

STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Disks:
    """The disks of one region.

    Args:
        library: gives a driver. calls: waits.
    """

    library: PerThread[Library]
    calls: Calls

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """The snapshots of a machine, oldest first."""
        tags = [saved.extra["tags"] for saved in self._saved({f"tag:{OF}": ref})]
        made = (Snapshot(tag[SNAPSHOT], ref, tag[TAKEN]) for tag in tags if SNAPSHOT in tag and TAKEN in tag)
        return sorted(made, key=lambda snapshot: snapshot.taken)

    def save(self, ref: str, name: str) -> None:
        """Take a snapshot, and wait until it can be used."""
        taken = datetime.now(UTC).isoformat(timespec="microseconds")
        tags = {"Name": name, OF: ref, SNAPSHOT: name, TAKEN: taken}
        disk = self._root(self._node(ref))
        if disk is None:
            raise Failed(f"machine '{ref}' has no disk", remedy="restore one of its snapshots")
        self.library().create_snapshot(disk.id, tags)
        self._there(lambda: self._saved(_named(ref, name)), VolumeSnapshotState.AVAILABLE, f"snapshot '{name}'")

    def forget(self, ref: str, name: str) -> None:
        """Delete a snapshot."""
        for saved in self._saved(_named(ref, name)):
            self.library().destroy_volume_snapshot(saved)

    def restore(self, ref: str, name: str) -> None:
        """Give a machine a disk made of a snapshot; it is stopped for that.

        Every volume on the way is tagged with its machine, so what an interruption leaves goes at the next time.
        """
        library = self.library()
        saved = self._saved(_named(ref, name))[0]
        node = self._node(ref)
        library.stop_node(node)
        self.calls.awaited(lambda: self._node(ref).extra["status"], lambda now: now == STOPPED, f"'{ref}' did not stop")
        old = self._root(node)
        kind = old.extra["volume_type"] if old else "gp3"
        new = library.create_volume_from(saved.id, node.extra["availability"], kind, {"Name": name, OF: ref})
        self._await_volume(new.id, StorageVolumeState.AVAILABLE, "the new disk")
        if old:
            library.create_tags(old.id, {OF: ref})
            library.detach_from(ref, old)
            self._await_volume(old.id, StorageVolumeState.AVAILABLE, "the old disk, detached,")
        library.attach_volume(node, new, node.extra["root_device_name"])
        self._await_volume(new.id, StorageVolumeState.INUSE, "the new disk, attached,")
        self.sweep(ref)

    def sweep(self, ref: str) -> None:
        """Delete the disks that a machine had, and see that those which it has go with it."""
        library = self.library()
        for volume in library.list_volumes(ex_filters={f"tag:{OF}": ref}):
            if volume.extra["device"]:
                library.delete_with(ref, volume.extra["device"])
            elif volume.state != StorageVolumeState.DELETING:
                self._await_volume(volume.id, StorageVolumeState.AVAILABLE, "a disk that is left")
                library.destroy_volume(volume)

    def _root(self, node: Node) -> StorageVolume | None:
        """The volume that a machine boots from; None: an interruption left it without."""
        volumes = self.library().list_volumes(ex_filters={"attachment.instance-id": node.id})
        root = node.extra["root_device_name"]
        return next((volume for volume in volumes if volume.extra["device"] == root), None)

    def _node(self, ref: str) -> Node:
        return self.library().describe_instances({"instance-id": ref})[0]

    def _await_volume(self, id: str, state: object, what: str) -> None:
        self._there(lambda: self.library().list_volumes(ex_filters={"volume-id": id}), state, what)

    def _saved(self, filters: Mapping[str, str]) -> list[VolumeSnapshot]:
        return self.library().describe_snapshots(filters)

    def _there(self, look: Callable[[], Sequence[StorageVolume | VolumeSnapshot]], state: object, what: str) -> None:
        """Wait until something is in a state."""
        self.calls.awaited(look, lambda found: bool(found) and found[0].state == state, f"{what} was not there")


def _named(ref: str, name: str) -> Mapping[str, str]:
    return {f"tag:{OF}": ref, f"tag:{SNAPSHOT}": name}
