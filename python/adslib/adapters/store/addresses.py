"""Who has which address and name, and who had it (I2, I4, I5, I6). The unique keys here have the last word."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    update,
)

from adslib.adapters.store.address_schema import address_history, address_requests, addresses, networks
from adslib.adapters.store.columns import UtcTime, among, holds
from adslib.adapters.store.statements import Statements, Values, chunks
from adslib.domain.assignment import Assignment
from adslib.domain.network import Network, Role
from adslib.domain.prefix import Address, Prefix

_OURS = [addresses.c[name] for name in Assignment._fields]
_PAST = [address_history.c[name] for name in Assignment._fields]


class Addresses:
    """The assignments of addresses and names, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, new: Sequence[Assignment]) -> None:
        """Write who has what from now on; if somebody took one meanwhile, `Crossed` says so when it is written."""
        self._statements.write_all_later(_ADD, Assignment._fields, new)

    def by_ids(self, ids: Iterable[str]) -> dict[str, Assignment]:
        """Assignments by their ids; those that are over are left out."""
        return {row[0]: Assignment(*row) for row in self._statements.rows(_BY_IDS, {"ids": list(dict.fromkeys(ids))})}

    def locked(self, ids: Iterable[str]) -> builtins.list[Assignment]:
        """Assignments that are about to be given back, and are ours from now on; those that are over are left out."""
        return [Assignment(*row) for row in self._statements.rows(_LOCKED, {"ids": list(set(ids))})]

    def at(self, space: str, taken: Iterable[Address]) -> dict[Address, Assignment]:
        """Who has certain addresses of a space."""
        numbers: dict[int, list[int]] = {}
        for address in dict.fromkeys(taken):
            numbers.setdefault(address.version, []).append(address.number)
        here, number = addresses.c.space == space, addresses.c.number
        return {
            Address(each.version, each.number or 0): each
            for version, wanted in numbers.items()
            for chunk in chunks(wanted)
            for each in self._where(here, addresses.c.version == version, number.in_(chunk))
        }

    def named(self, zone: str, labels: Iterable[str]) -> dict[str, Assignment]:
        """Who has certain names of a zone."""
        return {
            str(each.label): each
            for chunk in chunks(dict.fromkeys(labels))
            for each in self._where(addresses.c.zone == zone, addresses.c.label.in_(chunk))
        }

    def numbers(self, space: str, version: int, places: range) -> tuple[builtins.list[int], builtins.list[int]]:
        """The numbers between two addresses that somebody has, and those that rest."""
        held = select(addresses.c.number).where(*_between(addresses, space, version, places))
        resting = select(address_history.c.number).where(
            *_between(address_history, space, version, places), address_history.c.resting
        )
        return [row[0] for row in self._statements.rows(held)], [row[0] for row in self._statements.rows(resting)]

    def within(self, space: str, version: int, places: range, limit: int) -> builtins.list[Assignment]:
        """Who has the first addresses between two, this many at most."""
        query = select(*_OURS).where(*_between(addresses, space, version, places)).order_by(addresses.c.number)
        return [Assignment(*row) for row in self._statements.rows(query.limit(limit))]

    def taken_in(self, space: str, version: int, places: range) -> int:
        """How many addresses of a space somebody has between two."""
        return self._count(*_between(addresses, space, version, places))

    def list(
        self,
        *,
        limit: int | None = None,
        unseen_since: datetime | None = None,
        network: Network | None = None,
        of_networks: Mapping[str, Any] | None = None,
        **exact: Any,
    ) -> builtins.list[Assignment]:
        """Assignments by address and name; what is None does not filter.

        Of networks, names without an address come last.

        Args:
            limit: this many at most. exact: columns and what they must be. of_networks: the same of their networks.
            unseen_since: those that were given before this moment and not seen in use since.
            network: those of this one. Its numbers are said: PostgreSQL would read all addresses to find the first few.
        """
        query = select(*_OURS).order_by(addresses.c.space, addresses.c.version, addresses.c.number, addresses.c.label)
        for column, wanted in exact.items():
            if wanted is not None:
                query = query.where(holds(addresses.c[column], wanted))
        if unseen_since is not None:
            seen = func.coalesce(addresses.c.seen, addresses.c.given)
            query = query.where(addresses.c.given < unseen_since, seen < unseen_since)
        numbered: builtins.list[ColumnElement[bool]] = []
        if network:
            query = query.where(addresses.c.network == network.id)
            numbered += _between(addresses, network.space, network.prefix.version, network.prefix.places)
        tagged = [networks.c[column] == wanted for column, wanted in (of_networks or {}).items() if wanted is not None]
        if tagged:
            # Joined so that SQLite begins with the networks, and does not look up that of each address there is.
            query = query.join(networks, and_(addresses.c.network == networks.c.id.concat(""), *tagged))
            numbered += _NUMBERED
        parts = [query.where(*numbered), query.where(addresses.c.number.is_(None))] if numbered else [query]
        rows = [row for part in parts for row in self._statements.rows(part.limit(limit))]
        return [Assignment(*row) for row in rows[:limit]]

    def in_use(self) -> builtins.list[Assignment]:
        """What machines and environments have, by machine."""
        in_use = or_(addresses.c.machine != "", addresses.c.environment != "")
        query = select(*_OURS).where(in_use).order_by(addresses.c.machine, addresses.c.id)
        return [Assignment(*row) for row in self._statements.rows(query)]

    def adopt(self, assignment: str, stem: str, place: int) -> bool:
        """Let a name have the number by which a pattern would make it, too: the number is free when the name is.

        Returns:
            Whether it has it now. Not if it has one already, or if somebody works on it, whom nobody waits for here.
        """
        numberless = select(addresses.c.id).where(addresses.c.id == assignment, addresses.c.place.is_(None))
        if not self._statements.rows(numberless.with_for_update(skip_locked=True)):
            return False
        change = update(addresses).where(addresses.c.id == assignment)
        return self._statements.write(change.values(stem=stem, place=place)) == 1

    def saw(self, ids: Iterable[str], at: datetime) -> int:
        """These were seen in use; returns how many there are."""
        change = update(addresses).values(seen=at)
        return sum(self._statements.write(change.where(addresses.c.id.in_(chunk))) for chunk in chunks(ids))

    def saw_machines(self, machines: Iterable[str], at: datetime) -> None:
        """These machines answered, so what they have is in use."""
        change = update(addresses).values(seen=at)
        for chunk in chunks(sorted(machines)):
            self._statements.write(change.where(addresses.c.machine.in_(chunk), addresses.c.machine != ""))

    def end(self, ids: Iterable[str], at: datetime, actor: str, *, resting: Iterable[str] = ()) -> None:
        """Nobody has these any more; what was stays in the history.

        Args:
            resting: those of them whose address stays closed for now.
        """
        for over, rests in ((set(ids) - set(resting), False), (set(resting), True)):
            if over:
                what = sorted(over)
                self._statements.write_later(_KEEP, ids=what, at=at, by=actor, rests=rests)
                self._statements.write_later(_END, ids=what)

    def history(self, space: str, address: Address) -> builtins.list[tuple[Assignment, datetime, str]]:
        """Who had an address, the last one first: the assignment, when it was released, and by whom."""
        past = address_history.c
        query = select(*_PAST, past.released, past.released_by).order_by(past.released.desc(), past.id.desc())
        here = (past.space == space, past.version == address.version, past.number == address.number)
        return [(Assignment(*row[:-2]), row[-2], row[-1]) for row in self._statements.rows(query.where(*here))]

    def ended(self, ids: Iterable[str]) -> dict[str, datetime]:
        """When assignments ended, by id; nothing for those that did not."""
        past = address_history.c
        query = select(past.id, past.released)
        return {
            row[0]: row[1] for chunk in chunks(ids) for row in self._statements.rows(query.where(past.id.in_(chunk)))
        }

    def resting(self, network: str, before: datetime, limit: int | None) -> builtins.list[tuple[str, int]]:
        """Addresses of a network that were released before a moment and rest: ids of their history, and numbers."""
        past = address_history.c
        query = select(past.id, past.number).where(past.network == network, past.resting, past.released <= before)
        return [(row[0], row[1]) for row in self._statements.rows(query.order_by(past.released).limit(limit))]

    def resting_in(self, network: str, since: datetime, places: range) -> int:
        """How many addresses of a network among some places rest that were released after a moment."""
        past = address_history.c
        number = past.number.between(places.start, places.stop - 1)
        return self._count(past.network == network, past.resting, past.released > since, number)

    def woke(self, ids: Iterable[str]) -> None:
        """These rest no longer."""
        change = update(address_history).values(resting=False)
        for chunk in chunks(ids):
            self._statements.write(change.where(address_history.c.id.in_(chunk)))

    def rest_only(self, network: str, space: str = "", prefix: Prefix | None = None) -> None:
        """Of what a network let rest, only this does so from now on: addresses of a space within a prefix, or none.

        Whatever rests elsewhere is not the network's to free: somebody may have it by then.
        """
        change = update(address_history).where(address_history.c.network == network, address_history.c.resting)
        if prefix:
            change = change.where(not_(and_(*_between(address_history, space, prefix.version, prefix.places))))
        self._statements.write(change.values(resting=False))

    def move(self, old: str, new: str, space: str, version: int, places: range) -> None:
        """What lies between two addresses belongs to another network from now on."""
        for table in (addresses, address_history):
            change = update(table).where(table.c.network == old, *_between(table, space, version, places))
            self._statements.write(change.values(network=new))

    def move_names(self, old: str, new: str) -> None:
        """The names without an address belong to another network from now on."""
        for table in (addresses, address_history):
            change = update(table).where(table.c.network == old, table.c.number.is_(None))
            self._statements.write(change.values(network=new))

    def lock(self, holder: str) -> None:
        """Be the only one who asks for this holder until the transaction ends."""
        if self._statements.postgresql:
            self._statements.connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:holder, 0))"), {"holder": holder}
            )

    # ── requests with a key ──────────────────────────────────────────────────────────────────────────

    def answered(self, tenant: str, key: str) -> tuple[str, Values] | None:
        """The digest of the request that had this key, and its answer."""
        asked = address_requests.c
        row = self._statements.first(select(asked.digest, asked.answer).where(asked.tenant == tenant, asked.key == key))
        return (row[0], row[1]) if row else None

    def answer(self, tenant: str, key: str, digest: str, answer: Values, at: datetime) -> None:
        """Keep the answer to a request; if the key was used meanwhile, `Crossed` says so when it is written."""
        self._statements.write_later(_ANSWER, tenant=tenant, key=key, digest=digest, answer=answer, created=at)

    def _count(self, *condition: ColumnElement[bool]) -> int:
        return int(self._statements.rows(select(func.count()).where(*condition))[0][0])

    def _where(self, *condition: ColumnElement[bool]) -> builtins.list[Assignment]:
        return [Assignment(*row) for row in self._statements.rows(select(*_OURS).where(*condition))]


def _between(table: Any, space: str, version: int, places: range) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.space == space,
        table.c.version == version,
        table.c.number.between(places.start, places.stop - 1),
    )


# An address is found by its number: no index names its network. Those within a container are of other networks.
_NUMBERED = (
    networks.c.role != Role.CONTAINER.value,
    addresses.c.space == networks.c.space,
    addresses.c.version == networks.c.version,
    addresses.c.number.between(networks.c.first, networks.c.last),
)

_ADD = insert(addresses)
_BY_IDS = select(*_OURS).where(among(addresses.c.id, "ids"))
# In order, so that two who want several never wait for each other.
_LOCKED = _BY_IDS.order_by(addresses.c.id).with_for_update()
_KEEP = insert(address_history).from_select(
    [*_PAST, address_history.c.released, address_history.c.released_by, address_history.c.resting],
    _BY_IDS.add_columns(
        *(bindparam(name, type_=type) for name, type in (("at", UtcTime()), ("by", Text()), ("rests", Boolean())))
    ),
)
_ANSWER = insert(address_requests)
_END = delete(addresses).where(among(addresses.c.id, "ids"))
