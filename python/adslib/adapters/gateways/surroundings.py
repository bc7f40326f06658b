"""What a gateway may be given beside its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adslib.domain.gateway import Sighting
from adslib.domain.machine import DEFAULT_SIZES, Size

if TYPE_CHECKING:
    from sqlalchemy import Engine


def nothing_known() -> Iterable[Sighting]:
    """What the store knows of a gateway where there is no store."""
    return ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The place a gateway works in.

    Args:
        home: ADS_HOME. engine: the store's engine or its URL, for gateways that keep their machines there.
        known: lists the machines that the store knows of this gateway, for gateways that cannot ask anybody.
        sizes: what there is, smallest first, for gateways whose provider has no sizes of its own.
    """

    home: Path
    engine: Engine | str | None = None
    known: Callable[[], Iterable[Sighting]] = nothing_known
    sizes: tuple[Size, ...] = DEFAULT_SIZES
