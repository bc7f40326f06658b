"""What the user of a gateway chose, read from its options (docs/gateways.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adslib.adapters.gateways.options import Options
from adslib.domain.errors import Invalid, Problem
from adslib.domain.machine import Reach

SECRET = re.compile("pass|secret|token|private", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of a gateway. Where a mapping has a name without a text, that name stands for all others.

    Args:
        region, host, port, secure: where the provider is; port 0: as usual. timeout: seconds of a call.
        images: operating system → the provider's id of an image. sizes: the provider's sizes → GiB of disk.
        disk: GiB where a size says nothing of it. locations: those that may be used; none: all.
        subnets: location → id. security_groups: ids or names. key_name: of a key pair at the provider.
        user: operating system → login. ssh_key: path of the private key here. public: reach public addresses.
        user_data: path of a file for cloud-init. host_keys: whether cloud-init gives machines known host keys.
        arguments: more of them for the library's `create_node`.
    """

    region: str
    host: str
    port: int
    secure: bool
    timeout: float
    images: Mapping[str, str]
    sizes: Mapping[str, int]
    disk: int
    locations: tuple[str, ...]
    subnets: Mapping[str, str]
    security_groups: tuple[str, ...]
    key_name: str
    user: Mapping[str, str]
    ssh_key: str
    public: bool
    user_data: str
    host_keys: bool
    arguments: Mapping[str, str]

    def reach(self, os: str, address: str, variables: Mapping[str, str]) -> Reach:
        """How a machine is reached at an address."""
        user = chosen(self.user, os)
        become = "" if user in ("", "root") else "sudo"
        return Reach(address=address, user=user, become=become, key=self.ssh_key, vars=variables)


def chosen(of: Mapping[str, str], name: str) -> str:
    """What was chosen for a name, else for all others, else nothing."""
    return of.get(name) or next((name for name, text in of.items() if not text), "")


def read_choices(gateway: str, read: Options) -> Choices:
    """Read the options, after those that are not of this room.

    Raises:
        Invalid: with all that is wrong.
    """
    disk = read.whole("disk", 20, least=1)
    sizes = read.pairs("sizes")
    choices = Choices(
        region=read.text("region"),
        host=read.text("host"),
        port=read.whole("port", 0, most=65535),
        secure=read.flag("secure", True),
        timeout=read.number("timeout", 30, least=1, most=600),
        images=read.pairs("images"),
        sizes={name: int(gib or disk) for name, gib in sizes.items() if not gib or gib.isdecimal()},
        disk=disk,
        locations=read.names("locations"),
        subnets=read.pairs("subnets"),
        security_groups=read.names("security_groups"),
        key_name=read.text("key_name"),
        user=read.pairs("user"),
        ssh_key=read.text("ssh_key"),
        public=read.flag("public"),
        user_data=read.text("user_data"),
        host_keys=read.flag("host_keys", True),
        arguments=read.pairs("arguments"),
    )
    read.finish()
    place = f"gateway {gateway}"
    problems = [
        Problem(f"option {name}: there is no file {path}", place, "name a file of this host")
        for name, path in (("ssh_key", choices.ssh_key), ("user_data", choices.user_data))
        if path and not Path(path).is_file()
    ]
    problems += [
        Problem(f"option sizes: {name}={gib} will not do", place, f"write {name}=20 for a disk of 20 GiB")
        for name, gib in sizes.items()
        if gib and not gib.isdecimal()
    ]
    problems += [
        Problem(f"option arguments: '{name}' is for a secret, and options are kept in the store", place, "leave it out")
        for name in choices.arguments
        if SECRET.search(name)
    ]
    if not choices.images or not all(choices.images.values()):
        said = "option images: what each operating system is made from must be said"
        problems.append(Problem(said, place, "write images=debian-12=<the provider's id of an image>"))
    if problems:
        raise Invalid(problems=problems)
    return choices
