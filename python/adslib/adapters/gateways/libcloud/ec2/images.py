"""Images at EC2: those of the operating systems, which somebody else made, and those that are made of machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libcloud.compute.base import NodeImage, VolumeSnapshot

from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.adapters.gateways.libcloud.per_thread import PerThread
from adslib.adapters.gateways.libcloud.seeing import GATEWAY, OS
from adslib.adapters.gateways.remote.calls import Calls
from adslib.domain.errors import Failed
from adslib.domain.gateway import InstanceTemplate

TEMPLATE = "ads-template"
"""Tag of an image, and of what is left of it: the name of the instance template."""

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Images:
    """The images of one region.

    Args:
        given: operating system → id. library: gives a driver. calls: waits.
    """

    gateway: str
    given: Mapping[str, str]
    library: PerThread[Library]
    calls: Calls

    def check(self) -> None:
        """Make sure that those of the operating systems are there; EC2 says which is not."""
        self.library().list_images(ex_image_ids=sorted(set(self.given.values())))

    def named(self, name: str) -> NodeImage:
        """The image of an operating system, or of an instance template."""
        if name in self.given:
            found = self.library().list_images(ex_image_ids=[self.given[name]])
        else:
            found = [image for image in self._made() if image.extra["tags"][TEMPLATE] == name]
        if not found:
            raise Failed(f"instance template '{name}' is half deleted", remedy="delete it again, or use another")
        return found[0]

    def templates(self) -> Sequence[InstanceTemplate]:
        """Those that were made, also one whose deletion was interrupted: so it is deleted again."""
        made = {image.extra["tags"][TEMPLATE]: _template(image) for image in self._made()}
        left = {saved.extra["tags"][TEMPLATE] for saved in self._left()}
        return [*made.values(), *(InstanceTemplate(name) for name in sorted(left - set(made)))]

    def make(self, ref: str, os: str, name: str) -> None:
        """Make one of a machine, and wait until it can be used."""
        tags = {"Name": name, GATEWAY: self.gateway, TEMPLATE: name, OS: os}
        self.library().save_image(ref, f"ads-{self.gateway}-{name}", tags)
        self.calls.awaited(
            lambda: [image.extra["state"] for image in self._made() if image.extra["tags"][TEMPLATE] == name],
            lambda states: states == ["available"],
            f"instance template '{name}' was not made",
        )

    def delete(self, name: str) -> None:
        """Delete one, and the snapshots that it is stored in; they are marked first, as nothing leads to them later."""
        library = self.library()
        for image in self._made():
            if image.extra["tags"][TEMPLATE] == name:
                for snapshot in _stored(image):
                    library.create_tags(snapshot, {GATEWAY: self.gateway, TEMPLATE: name})
                library.delete_image(image)
        for saved in self._left():
            if saved.extra["tags"][TEMPLATE] == name:
                library.destroy_volume_snapshot(saved)

    def _made(self) -> list[NodeImage]:
        images = self.library().list_images(ex_filters={f"tag:{GATEWAY}": self.gateway})
        return [image for image in images if TEMPLATE in image.extra["tags"]]

    def _left(self) -> list[VolumeSnapshot]:
        saved = self.library().describe_snapshots({f"tag:{GATEWAY}": self.gateway})
        return [each for each in saved if TEMPLATE in each.extra["tags"]]


def _disks(image: NodeImage) -> list[Mapping[str, Any]]:
    """What its disks are made from."""
    return [each["ebs"] for each in image.extra["block_device_mapping"] if each.get("ebs")]


def _stored(image: NodeImage) -> list[str]:
    return [disk["snapshot_id"] for disk in _disks(image) if disk.get("snapshot_id")]


def _template(image: NodeImage) -> InstanceTemplate:
    tags = image.extra["tags"]
    gib = sum(int(disk.get("volume_size") or 0) for disk in _disks(image))
    return InstanceTemplate(tags[TEMPLATE], tags.get(OS, ""), gib * GIB)
