"""What the user of the gateway chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adslib.adapters.gateways.remote.prefix import Prefix
from adslib.domain.machine import Size


@dataclass(frozen=True, slots=True)
class Choices:
    """What the options say.

    Args:
        name: of the gateway. images: systems and the templates of theirs. sizes: what machines can be.
        locations: the clusters that may be used; empty: all. datacenter: empty: the only one.
        pool, folder, datastore: where new machines go; empty: the cluster's, the datacenter's, the template's.
        user, ssh_key: who may log in, by which private key. prefix: where given addresses come from.
        grace: seconds to shut down in. patience: to wait for another's clone.
    """

    name: str
    images: Mapping[str, str]
    sizes: tuple[Size, ...]
    locations: tuple[str, ...]
    datacenter: str
    pool: str
    folder: str
    datastore: str
    user: str
    ssh_key: Path
    prefix: Prefix | None
    grace: float
    patience: float
