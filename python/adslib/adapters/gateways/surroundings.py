"""What a gateway may be given beside its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adslib.domain.gateway import Sighting

if TYPE_CHECKING:
    from sqlalchemy import Engine


def _nothing_known() -> Iterable[Sighting]:
    return ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The place a gateway works in.

    Args:
        home: ADS_HOME. engine: the store's engine or its URL, for gateways that keep their machines there.
        known: lists the machines that the store knows of this gateway, for gateways that cannot ask anybody.
    """

    home: Path
    engine: Engine | str | None = None
    known: Callable[[], Iterable[Sighting]] = _nothing_known
