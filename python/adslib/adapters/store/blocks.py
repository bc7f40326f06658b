"""Blocks of places in the store: how many clients at once find free ones without waiting for each other (I2).

A client takes from a block that nobody else works in. Whoever holds a block of a strip does not wait for another one
there: it gives up with `Crossed`, and begins again *patiently*, when nobody else begins blocks of the strip meanwhile.
So no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import delete, func, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adslib.adapters.store.address_schema import blocks, strips
from adslib.adapters.store.statements import CHUNK, Crossed, Statements, chunks
from adslib.domain.block import FULL, PLACES, Strip, bit_of, signed, start_of, take, unsigned


class Blocks:
    """The places of strips, as one transaction sees and takes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def take(self, strip: Strip, count: int, *, patient: bool = False) -> list[int]:
        """Take the lowest free places; fewer where there are fewer.

        Args:
            patient: wait for whoever works in the strip, and let nobody begin meanwhile.

        Raises:
            Crossed: not `patient`, and the rest is in the hands of others.
        """
        if patient:
            self._next(strip)
        taken: list[int] = []
        while len(taken) < count:
            row = (
                self._locked(strip, skip=not patient)
                or self._begun(strip, hasty=bool(taken))
                or (None if taken and not patient else self._locked(strip, skip=False))
            )
            if row is not None:
                taken += self._taken_of(strip, row, count - len(taken))
            elif not self._open(strip):
                break
            elif taken:
                raise Crossed("others take what is left here", remedy="repeat it")
        return taken

    def take_these(self, strip: Strip, places: Iterable[int]) -> list[int]:
        """Take certain places of a strip; returns those that somebody has, or nobody may have."""
        refused: list[int] = []
        for start, group in groupby(sorted(places), start_of):
            wanted = list(group)
            bits = self._one(strip, start)
            refused += [place for place in wanted if bits & bit_of(place)]
            free = [place for place in wanted if not bits & bit_of(place)]
            self._write(strip.id, start, bits | sum(bit_of(place) for place in free), len(free))
        return refused

    def give_back(self, strip_id: str, places: Iterable[int]) -> None:
        """Places that nobody has any more are free again at once."""
        for start, group in groupby(sorted(places), start_of):
            given = list(group)
            self._given_back(strip_id, start, sum(bit_of(place) for place in given), len(given), free=True)

    def rest(self, strip_id: str, places: Iterable[int]) -> None:
        """Nobody has these places any more, and nobody gets them yet."""
        for start, group in groupby(sorted(places), start_of):
            self._given_back(strip_id, start, 0, len(list(group)), free=False)

    def wake(self, strip_id: str, places: Iterable[int]) -> None:
        """Places that rested are free again."""
        for start, group in groupby(sorted(places), start_of):
            self._given_back(strip_id, start, sum(bit_of(place) for place in group), 0, free=True)

    # ── where networks change ────────────────────────────────────────────────────────────────────────

    def move(self, old: str, new: Strip, places: range) -> None:
        """The blocks that lie within some places belong to another strip from now on, as they are."""
        self.begin(new)
        change = update(blocks).where(blocks.c.strip == old, blocks.c.start.between(places.start, places.stop - PLACES))
        self._statements.write(change.values(strip=new.id))

    def begin(self, strip: Strip) -> None:
        """Look for places from the beginning of a strip again."""
        if not self._insert_once(strips, {"id": strip.id, "next": strip.begin}):
            self._statements.write(update(strips).where(strips.c.id == strip.id).values(next=strip.begin))

    def rebuild(self, strip: Strip, start: int, taken: Iterable[int], resting: Iterable[int]) -> None:
        """Write a block anew from what is known of its places.

        Args:
            start: of the block. taken, resting: the places there that somebody has, and those that rest.
        """
        held = list(taken)
        bits = strip.bits(start) | sum(bit_of(place) for place in {*held, *resting})
        self._one(strip, start)
        change = update(blocks).where(blocks.c.strip == strip.id, blocks.c.start == start)
        self._statements.write(change.values(bits=signed(bits), taken=len(held), has_free=bits != FULL))

    def made(self, strip: str, places: range) -> list[int]:
        """Where blocks begin that are there and have some of these places."""
        within = blocks.c.start.between(start_of(places.start), places.stop - 1)
        query = select(blocks.c.start).where(blocks.c.strip == strip, within).order_by(blocks.c.start)
        return [row[0] for row in self._statements.rows(query)]

    def drop(self, strip: str, starts: Iterable[int]) -> None:
        """Forget blocks of a strip."""
        for chunk in chunks(starts):
            self._statements.write(delete(blocks).where(blocks.c.strip == strip, blocks.c.start.in_(chunk)))

    def cut(self, strip: str, places: range) -> None:
        """Forget blocks of a strip that begin outside some places."""
        outside = not_(blocks.c.start.between(places.start, places.stop - 1))
        self._statements.write(delete(blocks).where(blocks.c.strip == strip, outside))

    def end(self, strip: str) -> None:
        """Forget a strip with all its blocks."""
        self._statements.write(delete(strips).where(strips.c.id == strip))

    # ── how full ─────────────────────────────────────────────────────────────────────────────────────

    def taken(self, strip_ids: Iterable[str]) -> dict[str, int]:
        """How many places are taken, by strip; nothing where none is."""
        query = select(blocks.c.strip, func.sum(blocks.c.taken)).group_by(blocks.c.strip)
        return {row[0]: int(row[1]) for row in self._statements.rows(query.where(blocks.c.strip.in_(list(strip_ids))))}

    def free(self, strip: Strip, count: int) -> list[int]:
        """The lowest free places of a strip, this many at most; they stay free."""
        query = select(blocks.c.start, blocks.c.bits).where(blocks.c.strip == strip.id, blocks.c.has_free)
        rows = self._statements.rows(query.order_by(blocks.c.start).limit(count))
        found = [place for start, bits in rows for place in take(start, unsigned(bits), count)[1]]
        begun = self._statements.first(select(strips.c.next).where(strips.c.id == strip.id))
        start, unmade = (begun.next if begun else strip.begin), 0
        while unmade < count and (start := self._unmade(strip, start)) < strip.usable.stop:
            places = take(start, strip.bits(start), count)[1]
            found += places
            unmade += len(places)
            start += PLACES
        return sorted(found)[:count]

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _locked(self, strip: Strip, *, skip: bool) -> Any:
        query = (
            select(blocks.c.start, blocks.c.bits)
            .where(blocks.c.strip == strip.id, blocks.c.has_free)
            .order_by(blocks.c.start)
            .with_for_update(skip_locked=skip)
        )
        return self._statements.first(query)

    def _open(self, strip: Strip) -> int:
        """How many blocks with free places there are."""
        query = select(blocks.c.start).where(blocks.c.strip == strip.id, blocks.c.has_free).limit(strip.spread)
        return len(self._statements.rows(query))

    def _begun(self, strip: Strip, *, hasty: bool) -> Any:
        """Begin the next block that has free places, while fewer than `spread` stand open."""
        if self._open(strip) >= strip.spread:
            return None
        start = self._next(strip, hasty=hasty)
        if start is None or self._open(strip) >= strip.spread:
            return None
        start = self._unmade(strip, start)
        bits = strip.bits(start)
        if start < strip.usable.stop:
            self._made(strip, start, bits)
            self._statements.write(update(strips).where(strips.c.id == strip.id).values(next=start + PLACES))
        return (start, signed(bits)) if start < strip.usable.stop else None

    def _unmade(self, strip: Strip, start: int) -> int:
        """The first block from here on that is not there yet and has a free place; beyond the end: there is none."""
        while start < strip.usable.stop:
            window = range(start, start + PLACES * CHUNK, PLACES)
            query = select(blocks.c.start).where(
                blocks.c.strip == strip.id, blocks.c.start.between(window[0], window[-1])
            )
            made = {row[0] for row in self._statements.rows(query)}
            for each in window:
                if each not in made and strip.bits(each) != FULL:
                    return each
            start = window.stop
        return start

    def _next(self, strip: Strip, *, hasty: bool = False) -> int | None:
        """Where the next block begins; from now on only we begin blocks. None: somebody else does, and we are hasty."""
        query = select(strips.c.next).where(strips.c.id == strip.id).with_for_update(skip_locked=hasty)
        row = self._statements.first(query)
        if row is None and not hasty:
            self._insert_once(strips, {"id": strip.id, "next": strip.begin})
            row = self._statements.first(query)
        return None if row is None else int(row.next)

    def _one(self, strip: Strip, start: int) -> int:
        """The bits of one block, which is ours from now on; it is made if it is not there."""
        query = select(blocks.c.bits).where(blocks.c.strip == strip.id, blocks.c.start == start).with_for_update()
        row = self._statements.first(query)
        if row is None:
            self._insert_once(strips, {"id": strip.id, "next": strip.begin})
            self._made(strip, start, strip.bits(start))
            row = self._statements.first(query)
        return unsigned(row.bits)

    def _made(self, strip: Strip, start: int, bits: int) -> bool:
        """Make a block; tells whether it was not there yet."""
        row = {"strip": strip.id, "start": start, "bits": signed(bits), "taken": 0, "has_free": bits != FULL}
        return self._insert_once(blocks, row)

    def _insert_once(self, table: Any, row: dict[str, Any]) -> bool:
        dialect = postgresql if self._statements.postgresql else sqlite
        return self._statements.write(dialect.insert(table).values(row).on_conflict_do_nothing()) == 1

    def _taken_of(self, strip: Strip, row: Any, count: int) -> list[int]:
        bits, taken = take(int(row[0]), unsigned(row[1]), count)
        self._write(strip.id, row[0], bits, len(taken))
        return taken

    def _write(self, strip_id: str, start: int, bits: int, taken: int) -> None:
        change = update(blocks).where(blocks.c.strip == strip_id, blocks.c.start == start)
        self._statements.write(change.values(bits=signed(bits), taken=blocks.c.taken + taken, has_free=bits != FULL))

    def _given_back(self, strip_id: str, start: int, bits: int, count: int, *, free: bool) -> None:
        change = update(blocks).where(blocks.c.strip == strip_id, blocks.c.start == start)
        values: dict[str, Any] = {"taken": blocks.c.taken - count}
        if free:
            values |= {"bits": blocks.c.bits.op("&")(signed(FULL & ~bits)), "has_free": True}
        self._statements.write(change.values(values))
