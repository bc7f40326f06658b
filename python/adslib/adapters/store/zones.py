"""Zones that are published, and the names of them whose records at the server may differ from the store (I4)."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from adslib.adapters.store.address_schema import address_history, addresses, dns_changes, dns_published, zones
from adslib.adapters.store.statements import Statements, chunks
from adslib.domain.assignment import Assignment
from adslib.domain.dns import ROOTS, Given, zone_of
from adslib.domain.errors import NotFound
from adslib.domain.prefix import WIDTHS, Address
from adslib.domain.zone_setting import ZoneSetting

LOOK = "list them with: ads network zone list"

# Any number will do, as long as nobody else locks it: whoever adds a zone waits for those who give its names.
_NAMING = 0x6164735F7A6F6E65

_FIELDS = tuple(field.name for field in fields(ZoneSetting))
_GIVEN = select(addresses.c.zone, addresses.c.label, addresses.c.version, addresses.c.number, zones.c.ttl).join(
    zones, zones.c.name == addresses.c.zone
)


class Zones:
    """The zones and their outbox, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def lock(self) -> None:
        """Nobody gives names or takes them back until the transaction ends."""
        self._wait("pg_advisory_xact_lock")

    def hold(self) -> None:
        """Nobody adds, changes or removes a zone until the transaction ends."""
        self._wait("pg_advisory_xact_lock_shared")

    def put(self, setting: ZoneSetting) -> None:
        """Take a zone, or give one that is there another setting; what is pending of it stays.

        What another server has, and what stands in other reverse zones, nobody knows.
        """
        before = self.find(setting.name)
        if before and (before.server, before.port) != (setting.server, setting.port):
            self._statements.write(delete(dns_published).where(dns_published.c.zone == setting.name))
        elif before and before.reverse != setting.reverse:
            reverse = or_(*(dns_published.c.name.like(f"%.{root}.") for root in ROOTS))
            self._statements.write(delete(dns_published).where(dns_published.c.zone == setting.name, reverse))
        values = {name: getattr(setting, name) for name in _FIELDS} | {"reverse": list(setting.reverse), "failure": ""}
        if not self._statements.write(update(zones).where(zones.c.name == setting.name).values(values)):
            self._statements.write(insert(zones), values)

    def get(self, name: str) -> ZoneSetting:
        """The zone of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no zone '{name}'", remedy=LOOK)
        return found

    def find(self, name: str) -> ZoneSetting | None:
        """The zone of this name, if there is one."""
        return next(iter(self._where(zones.c.name == name)), None)

    def list(self) -> builtins.list[ZoneSetting]:
        """All zones, by name."""
        return self._where()

    def delete(self, name: str) -> None:
        """Forget a zone and what is pending of it."""
        self._statements.write(delete(zones).where(zones.c.name == name))

    def note(self, name: str, failure: str) -> None:
        """Keep why publishing a zone failed; empty: it did not."""
        change = update(zones).where(zones.c.name == name, zones.c.failure != failure)
        self._statements.write(change.values(failure=failure))

    def failures(self) -> dict[str, str]:
        """Why publishing failed the last time, by zone; empty: it did not."""
        return {row[0]: row[1] for row in self._statements.rows(select(zones.c.name, zones.c.failure))}

    # ── the outbox ───────────────────────────────────────────────────────────────────────────────────

    def changed(self, assignments: Iterable[Assignment], at: datetime) -> None:
        """The names of these are given from now on, or not any more: they wait until they are published.

        Names of zones that are not published, and those without an address, cost nothing but a look.
        """
        named = [each for each in assignments if each.label is not None and each.number is not None]
        if not named:
            return
        self.hold()
        known = {each.name: each for each in self._where(zones.c.name.in_({each.zone for each in named}))}
        given = [
            Given(each.zone, str(each.label), each.address, 0)
            for each in named
            if each.zone in known and each.address is not None
        ]
        self._mark(((each.zone, name) for each in given for name in _names(known[each.zone], each)), at)

    def mark(self, zone: str, names: Iterable[str], at: datetime) -> None:
        """These names of a zone wait until they are published; absolute. Of a zone that is gone, none do."""
        self.hold()
        if self.find(zone):
            self._mark(((zone, name) for name in names), at)

    def mark_all(self, setting: ZoneSetting, at: datetime) -> None:
        """All names of a zone wait until they are published."""
        self.mark(setting.name, (name for each in self.given([setting.name]) for name in _names(setting, each)), at)

    def pending(self, zone: str, after: int, limit: int) -> builtins.list[tuple[int, str, datetime]]:
        """Names of a zone that wait, the oldest first, behind a change: the change, the name, and since when."""
        change = dns_changes.c
        query = select(change.id, change.name, change.at).where(change.zone == zone, change.id > after)
        return [(row[0], row[1], row[2]) for row in self._statements.rows(query.order_by(change.id).limit(limit))]

    def waiting(self, zone: str) -> set[str]:
        """The names of a zone that wait, all of them."""
        query = select(dns_changes.c.name).where(dns_changes.c.zone == zone)
        return {row[0] for row in self._statements.rows(query)}

    def counts(self) -> dict[str, int]:
        """How many names wait, by zone."""
        query = select(dns_changes.c.zone, func.count(dns_changes.c.name.distinct())).group_by(dns_changes.c.zone)
        return {row[0]: row[1] for row in self._statements.rows(query)}

    def forget(self, changes: Iterable[int]) -> None:
        """These changes, and no others of the same names, are published."""
        for chunk in chunks(changes):
            self._statements.write(delete(dns_changes).where(dns_changes.c.id.in_(chunk)))

    # ── what the servers have ────────────────────────────────────────────────────────────────────────

    def published(self, within: Iterable[str], names: Iterable[str]) -> set[str]:
        """Those of some names whose records the server has from some zones."""
        query = select(dns_published.c.name).where(dns_published.c.zone.in_(sorted(within)))
        return {
            row[0]
            for chunk in chunks(names)
            for row in self._statements.rows(query.where(dns_published.c.name.in_(chunk)))
        }

    def publish(self, zone: str, names: Iterable[str]) -> None:
        """The server has the records of these names from a zone."""
        dialect = postgresql if self._statements.postgresql else sqlite
        # In order, so that two who have published the same never wait for each other.
        for chunk in chunks(sorted(names)):
            rows = [{"zone": zone, "name": name} for name in chunk]
            self._statements.write(dialect.insert(dns_published).on_conflict_do_nothing(), rows)

    def withdraw(self, within: Iterable[str], names: Iterable[str]) -> None:
        """The server has no records of these names any more, from none of some zones."""
        change = delete(dns_published).where(dns_published.c.zone.in_(sorted(within)))
        for chunk in chunks(sorted(names)):
            self._statements.write(change.where(dns_published.c.name.in_(chunk)))

    # ── what is to be published ──────────────────────────────────────────────────────────────────────

    def given(self, names: Iterable[str]) -> builtins.list[Given]:
        """All names of some zones that have an address."""
        return self._given(addresses.c.zone.in_(sorted(names)))

    def named(self, zone: str, labels: Iterable[str]) -> builtins.list[Given]:
        """What certain names of a zone stand for."""
        return [
            each
            for chunk in chunks(labels)
            for each in self._given(addresses.c.zone == zone, addresses.c.label.in_(chunk))
        ]

    def at(self, names: Iterable[str], places: Iterable[Address]) -> builtins.list[Given]:
        """The names that some zones have for certain addresses, of all spaces."""
        # No bare column: SQLite would rather go through all names of the zones.
        within, wanted = (addresses.c.zone + "").in_(sorted(names)), list(places)
        # A version at a time: PostgreSQL goes through its index once for a list of numbers, and once for each of pairs.
        return [
            each
            for version in WIDTHS
            for chunk in chunks(place.number for place in wanted if place.version == version)
            for each in self._given(within, addresses.c.version == version, addresses.c.number.in_(chunk))
        ]

    def had(self, zone: str, labels: Iterable[str], since: datetime) -> builtins.list[tuple[Given, datetime]]:
        """What names of a zone stood for that was given or released at some moment or later: the later of the two."""
        past = address_history.c
        query = select(past.label, past.version, past.number, past.given, past.released).where(past.zone == zone)
        query = query.where(past.number.is_not(None), or_(past.given >= since, past.released >= since))
        return [
            (Given(zone, row[0], Address(row[1], row[2]), 0), max(row[3], row[4]))
            for chunk in chunks(labels)
            for row in self._statements.rows(query.where(past.label.in_(chunk), past.label.is_not(None)))
        ]

    def gave(self, zone: str, labels: Iterable[str]) -> set[str]:
        """Those of some labels that ads gives in a zone, or gave; not those that somebody has without an address."""
        found: set[str] = set()
        for chunk in chunks(labels):
            for table in (addresses, address_history):
                named = (table.c.zone == zone, table.c.label.in_(chunk), table.c.label.is_not(None))
                found |= {row[0] for row in self._statements.rows(select(table.c.label).where(*named))}
            alone = (addresses.c.zone == zone, addresses.c.label.in_(chunk), addresses.c.number.is_(None))
            found -= {row[0] for row in self._statements.rows(select(addresses.c.label).where(*alone))}
        return found

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _wait(self, function: str) -> None:
        """SQLite has one writer at a time anyway."""
        if self._statements.postgresql:
            self._statements.connection.execute(text(f"SELECT {function}(:key)"), {"key": _NAMING})

    def _mark(self, names: Iterable[tuple[str, str]], at: datetime) -> None:
        for chunk in chunks(dict.fromkeys(names)):
            self._statements.write(
                insert(dns_changes), [{"zone": zone, "name": name, "at": at} for zone, name in chunk]
            )

    def _given(self, *condition: ColumnElement[bool]) -> builtins.list[Given]:
        # In these words, since they are those of the index.
        query = _GIVEN.where(addresses.c.label.is_not(None), addresses.c.number.is_not(None), *condition)
        return [Given(row[0], row[1], Address(row[2], row[3]), row[4]) for row in self._statements.rows(query)]

    def _where(self, *condition: ColumnElement[bool]) -> builtins.list[ZoneSetting]:
        query = select(*(zones.c[name] for name in _FIELDS)).where(*condition).order_by(zones.c.name)
        return [ZoneSetting(**{**row._asdict(), "reverse": tuple(row.reverse)}) for row in self._statements.rows(query)]


def _names(setting: ZoneSetting, given: Given) -> Sequence[str]:
    """The names of which something is published: itself, and its reverse name if the server carries its zone."""
    return (given.name, given.pointer) if zone_of(given.pointer, setting.reverse) else (given.name,)
