"""Blocks of places in the store: how many clients at once find free ones without waiting for each other (I2).

A client takes from a block that nobody else works in. Whoever holds a block of a strip does not wait for another one
there: it gives up with `Crossed`, and begins again *patiently*, when nobody else begins blocks of the strip meanwhile.
So no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, delete, func, insert, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adslib.adapters.store.address_schema import blocks, strips
from adslib.adapters.store.columns import among
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
            need = count - len(taken)
            there = self._locked(strip, need, skip=not patient)
            begun = [] if there else self._begun(strip, need, hasty=bool(taken))
            if not there and not begun and (patient or not taken):
                there = self._locked(strip, need, skip=False)
            if there or begun:
                taken += self._taken_of(strip, there, begun, need)
            elif not self._open(strip) and self._all_begun(strip):
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
        return {row[0]: int(row[1]) for row in self._statements.rows(_TAKEN, {"ids": list(strip_ids)})}

    def free(self, strip: Strip, count: int) -> list[int]:
        """The lowest free places of a strip, this many at most; they stay free."""
        query = select(blocks.c.start, blocks.c.bits).where(blocks.c.strip == strip.id, blocks.c.has_free)
        rows = self._statements.rows(query.order_by(blocks.c.start).limit(count))
        found = [place for start, bits in rows for place in take(start, unsigned(bits), count)[1]]
        begun = self._statements.rows(_BEGUN, {"strip": strip.id})
        unmade = (
            place
            for start, bits in self._unmade(strip, begun[0].next if begun else strip.begin)
            for place in take(start, bits, count)[1]
        )
        return sorted([*found, *islice(unmade, count)])[:count]

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _locked(self, strip: Strip, need: int, *, skip: bool) -> list[tuple[int, int]]:
        """Blocks with free places, which are ours from now on, at most as many as are needed: their begin and bits."""
        values = {"strip": strip.id, "need": _blocks_for(need)}
        return [(row[0], unsigned(row[1])) for row in self._statements.rows(_UNUSED if skip else _FREE, values)]

    def _open(self, strip: Strip) -> int:
        """How many blocks with free places there are, up to `spread`."""
        return len(self._statements.rows(_OPEN, {"strip": strip.id, "most": strip.spread}))

    def _crowded(self, strip: Strip) -> bool:
        """Whether others hold as many blocks as may stand open; whoever is alone would have found one of them."""
        return self._statements.postgresql and self._open(strip) >= strip.spread

    def _all_begun(self, strip: Strip) -> bool:
        """Whether every block was begun: whoever we waited for may have filled his and begun no other."""
        begun = self._statements.rows(_BEGUN, {"strip": strip.id})
        return bool(begun) and begun[0].next >= strip.usable.stop

    def _begun(self, strip: Strip, need: int, *, hasty: bool) -> list[tuple[int, int]]:
        """The next blocks that have free places, not written yet, while fewer than `spread` stand open."""
        if self._crowded(strip):
            return []
        start = self._next(strip, hasty=hasty)
        if start is None or self._crowded(strip):
            return []
        begun = list(islice(self._unmade(strip, start), _blocks_for(need)))
        reached = begun[-1][0] + PLACES if begun else strip.usable.stop
        if reached != start:
            self._statements.write_later(_REACHED, strip=strip.id, reached=reached)
        return begun

    def _unmade(self, strip: Strip, start: int) -> Iterator[tuple[int, int]]:
        """From here on the blocks that are not there yet and have free places, with their bits."""
        while start < strip.usable.stop:
            window = range(start, min(start + PLACES * CHUNK, strip.usable.stop), PLACES)
            places = {"strip": strip.id, "first": window[0], "last": window[-1]}
            made = {row[0] for row in self._statements.rows(_MADE, places)}
            for each in window:
                if each not in made and (bits := strip.bits(each)) != FULL:
                    yield each, bits
            start += PLACES * CHUNK

    def _next(self, strip: Strip, *, hasty: bool = False) -> int | None:
        """Where the next block begins; from now on only we begin blocks. None: somebody else does, and we are hasty."""
        query, values = _NEXT_UNUSED if hasty else _NEXT, {"strip": strip.id}
        rows = self._statements.rows(query, values)
        if not rows and not hasty:
            self._insert_once(strips, {"id": strip.id, "next": strip.begin})
            rows = self._statements.rows(query, values)
        return int(rows[0].next) if rows else None

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
        return self._insert_once(blocks, _row(strip.id, start, bits, 0))

    def _insert_once(self, table: Any, row: dict[str, Any]) -> bool:
        dialect = postgresql if self._statements.postgresql else sqlite
        return self._statements.write(dialect.insert(table).values(row).on_conflict_do_nothing()) == 1

    def _taken_of(
        self, strip: Strip, there: list[tuple[int, int]], begun: list[tuple[int, int]], need: int
    ) -> list[int]:
        """Take places of blocks, and write them: those that are there, and those that are begun now."""
        taken: list[int] = []
        changed: dict[int, tuple[int, int]] = {}
        for start, bits in there or begun:
            bits, places = take(start, bits, need - len(taken))
            changed[start] = (bits, len(places))
            taken += places
        rows = [(strip.id, start, signed(bits), count, bits != FULL) for start, (bits, count) in changed.items()]
        if begun:
            self._statements.write_all_later(_ADD, _ROW, rows)
            return taken
        # Apart, since SQLite writes what an index is made of anew where it is set, changed or not.
        self._statements.write_all_later(_TAKE, _OLD, [row[:-1] for row in rows if row[-1]])
        self._statements.write_all_later(_FILL, _OLD, [row[:-1] for row in rows if not row[-1]])
        return taken

    def _write(self, strip_id: str, start: int, bits: int, taken: int) -> None:
        change = update(blocks).where(blocks.c.strip == strip_id, blocks.c.start == start)
        self._statements.write(change.values(bits=signed(bits), taken=blocks.c.taken + taken, has_free=bits != FULL))

    def _given_back(self, strip_id: str, start: int, bits: int, count: int, *, free: bool) -> None:
        values = {"b_strip": strip_id, "b_start": start, "b_taken": count}
        if free:
            self._statements.write_later(_FREED, **values, b_keep=signed(FULL & ~bits))
        else:
            self._statements.write_later(_CLOSED, **values)


_FREE = (
    select(blocks.c.start, blocks.c.bits)
    .where(blocks.c.strip == bindparam("strip"), blocks.c.has_free)
    .order_by(blocks.c.start)
    .limit(bindparam("need", type_=Integer))
    .with_for_update()
)
_UNUSED = _FREE.with_for_update(skip_locked=True)

_OPEN = (
    select(blocks.c.start)
    .where(blocks.c.strip == bindparam("strip"), blocks.c.has_free)
    .limit(bindparam("most", type_=Integer))
)
_TAKEN = select(blocks.c.strip, func.sum(blocks.c.taken)).where(among(blocks.c.strip, "ids")).group_by(blocks.c.strip)
_BEGUN = select(strips.c.next).where(strips.c.id == bindparam("strip"))
_NEXT = _BEGUN.with_for_update()
_NEXT_UNUSED = _BEGUN.with_for_update(skip_locked=True)
_REACHED = update(strips).where(strips.c.id == bindparam("strip")).values(next=bindparam("reached"))
_MADE = select(blocks.c.start).where(
    blocks.c.strip == bindparam("strip"), blocks.c.start.between(bindparam("first"), bindparam("last"))
)
_ROW = ("strip", "start", "bits", "taken", "has_free")
_OLD = tuple(f"b_{name}" for name in _ROW[:-1])
_ADD = insert(blocks)

_CHANGE = update(blocks).where(blocks.c.strip == bindparam("b_strip"), blocks.c.start == bindparam("b_start"))
_TAKE = _CHANGE.values(bits=bindparam("b_bits"), taken=blocks.c.taken + bindparam("b_taken"))
_FILL = _TAKE.values(has_free=False)
_CLOSED = _CHANGE.values(taken=blocks.c.taken - bindparam("b_taken"))
_FREED = _CLOSED.values(bits=blocks.c.bits.op("&")(bindparam("b_keep", type_=BigInteger)), has_free=True)


def _blocks_for(need: int) -> int:
    """How many blocks so many places fill, as far as one statement goes."""
    return min(-(-need // PLACES), CHUNK)


def _row(strip: str, start: int, bits: int, taken: int) -> dict[str, Any]:
    return {"strip": strip, "start": start, "bits": signed(bits), "taken": taken, "has_free": bits != FULL}
