"""Bare metal, by the Redfish services that its management controllers or what stands before them offer (A8, A9)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import sushy

from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.redfish.driver import BOOTS, RedfishDriver
from adslib.adapters.gateways.redfish.service import Account, Service
from adslib.adapters.gateways.remote.driver import Driver
from adslib.adapters.gateways.remote.gateway import RemoteGateway, Terms
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.gateway import Gateway

ADDRESS = re.compile(r"https?://[^\s/?#@]+/?")

# What it would print is told by the errors that it raises.
logging.getLogger(sushy.__name__).addHandler(logging.NullHandler())


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong. Failed: the password is not where it should lie.
    """
    read = Options(name, options)
    urls = read.names("services")
    account = read.text("account")
    secret = read.secret("secret")
    ca = read.text("ca")
    verify = read.flag("verify", True)
    boot = read.word("boot", "", BOOTS)
    location = read.text("location")
    grace = read.number("grace", 120, most=3600)
    patience = read.number("patience", 300, least=1, most=7200)
    wrong = [url for url in urls if not ADDRESS.fullmatch(url)]
    if wrong or not urls:
        # What stands before an @ may be a password.
        told = f"'{wrong[0].rpartition('@')[2]}' is no address of a service" if wrong else "it is missing"
        read.refuse("services", told, "use addresses like https://bmc1.example.org, without user and path")
    if ca and not Path(ca).exists():
        read.refuse("ca", f"there is no {ca}", "name the file of the authority")
    for option, remedy in (("account", "name that of the services"), ("secret", "use env:NAME or file:/path")):
        if not options.get(option):
            read.refuse(option, "it is missing", remedy)
    read.finish()
    who = Account(account, around.secret(secret, f"gateway {name}"), ca if ca and verify else verify)
    services = {urlsplit(url).netloc: Service(url.rstrip("/"), who) for url in urls}
    driver = RedfishDriver(name, services, around.known, boot, location, grace, patience)
    terms, place = Terms(limit=0, patience=patience), around.home / "redfish" / name
    return RemoteGateway(name, cast("Driver", driver), terms, place)  # It lacks what its capabilities lack.
