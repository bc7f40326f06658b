"""Checking orders against what a gateway offers: a wrong one is refused with what there is."""

from __future__ import annotations

from collections.abc import Iterable

from adslib.domain.errors import Invalid
from adslib.domain.machine import Size


def check_size(size: Size, known: Iterable[Size]) -> None:
    """Make sure that a size is one of those offered.

    Raises:
        Invalid: it is not.
    """
    known = tuple(known)
    if size not in known:
        raise _absent("size", _described(size), map(_described, known))


def check_choice(what: str, value: str, known: Iterable[str]) -> None:
    """Make sure that a value is one of those offered; an empty one leaves the choice to the gateway.

    Raises:
        Invalid: it is not.
    """
    known = tuple(known)
    if value and value not in known:
        raise _absent(what, value, known)


def _absent(what: str, value: str, known: Iterable[str]) -> Invalid:
    return Invalid(f"there is no {what} '{value}' here", remedy=f"there are: {', '.join(known) or 'none'}")


def _described(size: Size) -> str:
    return f"{size.name} ({size.cpu:g} CPU, {size.memory} MiB, {size.disk} GiB)"
