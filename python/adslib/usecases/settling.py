"""Where a network goes that is described by its length and by the container that it is to lie in (I7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.network import Network, Role
from adslib.domain.network_reading import read_number
from adslib.domain.prefix import WIDTHS
from adslib.usecases.viewing import refuse_foreign


def settled(
    tx: Transaction, actor: Actor, row: Mapping[str, Any], known: Network | None, beside: Iterable[Network]
) -> Mapping[str, Any]:
    """A description with a prefix of its own where `within` names a container and `prefix` is a length, like `/26`.

    One that is there already stays where it is.

    Args:
        beside: those that are described with it.

    Raises:
        Invalid: what is said of it is no length, `within` is no container, or one of another space. NotFound: there is
            no such network. Forbidden: it is another tenant's.
        Conflict: it has no room (code `container-full`), or the network that is there lies elsewhere.
    """
    within = row.get("within")
    said = {key: value for key, value in row.items() if key != "within"}
    if not within:
        return said
    place = f"network '{row.get('name') or ''}'"
    container = _container(tx, actor, str(within), place, beside)
    length = _length(said.get("prefix"), container, place)
    if said.get("space") not in (None, container.space):
        raise Invalid(
            f"network '{container.name}' lies in space '{container.space}', not in '{said['space']}'",
            place=place,
            remedy="leave the space out",
        )
    if known:
        _refuse_elsewhere(known, container, length)
        return {**said, "prefix": None}
    there = [*tx.networks.beside(container.space, container.prefix), *beside]
    taken = [each.prefix for each in there if each.id != container.id and _holds(container, each)]
    found = container.prefix.next_vacant(taken, length)
    if not found:
        raise Conflict(
            f"network '{container.name}' ({container.prefix}) has no /{length} left",
            place=place,
            remedy=f"see what is vacant with: ads network show {container.name}",
            code="container-full",
        )
    return {**said, "prefix": str(found), "space": container.space}


def _container(tx: Transaction, actor: Actor, name: str, place: str, beside: Iterable[Network]) -> Network:
    container = tx.networks.find(name) or next((each for each in beside if each.name == name), None)
    if not container:
        raise NotFound(f"there is no network '{name}'", place=place, remedy="list them with: ads network list")
    refuse_foreign(actor, container.tenant, f"network '{name}'")
    if container.role is not Role.CONTAINER:
        raise Invalid(f"network '{name}' is no container", place=place, remedy="name a network with role container")
    return container


def _length(prefix: object, container: Network, place: str) -> int:
    text = str(prefix or "")
    length = read_number(text[1:]) if text.startswith("/") and text[1:].isdecimal() else None
    longest = WIDTHS[container.prefix.version]
    if length is None or not container.prefix.length < length <= longest:
        raise Invalid(
            f"'{text}' is no length of a prefix within '{container.name}' ({container.prefix})",
            place=place,
            remedy=f"write /{container.prefix.length + 1} to /{longest}, or leave out 'within'",
        )
    return length


def _refuse_elsewhere(known: Network, container: Network, length: int) -> None:
    if known.prefix.length != length or not _holds(container, known):
        raise Conflict(
            f"network '{known.name}' is {known.prefix} of space '{known.space}', "
            f"not a /{length} within '{container.name}'",
            remedy="resize it by its prefix, or choose another name",
        )


def _holds(container: Network, other: Network) -> bool:
    return other.space == container.space and container.prefix.covers(other.prefix)
