"""Apache Libcloud's driver for EC2, with what it lacks: every EC2 is understood, and things are born with tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from libcloud.common.types import InvalidCredsError
from libcloud.compute.base import Node, NodeImage, StorageVolume, VolumeSnapshot
from libcloud.compute.drivers.ec2 import API_VERSION, NAMESPACE, EC2Connection, EC2NodeDriver, EC2Response
from libcloud.utils.xml import fixxpath

ANY_NAMESPACE = re.compile(r'\sxmlns="http://ec2\.amazonaws\.com/doc/[^"]*"')
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
CODE, MESSAGE = re.compile(r"<Code>([^<]*)</Code>"), re.compile(r"<Message>([^<]*)</Message>")
STRANGER = {
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""Codes by which EC2 says that it does not know who asks."""


class Response(EC2Response):  # type: ignore[misc]
    """An answer. Private clouds write EC2's namespace in other ways, which Libcloud would read as an empty answer."""

    body: str

    def parse_body(self) -> Any:
        """The answer, in the namespace that the driver looks for."""
        self.body = ANY_NAMESPACE.sub(f' xmlns="{NAMESPACE}"', self.body)
        return super().parse_body()

    def parse_error(self) -> str:
        """`Code: message`, whatever else an error holds.

        Raises:
            InvalidCredsError: the credentials will not do.
        """
        code, message = CODE.search(self.body), MESSAGE.search(self.body)
        said = f"{code[1]}: {message[1] if message else ''}" if code else f"HTTP status {self.status}"
        if code and code[1] in STRANGER:
            raise InvalidCredsError(said)
        return said


class Connection(EC2Connection):  # type: ignore[misc]
    """A connection whose answers are read as above."""

    responseCls = Response  # noqa: N815 – the library's name


class Library(EC2NodeDriver):  # type: ignore[misc]
    """EC2, with tags that a thing has from the moment when it is made: nothing is lost by a crash in between.

    Where Libcloud's own method sends less than is needed, there is another one here, named as EC2 names the action.
    """

    connectionCls = Connection  # noqa: N815 – the library's name

    def run_instances(self, words: Mapping[str, str], tags: Mapping[str, str]) -> Node:
        """Make and start a machine. The client token in the words keeps EC2 from making two of one order."""
        once = {"MinCount": "1", "MaxCount": "1"}
        made = self._ask("RunInstances", words, once, _tagged("instance", tags))
        return self._to_nodes(made, "instancesSet/item")[0]

    def describe_instances(self, filters: Mapping[str, str | list[str]]) -> list[Node]:
        """The machines that are like this. Libcloud's own method asks after every address, too, in a second call."""
        answer = self._ask("DescribeInstances", self._build_filters(filters))
        sets = answer.findall(fixxpath("reservationSet/item", NAMESPACE))
        return [node for each in sets for node in self._to_nodes(each, "instancesSet/item")]

    def create_snapshot(self, volume: str, tags: Mapping[str, str]) -> VolumeSnapshot:
        """Save a volume."""
        return self._to_snapshot(self._ask("CreateSnapshot", {"VolumeId": volume}, _tagged("snapshot", tags)))

    def describe_snapshots(self, filters: Mapping[str, str]) -> list[VolumeSnapshot]:
        """The snapshots that are like this."""
        found: list[VolumeSnapshot] = self._to_snapshots(self._ask("DescribeSnapshots", self._build_filters(filters)))
        return found

    def create_volume_from(self, snapshot: str, zone: str, kind: str, tags: Mapping[str, str]) -> StorageVolume:
        """Make a volume of what a snapshot holds."""
        words = {"SnapshotId": snapshot, "AvailabilityZone": zone, "VolumeType": kind}
        return self._to_volume(self._ask("CreateVolume", words, _tagged("volume", tags)))

    def detach_from(self, node: str, volume: StorageVolume) -> None:
        """Take a volume out of a machine."""
        words = {"VolumeId": volume.id, "InstanceId": node, "Device": volume.extra["device"]}
        self._ask("DetachVolume", words)

    def delete_with(self, node: str, device: str) -> None:
        """Have the volume of a device deleted with its machine."""
        words = {"BlockDeviceMapping.1.DeviceName": device, "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true"}
        self._ask("ModifyInstanceAttribute", {"InstanceId": node}, words)

    def create_tags(self, id: str, tags: Mapping[str, str]) -> None:
        """Tag something."""
        self._ask("CreateTags", {"ResourceId.1": id}, _numbered("Tag", tags))

    def delete_tags(self, id: str, *keys: str) -> None:
        """Remove tags from something."""
        words = {f"Tag.{number}.Key": key for number, key in enumerate(keys, 1)}
        self._ask("DeleteTags", {"ResourceId.1": id}, words)

    def save_image(self, node: str, name: str, tags: Mapping[str, str]) -> NodeImage:
        """Make an image of a machine, which goes on running."""
        words = {"InstanceId": node, "Name": name, "NoReboot": "true"}
        return self._to_image(self._ask("CreateImage", words, _tagged("image", tags)))

    def _ask(self, action: str, *words: Mapping[str, str]) -> Any:
        # In the body: what is in an address is logged on the way, and it has less room.
        params = {name: value for group in words for name, value in group.items()}
        data = urlencode({"Action": action, "Version": API_VERSION, **params})
        return self.connection.request(self.path, data=data, headers=FORM, method="POST").object


def _tagged(kind: str, tags: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters that tag a new thing."""
    root = "TagSpecification.1"
    return {f"{root}.ResourceType": kind, **_numbered(f"{root}.Tag", tags)}


def _numbered(root: str, tags: Mapping[str, str]) -> Mapping[str, str]:
    """Tags as parameters. They count from 1: Libcloud counts from 0, which not every EC2 takes."""
    params: dict[str, str] = {}
    for number, (key, value) in enumerate(tags.items(), 1):
        params |= {f"{root}.{number}.Key": key, f"{root}.{number}.Value": value}
    return params
