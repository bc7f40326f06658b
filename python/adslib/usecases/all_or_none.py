"""Many things in one transaction, all or none: whatever is wrong with them is told at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from adslib.domain.errors import AdsError, Problem

T = TypeVar("T")
R = TypeVar("R")


def do_each(things: Sequence[T], act: Callable[[T], R], places: Sequence[str]) -> list[R]:
    """Do it with each of some things, and tell at once all that is wrong, with the places where they were written."""
    done: list[R] = []
    errors: list[AdsError] = []
    problems: list[Problem] = []
    for number, thing in enumerate(things):
        try:
            done.append(act(thing))
        except AdsError as error:
            errors.append(error)
            where = places[number : number + 1]
            problems += [replace(each, place=" ".join([*where, each.place])) for each in error.problems]
    if errors:
        raise type(errors[0])(problems=problems, code=errors[0].code)
    return done


def in_any_order(things: Sequence[T], act: Callable[[T], object], places: Sequence[str]) -> None:
    """The same, but what is refused is tried again as long as others go: they may have been in its way."""
    left, before = list(range(len(things))), len(things) + 1
    while len(left) < before:
        before = len(left)
        left = [number for number in left if not _done(act, things[number])]
    do_each([things[number] for number in left], act, [places[number] for number in left] if places else ())


def _done(act: Callable[[T], object], thing: T) -> bool:
    try:
        act(thing)
    except AdsError:
        return False
    return True
