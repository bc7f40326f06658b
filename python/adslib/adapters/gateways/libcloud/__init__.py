"""Clouds, by the name that Apache Libcloud gives their provider (A8, A9)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from adslib.adapters.gateways.libcloud.access import PROVIDERS, credentials
from adslib.adapters.gateways.libcloud.account import Account
from adslib.adapters.gateways.libcloud.choices import read_choices
from adslib.adapters.gateways.libcloud.first_boot import Booting
from adslib.adapters.gateways.libcloud.plain import Plain
from adslib.adapters.gateways.libcloud.seeing import Eyes
from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.orders import check_choice
from adslib.adapters.gateways.remote.driver import Driver
from adslib.adapters.gateways.remote.gateway import RemoteGateway, read_terms
from adslib.adapters.gateways.remote.keys import Keys
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.gateway import Gateway


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong. Failed: there are no credentials.
    """
    read = Options(name, options)
    provider = read.text("provider", "ec2")
    given = read.pairs("credentials")
    terms = read_terms(read)
    choices = read_choices(name, read)
    check_choice("provider", provider, PROVIDERS)
    who = credentials(name, PROVIDERS[provider], given, around.secret)
    place = around.home / "libcloud" / name
    booting = Booting(Keys(place / "host-keys"), choices, around.host_keys)
    account = Account(name, choices, who, booting, Eyes(name, choices, around.host_keys), terms.patience)
    return RemoteGateway(name, _driver(provider, account), terms, place)


def _driver(provider: str, account: Account) -> Driver:
    """The driver for a provider, whose modules nobody loads who has another."""
    if provider == "ec2":
        from adslib.adapters.gateways.libcloud.ec2 import Ec2

        return Ec2(account)
    module = import_module(f"adslib.adapters.gateways.libcloud.providers.{provider}")
    return Plain(account, module.Provider(account.choices))
