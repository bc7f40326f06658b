"""What differs between two trees, in an order people can follow (A2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from adslib.domain.definition import Tree
from adslib.domain.reading.findings import TreePath, dotted

LONGEST_LIST = 2000
"""Items up to which lists are matched by content; longer ones are compared index by index."""


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two trees.

    Args:
        path: keys and indexes from the top; an index counts in the list after, of what was removed before.
        before: the value that was there, None if added. after: the value that is there, None if removed.
    """

    kind: Kind
    path: TreePath
    before: Tree = None
    after: Tree = None

    def __str__(self) -> str:
        return "\n".join(lines_of(self))


def compare(before: Tree, after: Tree) -> tuple[Change, ...]:
    """Tell what must change in one tree to make it the other (A2).

    Maps are compared key by key, in their order; lists by content, so that an item put in front is one change.
    Equal numbers of different types (``1``, ``1.0``, ``true``) differ. The order of keys says nothing.
    """
    return tuple(differences(before, after, ()))


def differences(before: Tree, after: Tree, path: TreePath) -> Iterator[Change]:
    """The changes at and below a path."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before:
            if key not in after:
                yield Change(Kind.REMOVED, (*path, key), before=before[key])
        for key, value in after.items():
            if key in before:
                yield from differences(before[key], value, (*path, key))
            else:
                yield Change(Kind.ADDED, (*path, key), after=value)
    elif isinstance(before, list) and isinstance(after, list):
        yield from list_differences(before, after, path)
    elif canonical(before) != canonical(after):
        yield Change(Kind.CHANGED, path, before, after)


def list_differences(before: list[Tree], after: list[Tree], path: TreePath) -> Iterator[Change]:
    """The changes of a list: equal stretches are found by content, replaced ones paired item by item."""
    for first, last, start, end in stretches(before, after):
        pairs = min(last - first, end - start)
        for offset in range(pairs):
            yield from differences(before[first + offset], after[start + offset], (*path, start + offset))
        for index in range(first + pairs, last):
            yield Change(Kind.REMOVED, (*path, index), before=before[index])
        for index in range(start + pairs, end):
            yield Change(Kind.ADDED, (*path, index), after=after[index])


def stretches(before: list[Tree], after: list[Tree]) -> Iterator[tuple[int, int, int, int]]:
    """The stretches of two lists that differ: bounds in the one, bounds in the other."""
    if max(len(before), len(after)) > LONGEST_LIST:
        yield 0, len(before), 0, len(after)
        return
    matcher = SequenceMatcher(None, [canonical(item) for item in before], [canonical(item) for item in after], False)
    for what, first, last, start, end in matcher.get_opcodes():
        if what != "equal":
            yield first, last, start, end


def canonical(value: Tree) -> str:
    """Text that is equal for equal values of equal types."""
    return json.dumps(value, sort_keys=True)


def lines_of(change: Change) -> Iterator[str]:
    """The lines that show a change: its path, what was, what is."""
    yield dotted(change.path) or "(everything)"
    if change.kind is not Kind.ADDED:
        yield from (f"- {line}" for line in shown(change.before))
    if change.kind is not Kind.REMOVED:
        yield from (f"+ {line}" for line in shown(change.after))


def shown(value: Tree) -> list[str]:
    """A value as people read it: short ones in a line, long ones indented."""
    short = json.dumps(value, ensure_ascii=False)
    return [short] if len(short) <= 100 else json.dumps(value, ensure_ascii=False, indent=2).splitlines()


def unified(changes: Iterable[Change]) -> str:
    """All changes as text for people: each path with the lines that go (``-``) and come (``+``); empty: no change."""
    return "".join(f"{change}\n" for change in changes)
