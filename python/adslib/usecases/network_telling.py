"""Networks as outcomes and the log tell of them: as plain data, and in words what changed (I7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adslib.domain.network import Network
from adslib.domain.network_reading import written
from adslib.usecases.outcome import counted
from adslib.usecases.reshaping import SHOWN


def shown(network: Network) -> dict[str, Any]:
    """A network as plain data."""
    return {**written(network), "id": network.id, "generation": network.generation}


def counted_once_more(before: Network | None, after: Network) -> Network:
    """A network as it is once it is written: its changes are counted.

    Args:
        before: as it was; None: it is new.
    """
    return after if before in (None, after) else replace(after, generation=after.generation + 1)


def changes(before: Network, after: Network) -> str:
    """What is said of a network now, and what was: `vlan 110 → 120, zone none → west.example`."""
    old, new = written(before), written(after)
    return ", ".join(f"{key} {_text(old[key])} → {_text(new[key])}" for key in new if old[key] != new[key])


def put(pairs: Sequence[tuple[Network | None, Network]]) -> str:
    """One sentence about networks that were put together.

    Args:
        pairs: each as it was, if it was there, and as it is.
    """
    added = [f"'{new.name}' ({new.prefix}) added" for old, new in pairs if old is None]
    changed = [f"'{new.name}' changed: {changes(old, new)}" for old, new in pairs if old and old != new]
    left = len(pairs) - len(added) - len(changed)
    each = [*added, *changed]
    more = [f"{len(each) - SHOWN} more"] if len(each) > SHOWN else []
    numbers = f"{counted(len(added), 'network')} added, {len(changed)} changed, {left} as they were"
    return f"{numbers}: {'; '.join([*each[:SHOWN], *more])}" if each else numbers


def absent(names: Sequence[str]) -> str:
    """One sentence about networks that are not there."""
    return f"there is no network {', '.join(repr(name) for name in names)}"


def listed(networks: Sequence[Network]) -> str:
    """The names and prefixes of networks, of many only the first."""
    some = ", ".join(f"'{each.name}' ({each.prefix})" for each in networks[:SHOWN])
    return some if len(networks) <= SHOWN else f"{some} and {len(networks) - SHOWN} more"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={each}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(value) or "none"
    return "none" if value in (None, "") else str(value)
