"""Publishing the names of one zone: what waits is read, sent, and forgotten once the server has it (I4).

A name waits from the transaction that gives it or takes it back until its records are at the server. What is sent is
what the store says at that moment, so nothing is harmed if it is sent twice, or in another order, or by two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.dns import (
    FORBIDDEN,
    UNREACHABLE,
    Difference,
    RecordSet,
    address_of,
    differences,
    records,
    wanted,
    zone_of,
)
from adslib.domain.errors import AdsError, Problem
from adslib.domain.zone_setting import ZoneSetting
from adslib.usecases.log import log

BATCH = 500
"""Names that are read, sent and forgotten together."""


PATIENCE = 8
"""Names of a zone that may be refused while it takes nothing; then it is the zone that is refused."""


@dataclass
class Published:
    """What came of publishing a zone.

    Args:
        names: that the server has now. taken: how many messages it took, by zone; reverse zones count for themselves.
        failures: what went wrong, by zone and name.
    """

    names: set[str] = field(default_factory=set)
    taken: Counter[str] = field(default_factory=Counter)
    failures: dict[str, dict[str, AdsError]] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """All that went wrong: with a zone, or with some of its names."""
        return [problem for zone in self.failures for problem in self._problems_of(zone)]

    def is_over(self, zone: str) -> bool:
        """Whether nothing more is sent to a zone: its server is down, or refuses it as a whole."""
        down = any(error.code == UNREACHABLE for errors in self.failures.values() for error in errors.values())
        return down or self._is_refused(zone)

    def _is_refused(self, zone: str) -> bool:
        errors = self.failures.get(zone, {}).values()
        return any(error.code != FORBIDDEN for error in errors) or len(errors) > PATIENCE + self.taken[zone]

    def _problems_of(self, zone: str) -> Iterator[Problem]:
        errors = self.failures[zone]
        if self._is_refused(zone):
            yield from list(errors.values())[-1].problems
            return
        for name, error in errors.items():
            for problem in error.problems:
                yield replace(problem, place=f"{problem.place}, name '{name}'")


def publish(app: App, actor: Actor, name: str) -> Published:
    """Bring what waits of a zone to its server; what the server does not take goes on waiting.

    A reverse zone that is refused keeps no names from the zone itself, nor does a name that is refused keep any other.
    """
    result = Published()
    last = 0
    while True:
        with app.store.reading() as tx:
            setting = tx.zones.get(name)
            changes = tx.zones.pending(name, last, BATCH)
            parts = by_zone(setting, (name for _, name in changes))
            truth = {zone: truth_of(tx, setting, zone, names) for zone, names in parts.items() if zone}
        if not changes:
            break
        last = changes[-1][0]
        sent = {zone: _sent(app, setting, zone, sets, result) for zone, sets in truth.items()}
        done = {*parts.get("", ()), *(each.name for sets in sent.values() for each in sets)}
        _forget(app, setting, [(id, name) for id, name in changes if name in done], sent)
        result.names |= done
    with app.store.transaction() as tx:
        tx.zones.note(name, "\n".join(str(problem) for problem in result.problems))
        if result.names:
            log(tx, app.clock(), actor, f"names of zone '{name}' published: {len(result.names)}")
    return result


def _sent(app: App, setting: ZoneSetting, zone: str, sets: Sequence[RecordSet], result: Published) -> list[RecordSet]:
    """What the server has taken of it.

    It refuses a message as a whole, so what is refused is sent again in halves, down to the names that it is about.
    """
    by_name: dict[str, list[RecordSet]] = {}
    for each in sets:
        by_name.setdefault(each.name, []).append(each)
    left, taken = [list(by_name)], list[RecordSet]()
    while left and not result.is_over(zone):
        names = left.pop()
        part = [each for name in names for each in by_name[name]]
        try:
            app.name_server(setting).put(zone, part)
        except AdsError as error:
            if error.code == FORBIDDEN and len(names) > 1:
                left += [names[len(names) // 2 :], names[: len(names) // 2]]
            else:
                result.failures.setdefault(zone, {})[names[0]] = error
        else:
            result.taken[zone] += 1
            taken += part
    return taken


def _forget(
    app: App, setting: ZoneSetting, changes: Sequence[tuple[int, str]], sent: Mapping[str, Sequence[RecordSet]]
) -> None:
    """These changes are published.

    Another publisher may have sent something newer before, and forgotten it: what is not true any more waits again.
    And if the zone was given another server meanwhile, all goes on waiting for that.
    """
    with app.store.transaction() as tx:
        if tx.zones.find(setting.name) != setting:
            return
        for zone, sets in sent.items():
            now = truth_of(tx, setting, zone, {each.name for each in sets})
            tx.zones.mark(setting.name, {each.wanted.name for each in differences(now, sets)}, app.clock())
        tx.zones.forget(id for id, _ in changes)


def by_zone(setting: ZoneSetting, names: Iterable[str]) -> dict[str, set[str]]:
    """Names by the zone of a server that carries them; those that none carries stand under an empty name."""
    parts: dict[str, set[str]] = {}
    for name in names:
        parts.setdefault(zone_of(name, setting.carried), set()).add(name)
    return parts


def truth_of(tx: Transaction, setting: ZoneSetting, zone: str, names: Iterable[str]) -> list[RecordSet]:
    """What certain names of one of a setting's zones are to have, as the store has it now."""
    chosen = list(names)
    if zone == setting.name:
        labels = (name.removesuffix(f".{zone}.") for name in chosen)
        return wanted(chosen, tx.zones.named(zone, labels))
    places = [address for name in chosen if (address := address_of(name))]
    return wanted(chosen, tx.zones.at(sharing(tx, setting, zone), places))


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


def sharing(tx: Transaction, setting: ZoneSetting, zone: str) -> list[str]:
    """The zones whose names stand in one of a setting's: in a reverse zone, all that its server publishes there."""
    if zone == setting.name:
        return [zone]
    place = (setting.server, setting.port)
    return [each.name for each in tx.zones.list() if (each.server, each.port) == place and zone in each.reverse]
