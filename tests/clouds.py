"""A cloud of the tests' own on loopback: moto's server speaks EC2 over HTTP, and boto3 counts what is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3

from servers import LONGEST_START, ServerMissing, free_port, session_folder

REGION = "us-east-1"
DEBIAN, ROCKY = "ami-0debian12", "ami-0rocky9"
"""The images that there are in every region."""

KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
STRICT = ("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "MOTO_ENABLE_AMI_VALIDATION", "MOTO_ENABLE_KEYPAIR_VALIDATION")
"""Switches of moto that make it refuse what EC2 refuses."""


class Cloud:
    """A moto server; it ends with this process, however that ends."""

    def __init__(self) -> None:
        self.home = session_folder("cloud")
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, at the port that it had before, and wait until it answers.

        Raises:
            ServerMissing: it did not start; the message holds what its log says.
        """
        images = self.home / "images.json"
        images.write_text(json.dumps([_image(DEBIAN, "debian-12"), _image(ROCKY, "rocky-9")]))
        settings = {"MOTO_AMIS_PATH": str(images), **dict.fromkeys(STRICT, "1")}
        for _ in range(3):
            self.port = self.port or free_port()
            with (self.home / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [
                        *("setpriv", "--pdeathsig", "KILL", sys.executable, "-c"),
                        "from moto.server import main; main()",
                        *("-H", "127.0.0.1", "-p", str(self.port)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **settings},
                    cwd=self.home,
                )
            if self._await():
                return
            self.port = 0
        raise ServerMissing(f"moto did not start: {(self.home / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it, and forget all that was in it."""
        if self.process:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None

    def end(self) -> None:
        """Stop it and remove every trace."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def empty(self) -> None:
        """Forget all that is in it, in every region; it is started if it does not run."""
        if self.process is None:
            self.start()
        self._tell("reset")

    @property
    def keys(self) -> Mapping[str, str]:
        """The credentials of its user, as variables."""
        return KEYS

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of a gateway to it."""
        where = {"host": "127.0.0.1", "port": self.port, "secure": False}
        return {**where, "images": {"debian-12": DEBIAN, "rocky-9": ROCKY}, "patience": 60, "timeout": 30}

    @contextmanager
    def suspicious(self) -> Iterator[None]:
        """Let it look at credentials meanwhile; nobody has any that it knows."""
        self._tell("reset-auth", "0")
        try:
            yield
        finally:
            self._tell("reset-auth", "inf")

    @cached_property
    def eyes(self) -> Any:
        """A client of another library, to see what is there; it takes long to make."""
        return boto3.client(
            "ec2",
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def count(self) -> Mapping[str, int]:
        """How many machines, volumes, images, snapshots and addresses there are."""
        eyes = self.eyes
        living = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        reservations = eyes.describe_instances(Filters=[living])["Reservations"]
        return {
            "machines": sum(len(reservation["Instances"]) for reservation in reservations),
            "volumes": len(eyes.describe_volumes()["Volumes"]),
            "images": len(eyes.describe_images()["Images"]),
            "snapshots": len(eyes.describe_snapshots()["Snapshots"]),
            "addresses": len(eyes.describe_addresses()["Addresses"]),
        }

    def _tell(self, what: str, data: str = "") -> None:
        address = f"http://127.0.0.1:{self.port}/moto-api/{what}"
        request = urllib.request.Request(address, data.encode(), {"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request, timeout=LONGEST_START).close()

    def _await(self) -> bool:
        """Whether it answers, as soon as it does."""
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/moto-api/data.json", timeout=5).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return True
        return False


def _image(id: str, name: str) -> Mapping[str, Any]:
    return {
        "ami_id": id,
        "name": name,
        "description": name,
        "state": "available",
        "public": True,
        "owner_id": "136693071363",
        "image_location": f"amazon/{name}",
        "image_type": "machine",
        "architecture": "x86_64",
        "root_device_type": "ebs",
        "root_device_name": "/dev/xvda",
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "sriov": "simple",
    }
