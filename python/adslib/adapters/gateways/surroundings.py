"""What a gateway may be given beside its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from adslib.domain.errors import Failed
from adslib.domain.gateway import Sighting
from adslib.domain.machine import DEFAULT_SIZES, Size

if TYPE_CHECKING:
    from sqlalchemy import Engine


def nothing_known() -> Iterable[Sighting]:
    """What the store knows of a gateway where there is no store."""
    return ()


Secret = Callable[[str, str], str]
"""Reads the secret that `env:NAME` or `file:/path` leads to; told what it is for, which errors name."""


def untold(reference: str, place: str) -> str:
    """Where nobody reads secrets there are none."""
    raise Failed(f"{reference} cannot be read here", place=place)


class HostKeys(Protocol):
    """Where SSH host keys are pinned, by the machine's id, for gateways that make them or are told them for sure."""

    def arguments(self, machine_id: str) -> str:
        """The arguments that make ssh accept the pinned keys of a machine and no others."""

    def pin(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Replace the keys of machines: id → keys, as `type base64`."""

    def forget(self, machine_ids: Iterable[str]) -> None:
        """Remove the keys of machines."""


class Unpinned:
    """No place to pin keys: ssh then asks the user's own known_hosts."""

    def arguments(self, machine_id: str) -> str:
        """None."""
        return ""

    def pin(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Keep nothing."""

    def forget(self, machine_ids: Iterable[str]) -> None:
        """Nothing was kept."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The place a gateway works in.

    Args:
        home: ADS_HOME. engine: the store's engine or its URL, for gateways that keep their machines there.
        known: lists the machines that the store knows of this gateway, for gateways that cannot ask anybody.
        sizes: what there is, smallest first, for gateways whose provider has no sizes of its own.
        host_keys: where SSH host keys are pinned. secret: reads a secret where it lies.
    """

    home: Path
    engine: Engine | str | None = None
    known: Callable[[], Iterable[Sighting]] = nothing_known
    sizes: tuple[Size, ...] = DEFAULT_SIZES
    host_keys: HostKeys = Unpinned()
    secret: Secret = untold
