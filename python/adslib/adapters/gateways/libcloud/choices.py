"""What the user of a gateway chose, read from its options (docs/gateways.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adslib.adapters.gateways.options import Options
from adslib.domain.errors import Invalid, Problem
from adslib.domain.machine import Reach


NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")


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
        costs: size → of an hour. arguments: more of them for the library's `create_node`.
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
    costs: Mapping[str, float]
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
    texts = {name: read.text(name) for name in ("region", "host", "key_name", "ssh_key", "user_data")}
    flags = {name: read.flag(name, name != "public") for name in ("secure", "public", "host_keys")}
    pairs = {name: read.pairs(name) for name in ("images", "subnets", "user", "arguments")}
    names = {name: read.names(name) for name in ("locations", "security_groups")}
    port = read.whole("port", 0, most=65535)
    timeout = read.number("timeout", 30, least=1, most=600)
    disk = read.whole("disk", 20, least=1)
    sizes, costs = read.pairs("sizes"), read.pairs("costs")
    read.finish()
    problems = [
        Problem(f"option {option}: {name}={text} will not do", f"gateway {gateway}", f"use a number: {name}=20")
        for option, given in (("sizes", sizes), ("costs", costs))
        for name, text in given.items()
        if not NUMBER.fullmatch(text) and (text or option == "costs")
    ]
    if not pairs["images"] or not all(pairs["images"].values()):
        said = "option images: what each operating system is made from must be said"
        problems.append(Problem(said, f"gateway {gateway}", "write images=debian-12=<the provider's id of an image>"))
    for name in ("ssh_key", "user_data"):
        if texts[name] and not Path(texts[name]).is_file():
            problems.append(Problem(f"option {name}: there is no file {texts[name]}", f"gateway {gateway}"))
    if problems:
        raise Invalid(problems=problems)
    return Choices(
        **texts,
        **flags,
        **pairs,
        **names,
        port=port,
        timeout=timeout,
        disk=disk,
        sizes={name: int(float(text or disk)) for name, text in sizes.items()},
        costs={name: float(text) for name, text in costs.items()},
    )
