"""A machine to add, keys of hosts, and the names of machines that somebody sees."""

from __future__ import annotations

import base64
from typing import Any

from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec

KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(36)).decode()
OTHER_KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(35) + b"x").decode()
WEB1 = MachineSpec("web1", address="10.0.0.5", size="small", os="debian-12", location="us-west")


def names(ads: Ads, **filters: Any) -> list[str]:
    return [str(row["name"]) for row in ads.machines.list(**filters)]
