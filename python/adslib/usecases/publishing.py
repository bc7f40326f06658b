"""Publishing the names of one zone: what waits is read, sent, and forgotten once the server has it (I4).

A name waits from the transaction that gives it or takes it back until its records are at the server. What is sent is
what the store says at that moment, so nothing is harmed if it is sent twice, or in another order, or by two. Which
names are published is kept, so that nobody else's records are replaced by those of a name that was given since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.dns import Difference, RecordSet, differences, records, zone_of
from adslib.domain.zone_setting import ZoneSetting
from adslib.usecases.log import log
from adslib.usecases.sending import Published, Sending
from adslib.usecases.zone_truth import sharing, truth_of

BATCH = 500
"""Names that are read, sent and forgotten together."""


def publish(app: App, actor: Actor, name: str, replacing: Set[str] = frozenset()) -> Published:
    """Bring what waits of a zone to its server; what the server does not take goes on waiting.

    A reverse zone that is refused keeps no names from the zone itself, nor does a name keep any other that is refused
    or that somebody else has there.

    Args:
        replacing: names whose records are replaced whoever wrote them.
    """
    result = Published()
    last = 0
    while True:
        with app.store.reading() as tx:
            setting = tx.zones.get(name)
            changes = tx.zones.pending(name, last, BATCH)
            parts = by_zone(setting, (name for _, name, _ in changes))
            truth = {zone: truth_of(tx, setting, zone, names) for zone, names in parts.items() if zone}
            known = {
                each for zone in truth for each in tx.zones.published(sharing(tx, setting, zone), parts[zone])
            } | replacing
        if not changes:
            break
        last = changes[-1][0]
        # The oldest change of a name comes last here, and stays.
        since = {name: at for _, name, at in reversed(changes) if name not in known}
        sent = {zone: Sending(app, setting, zone, by_name(sets), since, result).run() for zone, sets in truth.items()}
        done = {*parts.get("", ()), *(each.name for sets in sent.values() for each in sets)}
        _forget(app, setting, [(id, name) for id, name, _ in changes if name in done], sent)
        result.names |= done
    with app.store.transaction() as tx:
        tx.zones.note(name, "\n".join(str(problem) for problem in result.problems))
        if result.names:
            log(tx, app.clock(), actor, f"names of zone '{name}' published: {len(result.names)}")
    return result


def _forget(
    app: App, setting: ZoneSetting, changes: Sequence[tuple[int, str]], sent: Mapping[str, Sequence[RecordSet]]
) -> None:
    """These changes are published.

    Another publisher may have sent something newer before, and forgotten it: what is not true any more waits again.
    And if the zone was given another server meanwhile, all goes on waiting for that.
    """
    with app.store.transaction() as tx:
        tx.zones.hold()
        if tx.zones.find(setting.name) != setting:
            return
        for zone, sets in sent.items():
            names = {each.name for each in sets}
            now = truth_of(tx, setting, zone, names)
            tx.zones.mark(setting.name, {each.wanted.name for each in differences(now, sets)}, app.clock())
            there = {each.name for each in sets if each.data}
            tx.zones.publish(setting.name, there)
            tx.zones.withdraw(sharing(tx, setting, zone), names - there)
        tx.zones.forget(id for id, _ in changes)


def by_zone(setting: ZoneSetting, names: Iterable[str]) -> dict[str, set[str]]:
    """Names by the zone of a server that carries them; those that none carries stand under an empty name."""
    parts: dict[str, set[str]] = {}
    for name in names:
        parts.setdefault(zone_of(name, setting.carried), set()).add(name)
    return parts


def by_name(sets: Iterable[RecordSet]) -> dict[str, list[RecordSet]]:
    """Sets by the name that they are of."""
    found: dict[str, list[RecordSet]] = {}
    for each in sets:
        found.setdefault(each.name, []).append(each)
    return found


def compare(app: App, setting: ZoneSetting) -> list[Difference]:
    """How the records of a zone and its reverse zones differ from the store; of the latter what concerns its names.

    Only records that are ads's own count: A, AAAA and PTR records of names that it gives, or gave once, be it long ago;
    not those of names that somebody has without an address, whose records are another's.
    Whatever else stands there (SOA, NS, hosts that somebody else put there) is left alone.

    Raises:
        Failed: the server does not answer, or does not let the key transfer a zone.
    """
    server = app.name_server(setting)
    # Below another zone of the server nobody is shown what stands in this one, and nothing is written there.
    found = {
        zone: [each for each in server.records(zone) if zone_of(each.name, setting.carried) == zone]
        for zone in setting.carried
    }
    result: list[Difference] = []
    with app.store.reading() as tx:
        for zone in setting.carried:
            given = tx.zones.given(sharing(tx, setting, zone))
            result += _own(tx, setting, differences(records(zone, setting.carried, given), found[zone]))
    return result


def _own(tx: Transaction, setting: ZoneSetting, found: Sequence[Difference]) -> list[Difference]:
    """Those of some differences that concern names which ads gives in a zone, or gave."""
    suffix = f".{setting.name}."
    labels = {name: name.removesuffix(suffix) for each in found for name in each.names if name.endswith(suffix)}
    gave = tx.zones.gave(setting.name, labels.values())
    ours = {name for name, label in labels.items() if label in gave}
    return [each for each in found if each.names & ours]
