"""Checking orders against what a gateway offers: a wrong one is refused with what there is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adslib.domain.errors import Failed, Invalid
from adslib.domain.machine import Size

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def checked_id(machine_id: str) -> str:
    """Return an id that can name a file and be a tag.

    Raises:
        Invalid: it cannot.
    """
    if ID.fullmatch(machine_id):
        return machine_id
    raise Invalid(f"'{machine_id}' is no id for a machine", remedy="use 1 to 64 letters, digits, '-' and '_'")


def refuse_full(gateway: str, count: int, limit: int) -> None:
    """Make sure that a gateway may have one more machine.

    Raises:
        Failed: it has as many as its option `limit` allows.
    """
    if count >= limit:
        raise Failed(
            f"gateway '{gateway}' is full: it has {count} machines of {limit}",
            remedy="delete machines, or raise its option 'limit'",
        )


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
