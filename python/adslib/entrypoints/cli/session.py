"""What was said before the noun, and the door to the use cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from adslib.usecases.ads import Ads


@dataclass(frozen=True, slots=True)
class Choice:
    """Which store, and who acts; empty: from the settings, and the operating-system user."""

    database: str = ""
    actor: str = ""


@contextmanager
def opened(ctx: typer.Context) -> Iterator[Ads]:
    """The use cases for the store and the actor of this command line."""
    import adslib

    choice = ctx.find_root().obj or Choice()
    with adslib.connect(choice.database, actor=choice.actor) as ads:
        yield ads
