"""Reading a network as people write it: every value a text or a number, every mistake told at once (I1, I7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from adslib.domain.errors import Invalid, Problem
from adslib.domain.names import name_problem
from adslib.domain.network import Held, Network, Role, problems_of
from adslib.domain.prefix import Address, Prefix, read_address, read_prefix
from adslib.domain.reading.findings import did_you_mean
from adslib.domain.zone import read_zone

WORDS = ("name", "space", "datacenter", "owner", "tenant")
"""What is a name that people type."""

UNSAID = ("datacenter", "owner")
"""Those of them that may be empty."""

MOST_DIGITS = 39
"""Of a number: an address of 128 bits has as many."""

ANY = Prefix(4, 0, 0)
WITHIN = ("gateway", "held", "mtu")
"""What is right or wrong only within a prefix."""


def read_held(text: str, place: str = "") -> Held:
    """A range that is held back, as people write it: `10.0.0.200-10.0.0.254 for the printers`, a prefix or one address.

    Raises:
        Invalid: it is none.
    """
    places, _, why = text.strip().partition(" ")
    if "/" in places:
        prefix = read_prefix(places, place)
        return Held(prefix.first, prefix.last, why.strip())
    first, dash, last = places.partition("-")
    begin = read_address(first, place)
    end = read_address(last, place) if dash else begin
    if end < begin:
        raise Invalid(f"{begin} to {end} ends before it begins", place=place, remedy="write the lower address first")
    return Held(begin, end, why.strip())


def held_text(held: Held) -> str:
    """The range as `read_held` reads it."""
    places = str(held.first) if held.first == held.last else f"{held.first}-{held.last}"
    return f"{places} {held.why}".strip()


def read_texts(value: object) -> list[str]:
    """A list as people write it: its parts, or one text with commas between them.

    Raises:
        Invalid: it is neither.
    """
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, Iterable):
        return [str(part) for part in value]
    raise Invalid(f"{value!r} is no list", remedy="separate the parts by commas")


def read_number(value: object) -> int | None:
    """A number as people write it; nothing where nothing is written.

    Raises:
        Invalid: it is none.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise Invalid(f"'{value}' is no number", remedy="use digits")
    if len(str(value)) > MOST_DIGITS:
        raise Invalid(f"a number of {len(str(value))} digits is too large", remedy=f"use up to {MOST_DIGITS} digits")
    return int(str(value))


def _role(value: object) -> Role:
    try:
        return Role(str(value))
    except ValueError:
        raise Invalid(f"'{value}' is no role", remedy=f"use one of: {', '.join(Role)}") from None


def _tags(value: object) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(key): str(each) for key, each in value.items()}
    pairs = [part.partition("=") for part in read_texts(value)]
    if any(not key or not sign for key, sign, _ in pairs):
        raise Invalid(f"'{value}' are no tags", remedy="write them like colour=blue,floor=3")
    return {key: each for key, _, each in pairs}


def _address(value: object) -> Address | None:
    return read_address(str(value)) if value else None


READERS: Mapping[str, Callable[[Any], Any]] = {
    "prefix": lambda value: read_prefix(str(value)),
    "role": _role,
    "vlan": read_number,
    "vxlan": read_number,
    "mtu": read_number,
    "position": lambda value: read_number(value) or 0,
    "cooldown": lambda value: read_number(value) or 0,
    "gateway": _address,
    "resolvers": lambda value: tuple(read_address(part) for part in read_texts(value)),
    "held": lambda value: tuple(read_held(part) for part in read_texts(value)),
    "tags": _tags,
    "zone": lambda value: read_zone(str(value)) if value else "",
}
"""How each value is read; the others are texts."""

SETTABLE = tuple(field.name for field in fields(Network) if field.name not in ("id", "generation"))


def read_network(written: Mapping[str, Any], known: Network | None = None, *, id: str = "") -> Network:
    """The network that is described, or one that is there with what is said changed.

    Args:
        written: by the names of `Network`; what is None is not said. known: the one that is there. id: of a new one.

    Raises:
        Invalid: everything that is wrong with it.
    """
    name = str(written.get("name") or (known.name if known else ""))
    place = f"network '{name}'"
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in written.items():
        if key not in SETTABLE:
            problems.append(Problem(f"nothing is called '{key}'", place, did_you_mean(key, SETTABLE)))
        elif value is not None:
            try:
                values[key] = READERS.get(key, str)(value)
            except Invalid as error:
                problems += [Problem(f"{key}: {each.message}", place, each.remedy) for each in error.problems]
    problems += [
        problem
        for word in WORDS
        if (values.get(word) or (word in values and word not in UNSAID) or word == "name")
        and (problem := name_problem(values.get(word, name), word, place))
    ]
    if not known and not written.get("prefix"):
        problems.append(Problem("it has no prefix", place, "write one, like 10.1.0.0/16"))
    if not known and "prefix" not in values:
        # Whatever does not depend on it is looked at all the same.
        values = {"prefix": ANY, **{key: value for key, value in values.items() if key not in WITHIN}}
    network = replace(known, **values) if known else Network(**{"id": id, "name": name, "space": "default", **values})
    if problems := [*problems, *problems_of(network)]:
        raise Invalid(problems=problems)
    return network


def written(network: Network) -> dict[str, Any]:
    """A network as plain data that `read_network` reads."""
    return {
        "name": network.name,
        "space": network.space,
        "prefix": str(network.prefix),
        "role": str(network.role),
        "vlan": network.vlan,
        "vxlan": network.vxlan,
        "lan": network.lan,
        "datacenter": network.datacenter,
        "owner": network.owner,
        "tenant": network.tenant,
        "position": network.position,
        "gateway": str(network.gateway) if network.gateway else "",
        "resolvers": [str(resolver) for resolver in network.resolvers],
        "mtu": network.mtu,
        "zone": network.zone,
        "pattern": network.pattern,
        "cooldown": network.cooldown,
        "held": [held_text(held) for held in network.held],
        "tags": dict(network.tags),
    }
