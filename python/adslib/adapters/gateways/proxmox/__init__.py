"""Virtual machines and containers of Proxmox VE, by its API (A8, A9)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.proxmox.api import Account, Api
from adslib.adapters.gateways.proxmox.choices import Choices
from adslib.adapters.gateways.proxmox.cluster import Cluster
from adslib.adapters.gateways.proxmox.driver import ProxmoxDriver
from adslib.adapters.gateways.proxmox.forms import Container, VirtualMachine
from adslib.adapters.gateways.remote.gateway import RemoteGateway, read_terms
from adslib.adapters.gateways.remote.prefix import read_prefix
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.errors import Invalid, Problem
from adslib.domain.gateway import Gateway


class Makes(StrEnum):
    VM = "vm"
    CONTAINER = "container"


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway; nobody is asked anything yet. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong or missing.
    """
    read = Options(name, options)
    host, account = read.text("host"), read.text("account")
    secret = read.secret("secret", f"env:PROXMOX_{'TOKEN_SECRET' if '!' in account else 'PASSWORD'}")
    ca, verify = read.text("ca"), read.flag("verify", True)
    makes = read.chosen("makes", Makes) or {Makes.VM}
    images = read.pairs("images")
    user, ssh_key = read.text("user", "root"), read.text("ssh_key")
    prefix = read_prefix(read)
    locations, storage, pool = read.names("locations"), read.text("storage"), read.text("pool")
    grace = read.whole("grace", 60, least=1, most=3600)
    terms = read_terms(read)
    read.finish()
    wrong = [
        (not host, "option host is missing: which Proxmox VE?", "give a host name or an address"),
        (account.count("@") != 1, "option account: who asks?", "write ads@pve!token for an API token, else ads@pve"),
        (len(makes) != 1, "option makes: one gateway makes machines of one form", "use vm or container"),
        (not images, "option images is missing", "name templates there, like debian-12 or debian-12=bookworm"),
        (bool(ca) and not Path(ca).is_file(), f"option ca: there is no file {ca}", "name the file of the CA"),
        (not ssh_key, "option ssh_key is missing: what lets ads in?", "name a private key file; .pub lies beside it"),
    ]
    problems = [Problem(what, f"gateway {name}", remedy) for is_wrong, what, remedy in wrong if is_wrong]
    if problems:
        raise Invalid(problems=problems)
    who = Account(host, account, secret, partial(around.secret, secret, f"gateway {name}"), ca or verify)
    choices = Choices(
        name=name,
        images={system: template or system for system, template in images.items()},
        sizes=around.sizes,
        locations=locations,
        user=user,
        ssh_key=Path(ssh_key).expanduser(),
        prefix=prefix,
        storage=storage,
        pool=pool,
        grace=grace,
        patience=terms.patience,
    )
    form = VirtualMachine() if makes == {Makes.VM} else Container()
    driver = ProxmoxDriver(Cluster(Api(name, who, terms.patience), form), choices, around.host_keys)
    return RemoteGateway(name, driver, terms, around.home / "proxmox" / name)
