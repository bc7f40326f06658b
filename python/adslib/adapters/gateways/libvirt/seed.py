"""What a new machine is told by cloud-init: its name, its addresses, its host key and who may enter."""

from __future__ import annotations

import io
from typing import Any

import pycdlib
import yaml

from adslib.adapters.gateways.remote.keys import KeyPair
from adslib.adapters.gateways.remote.prefix import Prefix

LABEL = "cidata"
"""By which cloud-init knows it, whatever kind of disk it is on."""


def user_data(name: str, user: str, enters: str, host_key: KeyPair) -> str:
    """Who the machine is.

    Args:
        user: the account that it gets, which may become root. enters: the public key that lets in.
        host_key: its own.
    """
    account = {"name": user, "sudo": "ALL=(ALL) NOPASSWD:ALL", "shell": "/bin/bash", "lock_passwd": True}
    told: dict[str, Any] = {
        "hostname": name,
        "manage_etc_hosts": True,
        "users": [account | {"ssh_authorized_keys": [enters]}],
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
    }
    return "#cloud-config\n" + yaml.safe_dump(told, sort_keys=False)


def network_data(mac: str, address: str, prefix: Prefix | None) -> str:
    """How it is connected: with the address that it was given, or by DHCP."""
    way: dict[str, Any] = {"match": {"macaddress": mac}}
    if address and prefix:
        way["addresses"] = [f"{address}/{prefix.network.prefixlen}"]
        # Not by `routes`, for which ifupdown would need a program that few images have.
        way[f"gateway{prefix.network.version}"] = str(prefix.router)
        way["nameservers"] = {"addresses": list(prefix.resolvers)}
    else:
        way["dhcp4"] = True
    return yaml.safe_dump({"version": 2, "ethernets": {"primary": way}}, sort_keys=False)


def image(id: str, user: str, network: str) -> bytes:
    """A disk with these files (NoCloud), for the machine of an order."""
    files = {"user-data": user, "network-config": network, "meta-data": yaml.safe_dump({"instance-id": id})}
    disk = pycdlib.PyCdlib()
    disk.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    for number, (name, text) in enumerate(files.items()):
        content = text.encode()
        file = io.BytesIO(content)
        disk.add_fp(file, len(content), iso_path=f"/FILE{number};1", rr_name=name, joliet_path=f"/{name}")
    out = io.BytesIO()
    disk.write_fp(out)
    disk.close()
    return out.getvalue()
