"""Clouds, by the name that Apache Libcloud gives their provider (A8, A9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adslib.adapters.gateways.libcloud.access import PROVIDERS, credentials
from adslib.adapters.gateways.libcloud.choices import read_choices
from adslib.adapters.gateways.libcloud.ec2 import Ec2
from adslib.adapters.gateways.libcloud.first_boot import Keys
from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.orders import check_choice
from adslib.adapters.gateways.remote.gateway import RemoteGateway, read_terms
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
    access = PROVIDERS[provider]
    who = credentials(name, access, given, around.secret)
    place = around.home / "libcloud" / name
    driver = Ec2(name, choices, who, Keys(place / "host-keys"), around.host_keys, terms.patience)
    return RemoteGateway(name, driver, terms, place)
