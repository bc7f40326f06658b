"""What was said before the noun, and the door to the use cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from adslib.entrypoints.cli.presenting import Format

if TYPE_CHECKING:
    from adslib.usecases.ads import Ads


@dataclass(slots=True)
class Choice:
    """What was said beside the use case.

    Args:
        database: which store; empty: that of the settings. actor: who acts; empty: the operating-system user.
        format: how the result is written, and the error.
    """

    database: str = ""
    actor: str = ""
    format: Format = Format.TABLE


def choose_format(ctx: typer.Context, value: Format) -> Format:
    """Remember how the result is to be written, since an error is written so, too."""
    ctx.ensure_object(Choice).format = value
    return value


@contextmanager
def opened(ctx: typer.Context) -> Iterator[Ads]:
    """The use cases for the store and the actor of this command line."""
    import adslib

    choice = ctx.ensure_object(Choice)
    with adslib.connect(choice.database, actor=choice.actor) as ads:
        yield ads
