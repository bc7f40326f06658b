"""Virtual machines of VMware vSphere, by the API of a vCenter (A8, A9)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.remote.gateway import RemoteGateway, read_terms
from adslib.adapters.gateways.remote.prefix import read_prefix
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.adapters.gateways.vsphere.access import Access, Account
from adslib.adapters.gateways.vsphere.choices import Choices
from adslib.adapters.gateways.vsphere.driver import VsphereDriver
from adslib.adapters.gateways.vsphere.inventory import Inventory
from adslib.domain.gateway import Gateway


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway; nobody is asked anything yet. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong or missing.
    """
    read = Options(name, options)
    secret = read.secret("secret", "env:VSPHERE_PASSWORD")
    account = Account(
        host=read.text("host"),
        port=read.whole("port", 443, least=1, most=65535),
        name=read.text("account"),
        reference=secret,
        password=partial(around.secret, secret, f"gateway {name}"),
        ca=read.text("ca"),
        verify=read.flag("verify", True),
    )
    terms = read_terms(read)
    choices = Choices(
        name=name,
        images={system: template or system for system, template in read.pairs("images").items()},
        sizes=around.sizes,
        locations=read.names("locations"),
        datacenter=read.text("datacenter"),
        pool=read.text("pool"),
        folder=read.text("folder"),
        datastore=read.text("datastore"),
        user=read.text("user", "root"),
        ssh_key=Path(read.text("ssh_key")).expanduser(),
        prefix=read_prefix(read),
        grace=read.number("grace", 60, least=1, most=3600),
        patience=terms.patience,
    )
    _refuse_missing(read, account, choices)
    read.finish()
    driver = VsphereDriver(Inventory(Access(name, account, terms.patience), choices), choices)
    return RemoteGateway(name, driver, terms, around.home / "vsphere" / name)


def _refuse_missing(read: Options, account: Account, choices: Choices) -> None:
    if not account.host:
        read.refuse("host", "it is missing: which vCenter?", "give a host name or an address")
    if not account.name:
        read.refuse("account", "it is missing: who asks?", "name a user, like ads@vsphere.local")
    if account.ca and not Path(account.ca).is_file():
        read.refuse("ca", f"there is no file {account.ca}", "name the file of the CA")
    if not choices.images:
        read.refuse("images", "it is missing", "name templates there, like debian-12 or debian-12=bookworm")
    if choices.ssh_key == Path():
        read.refuse("ssh_key", "it is missing: what lets ads in?", "name the key whose public part templates have")
