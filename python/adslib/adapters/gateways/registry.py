"""Which kinds of gateways there are.

A kind is imported when it is opened: an absent library costs only those who need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adslib.adapters.gateways.surroundings import HostKeys, Secret, Surroundings, Unpinned, nothing_known, untold
from adslib.domain.errors import Failed, Invalid
from adslib.domain.gateway import Gateway, Sighting
from adslib.domain.machine import DEFAULT_SIZES, Size

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Each module has a function connect(name, options, around) -> Gateway.
KINDS: Mapping[str, str] = {
    "libcloud": "adslib.adapters.gateways.libcloud",
    "local": "adslib.adapters.gateways.local",
    "libvirt": "adslib.adapters.gateways.libvirt",
    "lxc": "adslib.adapters.gateways.lxc",
    "proxmox": "adslib.adapters.gateways.proxmox",
    "redfish": "adslib.adapters.gateways.redfish",
    "sim": "adslib.adapters.gateways.sim",
    "static": "adslib.adapters.gateways.static",
    "vsphere": "adslib.adapters.gateways.vsphere",
}

SIMULATED = frozenset({"sim"})
"""Kinds whose machines are in the store alone: they can be planned with, but nothing can be deployed on them."""


def open_gateway(
    kind: str,
    name: str,
    options: Mapping[str, Any],
    *,
    home: Path,
    engine: Engine | str | None = None,
    known: Callable[[], Iterable[Sighting]] = nothing_known,
    sizes: tuple[Size, ...] = DEFAULT_SIZES,
    host_keys: HostKeys = Unpinned(),  # noqa: B008 – it has no state
    secret: Secret = untold,
) -> Gateway:
    """Open a gateway (A8, A9).

    Args:
        kind: one of KINDS. name: what it is called in the store. options: see docs/gateways.md. home: ADS_HOME.
        engine: the store's engine or URL (`sim` keeps its cloud there).
        known: lists the machines that the store knows of this gateway (`static` has no other source).
        sizes: what there is, smallest first (`local`, `lxc`, `proxmox`, `sim` and `vsphere` have no others).
        host_keys: where SSH host keys are pinned. secret: reads a secret where it lies.

    Raises:
        Invalid: no such kind, or an option is wrong or unknown. Failed: its library is not installed.
    """
    if kind not in KINDS:
        raise Invalid(f"'{kind}' is no kind of gateway", place=f"gateway {name}", remedy=f"use {', '.join(KINDS)}")
    try:
        connector = import_module(KINDS[kind])
    except ImportError as error:
        raise Failed(
            f"what gateways of kind '{kind}' need is not installed ({error.name or error})",
            place=f"gateway {name}",
            remedy=f"install it with: pip install 'adslib[{kind}]'",
        ) from error
    gateway: Gateway = connector.connect(name, options, Surroundings(home, engine, known, sizes, host_keys, secret))
    return gateway
