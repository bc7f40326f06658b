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
        id = self.library().create_snapshot(self._root(ref).id, tags).id
        self._there(lambda: self._saved({"snapshot-id": id}), VolumeSnapshotState.AVAILABLE, f"snapshot '{name}'")

    def forget(self, ref: str, name: str) -> None:
        """Delete a snapshot."""
        for saved in self._saved({f"tag:{OF}": ref, f"tag:{SNAPSHOT}": name}):
            self.library().destroy_volume_snapshot(saved)

    def restore(self, ref: str, name: str) -> None:
        """Give a machine a disk made of a snapshot; it is stopped for that.

        Every volume on the way is tagged with its machine, so what an interruption leaves goes at the next time.
        """
        library = self.library()
        saved = self._saved({f"tag:{OF}": ref, f"tag:{SNAPSHOT}": name})[0]
        library.stop_node(self._node(ref))
        self.calls.awaited(lambda: self._node(ref).extra["status"], lambda now: now == STOPPED, f"'{ref}' did not stop")
        old = self._volumes(ref)
        device = old[0].extra["device"] if old else self._node(ref).extra["root_device_name"]
        kind = old[0].extra["volume_type"] if old else "gp3"
        zone = self._node(ref).extra["availability"]
        new = library.create_volume_from(saved.id, zone, kind, {"Name": name, OF: ref})
        self._there(lambda: self._exactly(new.id), StorageVolumeState.AVAILABLE, "the new disk")
        for volume in old[:1]:
            library.create_tags(volume.id, {OF: ref})
            library.detach_from(ref, volume)
            self._there(lambda id=volume.id: self._exactly(id), StorageVolumeState.AVAILABLE, "the old disk, detached,")  # type: ignore[misc]
        library.attach_volume(self._node(ref), new, device)
        self._there(lambda: self._exactly(new.id), StorageVolumeState.INUSE, "the new disk, attached,")
        library.delete_with(ref, device)
        self.sweep(ref)

    def sweep(self, ref: str) -> None:
        """Delete the disks that a machine had, and see that those which it has go with it."""
        library = self.library()
        for volume in library.list_volumes(ex_filters={f"tag:{OF}": ref}):
            if volume.state == StorageVolumeState.AVAILABLE:
                library.destroy_volume(volume)
            elif volume.extra["device"]:
                library.delete_with(ref, volume.extra["device"])

    def _root(self, ref: str) -> StorageVolume:
        """The volume that a machine boots from."""
        found = self._volumes(ref)
        if not found:
            raise Failed(f"machine '{ref}' has no disk", remedy="restore one of its snapshots")
        return found[0]

    def _volumes(self, ref: str) -> list[StorageVolume]:
        """The volumes that a machine has; the one that it boots from is the first."""
        root = self._node(ref).extra["root_device_name"]
        volumes = self.library().list_volumes(ex_filters={"attachment.instance-id": ref})
        return sorted(volumes, key=lambda volume: (volume.extra["device"] != root, volume.extra["device"]))

    def _node(self, ref: str) -> Node:
        return self.library().list_nodes(ex_filters={"instance-id": ref})[0]

    def _exactly(self, volume: str) -> list[StorageVolume]:
        found: list[StorageVolume] = self.library().list_volumes(ex_filters={"volume-id": volume})
        return found

    def _saved(self, filters: Mapping[str, str]) -> list[VolumeSnapshot]:
        return self.library().describe_snapshots(filters)

    def _there(
        self, look: Callable[[], Sequence[StorageVolume | VolumeSnapshot]], state: object, what: str
    ) -> None:
        """Wait until something is in a state."""
        self.calls.awaited(look, lambda found: bool(found) and found[0].state == state, f"{what} was not there")
