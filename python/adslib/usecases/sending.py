"""Sending the records of one zone to its server, which may have a name from somebody else (I4).

A name that ads has not published is sent on condition that nothing stands there, so it is the server that keeps what
somebody else wrote, whatever happens at the same time. Only if it refuses does ads look at what stands there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from adslib.app import App
from adslib.domain.dns import FORBIDDEN, REVERSE, TAKEN, UNREACHABLE, RecordSet, foreign, messages, standing
from adslib.domain.errors import AdsError, Failed, Problem
from adslib.domain.zone_setting import ZoneSetting
from adslib.usecases.zone_truth import said_of

PATIENCE = 8
"""Names of a zone that may be refused while it takes nothing; then it is the zone that is refused."""

LOOKS = 3
"""How often ads looks at a name that changes just then: another publisher may be at it."""

TOLD = 20
"""Names that somebody else has which are told one by one."""


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

    def fail(self, zone: str, name: str, error: AdsError) -> None:
        """Keep what went wrong with a name of a zone."""
        self.failures.setdefault(zone, {})[name] = error

    @property
    def problems(self) -> list[Problem]:
        """All that went wrong: with a zone, or with some of its names."""
        return [problem for zone in self.failures for problem in self._problems_of(zone)]

    def is_over(self, zone: str) -> bool:
        """Whether nothing more is sent to a zone: its server is down, or refuses it as a whole."""
        down = any(error.code == UNREACHABLE for errors in self.failures.values() for error in errors.values())
        return down or self._is_refused(zone)

    def _refusals(self, zone: str) -> dict[str, AdsError]:
        """What went wrong, without the names that somebody else has: they say nothing of the zone."""
        return {name: error for name, error in self.failures.get(zone, {}).items() if error.code != TAKEN}

    def _is_refused(self, zone: str) -> bool:
        errors = self._refusals(zone).values()
        return any(error.code != FORBIDDEN for error in errors) or len(errors) > PATIENCE + self.taken[zone]

    def _problems_of(self, zone: str) -> Iterator[Problem]:
        refusals = self._refusals(zone)
        foreign = {name: error for name, error in self.failures[zone].items() if name not in refusals}
        if self._is_refused(zone):
            yield from list(refusals.values())[-1].problems
            refusals = {}
        told = {**refusals, **dict(list(foreign.items())[:TOLD])}
        for name, error in told.items():
            for problem in error.problems:
                yield replace(problem, place=f"{problem.place}, name '{name}'")
        if len(foreign) > TOLD:
            message = f"somebody else has {len(foreign) - TOLD} more names"
            yield Problem(message, f"zone '{zone}'", "see all that differs with: ads network publish --check")


@dataclass(frozen=True)
class Parcel:
    """Names that go in one message.

    Args:
        seen: what stands there of those that are not published. looks: how often ads has looked.
    """

    names: Sequence[str]
    seen: Sequence[RecordSet] = ()
    looks: int = 0

    @property
    def is_to_be_looked_at(self) -> bool:
        """Whether to look before it is halved, or given up."""
        return self.looks < (LOOKS if len(self.names) == 1 else 1)

    def halves(self) -> list[Parcel]:
        """The second half, and the first."""
        middle = len(self.names) // 2
        return [Parcel(self.names[middle:]), Parcel(self.names[:middle])]


@dataclass
class Sending:
    """What is sent to one zone of a setting.

    Args:
        sets: by name. since: when those began to wait that are not published. result: to add to.
    """

    app: App
    setting: ZoneSetting
    zone: str
    sets: Mapping[str, Sequence[RecordSet]]
    since: Mapping[str, datetime]
    result: Published
    done: list[RecordSet] = field(default_factory=list)

    def run(self) -> list[RecordSet]:
        """Send it; returns what is true at the server now.

        It refuses a message as a whole, so what is refused is sent again in halves, down to the names that it is about.
        """
        left = [Parcel(names) for names in messages(each for sets in self.sets.values() for each in sets)]
        left.reverse()
        while left and not self.result.is_over(self.zone):
            parcel = left.pop()
            try:
                self._put(parcel)
            except AdsError as error:
                if error.code == TAKEN and parcel.is_to_be_looked_at:
                    left += self._looked_into(parcel)
                elif error.code in (FORBIDDEN, TAKEN) and len(parcel.names) > 1:
                    left += parcel.halves()
                else:
                    self.result.fail(self.zone, parcel.names[0], error)
            else:
                self.result.taken[self.zone] += 1
                self.done += self._sets_of(parcel.names)
        return self.done

    def _put(self, parcel: Parcel) -> None:
        unpublished = [name for name in parcel.names if name in self.since]
        server = self.app.name_server(self.setting)
        server.put(self.zone, self._sets_of(parcel.names), standing(unpublished, parcel.seen))

    def _looked_into(self, parcel: Parcel) -> list[Parcel]:
        """What is left to send of a parcel in which something is not as it was thought to be.

        A name of whose records some seem to be somebody else's goes alone, since a wildcard looks the same: let the
        server say whether they are. If they are it waits; if ads wants nothing there any more, they are left alone.
        """
        try:
            found = self.app.name_server(self.setting).look(self.zone, (n for n in parcel.names if n in self.since))
        except AdsError as error:
            if error.code == UNREACHABLE:
                self.result.fail(self.zone, parcel.names[0], error)
                return []
            return [Parcel([name], looks=LOOKS) for name in reversed(parcel.names)]
        with self.app.store.reading() as tx:
            others = foreign(found, said_of(tx, self.setting, self.zone, found, self.since))
        theirs = list(dict.fromkeys(each.name for each in others))
        ours = [name for name in parcel.names if name not in theirs]
        rest = [Parcel(ours, found, parcel.looks + 1)] if ours else []
        if rest or len(parcel.names) > 1:
            return [*(Parcel([name]) for name in reversed(theirs)), *rest]
        sets = self._sets_of(theirs)
        if any(each.data for each in sets):
            self.result.fail(self.zone, theirs[0], taken(self.setting, self.zone, others))
        else:
            self.done += sets
        return []

    def _sets_of(self, names: Iterable[str]) -> list[RecordSet]:
        return [each for name in names for each in self.sets[name]]


def taken(setting: ZoneSetting, zone: str, found: Sequence[RecordSet]) -> Failed:
    """What to say of a name that somebody else has.

    Args:
        found: what stands there that ads did not write.
    """
    there = ", ".join(f"{each.type} {' '.join(each.data)}" for each in found)
    keep = "hold it back (ads network hold)" if found[0].type == REVERSE else "take the name alone (--no-address)"
    return Failed(
        f"somebody else has it at server {setting.server} port {setting.port}: {there}; nothing was replaced",
        place=f"zone '{zone}'",
        remedy=f"remove that there, or replace it with: ads network publish {setting.name} --all, or release the "
        f"address and {keep}",
        code=TAKEN,
    )
