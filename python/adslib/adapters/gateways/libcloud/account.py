"""A gateway's account at a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adslib.adapters.gateways.libcloud.choices import Choices
from adslib.adapters.gateways.libcloud.first_boot import Booting
from adslib.adapters.gateways.libcloud.seeing import Eyes


@dataclass(frozen=True, slots=True)
class Account:
    """What a driver is given.

    Args:
        gateway: its name. choices: what its user chose. who: the credentials, as the library's driver takes them.
        booting: what machines are told for their first boot. eyes: what they are in our words.
        patience: seconds to wait for what was begun.
    """

    gateway: str
    choices: Choices
    who: Mapping[str, str] = field(repr=False)
    booting: Booting
    eyes: Eyes
    patience: float
