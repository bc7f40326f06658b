"""What the names of zones are to have, as the store has it: now, or since they wait to be published (I4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from adslib.adapters.store import Transaction
from adslib.domain.dns import Given, RecordSet, address_of, wanted
from adslib.domain.zone_setting import ZoneSetting


def truth_of(tx: Transaction, setting: ZoneSetting, zone: str, names: Iterable[str]) -> list[RecordSet]:
    """What certain names of one of a setting's zones are to have, as the store has it now."""
    chosen = list(names)
    return wanted(chosen, _given(tx, setting, zone, chosen))


def said_of(
    tx: Transaction, setting: ZoneSetting, zone: str, found: Sequence[RecordSet], since: Mapping[str, datetime]
) -> list[RecordSet]:
    """What ads says of the names of some records, or said while they waited to be published.

    A publisher that was killed may have sent it. What was said before is none of ads's any more: it was taken away, and
    who has the name there now may well have kept the address.

    Args:
        found: records of one of a setting's zones. since: when the names began to wait.
    """
    names = {each.name for each in found}
    labels: dict[str, set[str]] = {}
    for name in names if zone == setting.name else {name for each in found for name in each.data}:
        label, _, rest = name.partition(".")
        labels.setdefault(rest.removesuffix("."), set()).add(label)
    begun = min((since[name] for name in names), default=None)
    past = [
        given
        for name in sharing(tx, setting, zone)
        if begun and name in labels
        for given, until in tx.zones.had(name, labels[name], begun)
        if any(name in names and until >= since[name] for name in (given.name, given.pointer))
    ]
    return wanted(names, [*_given(tx, setting, zone, names), *past])


def sharing(tx: Transaction, setting: ZoneSetting, zone: str) -> list[str]:
    """The zones whose names stand in one of a setting's: in a reverse zone, all that its server publishes there."""
    if zone == setting.name:
        return [zone]
    place = (setting.server, setting.port)
    return [each.name for each in tx.zones.list() if (each.server, each.port) == place and zone in each.reverse]


def _given(tx: Transaction, setting: ZoneSetting, zone: str, names: Iterable[str]) -> list[Given]:
    if zone == setting.name:
        return tx.zones.named(zone, (name.removesuffix(f".{zone}.") for name in names))
    places = [address for name in names if (address := address_of(name))]
    return tx.zones.at(sharing(tx, setting, zone), places)
