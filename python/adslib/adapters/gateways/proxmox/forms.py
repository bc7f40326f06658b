"""The two forms of machines that Proxmox VE has: what their configurations say, and how they are asked."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from adslib.adapters.gateways.proxmox.api import Api
from adslib.adapters.gateways.remote.prefix import Prefix
from adslib.domain.machine import Size

Config = Mapping[str, Any]
DISK = re.compile(r"(scsi|virtio|sata|ide)\d+")
UNITS = {"M": 1 / 1024, "G": 1, "T": 1024}
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"


class Form(Protocol):
    """A form of machines.

    `path`: in the API. `kind`: for users. `named`: the setting with the name. `lacking`: why one takes no address.
    """

    path: str
    kind: str
    named: str
    lacking: str

    def settings(self, size: Size, user: str, public_key: Callable[[], str]) -> dict[str, Any]:
        """What a new machine is to be set to, whatever the template was."""

    def net(self, config: Config, given: Mapping[str, str]) -> dict[str, str]:
        """The setting that gives a machine an address, see `address_settings`; without one it asks DHCP."""

    def fixed(self, config: Config) -> str:
        """The address that its configuration gives it; empty: none."""

    def asked(self, api: Api, place: str, config: Config) -> str:
        """The address that a running machine says it has."""

    def host_key(self, api: Api, place: str, config: Config) -> str:
        """The public SSH host key that a running machine says it has; empty: nobody can be asked."""

    def takes_address(self, config: Config) -> bool:
        """Whether it can be given an address."""

    def disk(self, config: Config) -> tuple[str, float]:
        """Its first disk, and how many GiB it has."""


class VirtualMachine:
    """A virtual machine; cloud-init sets it up, the guest agent tells its addresses."""

    path = "qemu"
    kind = "vm"
    named = "name"
    lacking = "it has no drive for cloud-init"

    def settings(self, size: Size, user: str, public_key: Callable[[], str]) -> dict[str, Any]:
        """Cores, memory, who may log in."""
        return {**_computing(size), "sockets": 1, "ciuser": user, "sshkeys": quote(public_key(), safe="")}

    def net(self, config: Config, given: Mapping[str, str]) -> dict[str, str]:
        """What cloud-init tells the first network card."""
        return {"ipconfig0": _joined(given or {"ip": "dhcp"})}

    def fixed(self, config: Config) -> str:
        """What cloud-init tells it."""
        return _given(_split(config.get("ipconfig0", "")))

    def asked(self, api: Api, place: str, config: Config) -> str:
        """What its guest agent says."""
        if not _has_agent(config):
            return ""
        cards = api.get(f"{place}/agent/network-get-interfaces")["result"]
        return _first(each["ip-address"] for card in cards for each in card.get("ip-addresses", ()))

    def host_key(self, api: Api, place: str, config: Config) -> str:
        """What its guest agent reads there."""
        return str(api.get(f"{place}/agent/file-read", file=HOST_KEY)["content"]) if _has_agent(config) else ""

    def takes_address(self, config: Config) -> bool:
        """Whether its template has a drive for cloud-init."""
        return any(DISK.fullmatch(key) and "cloudinit" in str(value) for key, value in config.items())

    def disk(self, config: Config) -> tuple[str, float]:
        """The one that it boots from, or the first."""
        first = re.search(r"order=([a-z]+\d+)", str(config.get("boot", "")))
        disks = sorted(k for k, v in config.items() if DISK.fullmatch(k) and "media=cdrom" not in str(v))
        if not disks:
            return "", 0
        key = first[1] if first and first[1] in disks else min(disks, key=lambda k: (not k.startswith("scsi"), k))
        return key, _gib(config[key])


class Container:
    """A container; Proxmox VE sets up its network, and sees its addresses."""

    path = "lxc"
    kind = "container"
    named = "hostname"
    lacking = "it has no network card"

    def settings(self, size: Size, user: str, public_key: Callable[[], str]) -> dict[str, Any]:
        """Cores and memory; who may log in is in its template."""
        return _computing(size)

    def net(self, config: Config, given: Mapping[str, str]) -> dict[str, str]:
        """Its first network card, with another address."""
        if "net0" not in config:
            return {}
        card = _split(config["net0"])
        rest = {key: value for key, value in card.items() if key not in ("ip", "gw", "ip6", "gw6")}
        return {"net0": _joined({**rest, **(given or {"ip": "dhcp"})})}

    def fixed(self, config: Config) -> str:
        """That of its first network card."""
        return _given(_split(config.get("net0", "")))

    def asked(self, api: Api, place: str, config: Config) -> str:
        """What Proxmox VE sees in it."""
        cards = api.get(f"{place}/interfaces") or ()
        return _first(card[key].partition("/")[0] for card in cards for key in ("inet", "inet6") if card.get(key))

    def host_key(self, api: Api, place: str, config: Config) -> str:
        """Nobody can be asked."""
        return ""

    def takes_address(self, config: Config) -> bool:
        """Whether it has a network card."""
        return "net0" in config

    def disk(self, config: Config) -> tuple[str, float]:
        """Its root."""
        return "rootfs", _gib(config.get("rootfs", ""))


def address_settings(address: str, prefix: Prefix) -> dict[str, str]:
    """What Proxmox VE calls an address in a network, and the way out."""
    six = "6" if prefix.network.version == 6 else ""
    return {f"ip{six}": f"{address}/{prefix.network.prefixlen}", f"gw{six}": str(prefix.router)}


def _computing(size: Size) -> dict[str, Any]:
    whole = size.cpu == int(size.cpu)
    return {"cores": math.ceil(size.cpu), "cpulimit": 0 if whole else size.cpu, "memory": size.memory}


def _split(text: str) -> dict[str, str]:
    return {key: value for key, mark, value in (part.partition("=") for part in str(text).split(",")) if mark}


def _joined(settings: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in settings.items())


def _given(settings: Mapping[str, str]) -> str:
    found = [settings[key].partition("/")[0] for key in ("ip", "ip6") if "/" in settings.get(key, "")]
    return found[0] if found else ""


def _first(addresses: Iterable[str]) -> str:
    """The first address that others may reach, one of IPv4 if there is any."""
    known = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    fit = [each for each in known if not each.is_loopback and not each.is_link_local]
    return str(min(fit, key=lambda each: each.version)) if fit else ""


def _has_agent(config: Config) -> bool:
    said = str(config.get("agent", "0")).split(",")[0]
    return said.removeprefix("enabled=") == "1"


def _gib(disk: object) -> float:
    found = re.search(r"\bsize=(\d+(?:\.\d+)?)([MGT])", str(disk))
    return float(found[1]) * UNITS[found[2]] if found else 0
