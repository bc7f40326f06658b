"""Templates: what they leave open may be filled, everything else is fixed (A4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from adslib.domain.comparison import Kind, compare
from adslib.domain.definition import Tree
from adslib.domain.environment import Template
from adslib.domain.errors import Invalid, Problem
from adslib.domain.names import checked_name
from adslib.domain.reading.findings import TreePath, dotted

Pattern = tuple[str, ...]
TAIL = "**"


def pattern_of(path: str) -> Pattern:
    """The steps of an open path: ``pods/*`` opens each pod, ``services/media/**`` all below ``media``.

    Raises:
        Invalid: the path is empty, has an empty step, or ``**`` before its end.
    """
    steps = tuple(path.strip("/").split("/"))
    if not all(steps) or TAIL in steps[:-1]:
        raise Invalid(
            f"'{path}' is no open path", remedy="write steps and '/', like 'pods/*' or 'services/media/instances'"
        )
    return steps


def opens(pattern: Pattern, path: TreePath) -> bool:
    """Whether a path lies at or below what a pattern opens."""
    steps = pattern[:-1] if pattern[-1] == TAIL else pattern
    # ``**`` opens what is below, a plain path also the thing itself.
    least = len(steps) + 1 if pattern[-1] == TAIL else len(steps)
    return len(path) >= least and all(fnmatchcase(str(step), wanted) for step, wanted in zip(path, steps, strict=False))


def leads_to(pattern: Pattern, path: TreePath, kind: Kind) -> bool:
    """Whether what is open below a path allows to look into a map that comes or goes there.

    A map may come with open things in it. It may go only if its entries are open one and all (``pods/*``): that a
    service exists is fixed, though a part of it is open.
    """
    steps = pattern[:-1] if pattern[-1] == TAIL else pattern
    if len(path) > len(steps) or not all(map(fnmatchcase, map(str, path), steps)):
        return False
    return kind is Kind.ADDED or (kind is Kind.REMOVED and pattern[len(path) :][:1] == ("*",))


def check_edit(template: Template, before: Tree, after: Tree) -> None:
    """See that an edit touches nothing that the template fixes (A4). The environment's name is always open.

    Raises:
        Invalid: it does; names each path and the template.
    """
    patterns = [("environment",), *map(pattern_of, template.open)]
    problems = [
        Problem(
            f"template '{template.name}' fixes this: it may not be {kind}",
            dotted(path),
            f"open are: {', '.join(template.open)}" if template.open else "the template leaves nothing open",
        )
        for kind, path in touched(patterns, before, after)
    ]
    if problems:
        raise Invalid(problems=problems)


def touched(patterns: list[Pattern], before: Tree, after: Tree) -> Iterator[tuple[Kind, TreePath]]:
    """What an edit does outside the open paths. A new map on the way to something open is looked into."""
    pending = [(change.kind, change.path, change.before, change.after) for change in compare(before, after)]
    while pending:
        kind, path, old, new = pending.pop(0)
        if any(opens(pattern, path) for pattern in patterns):
            continue
        # ``pods:`` left empty by the template, or emptied again, counts as what comes or goes.
        way = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
        inside = new if way is Kind.ADDED else old
        if isinstance(inside, dict) and any(leads_to(pattern, path, way) for pattern in patterns):
            pending[:0] = [
                (way, (*path, key), *((value, None) if way is Kind.REMOVED else (None, value)))
                for key, value in inside.items()
            ]
        else:
            yield kind, path


def missing(template: Template, tree: Tree) -> tuple[str, ...]:
    """The open parts that still wait for a value, as dotted paths.

    A path without wildcards waits while it is absent or null. One with wildcards waits where it meets null, and where
    the map that the template left empty (null or ``{}``) got nothing.
    """
    waiting: list[str] = []
    for pattern in map(pattern_of, template.open):
        steps = pattern[:-1] if pattern[-1] == TAIL else pattern
        fixed = not any(set(step) & set("*?[") for step in steps)
        found = list(matches(tree, steps, ()))
        if fixed and not found:
            waiting.append(dotted(steps))
        waiting.extend(dotted(path) for path, value in found if value is None)
        left_empty = any(value in (None, {}) for _, value in matches(template.tree, steps[:-1], ()))
        if not fixed and not found and steps[:-1] and left_empty:
            waiting.append(dotted(steps[:-1]))
    return tuple(dict.fromkeys(waiting))


def matches(tree: Tree, steps: Pattern, path: TreePath) -> Iterator[tuple[TreePath, Tree]]:
    """The values that a pattern meets in a tree."""
    if not steps:
        yield path, tree
        return
    entries: Iterable[tuple[str | int, Tree]] = ()
    if isinstance(tree, dict):
        entries = tree.items()
    elif isinstance(tree, list):
        entries = enumerate(tree)
    for key, value in entries:
        if fnmatchcase(str(key), steps[0]):
            yield from matches(value, steps[1:], (*path, key))


def fill(template: Template, tree: Tree) -> Tree:
    """Accept a tree that a user made of a template (A4).

    Args:
        tree: the whole document: the template's tree, edited.

    Raises:
        Invalid: it changes what the template fixes, or leaves an open part without a value.
    """
    check_edit(template, template.tree, tree)
    problems = [
        Problem(f"template '{template.name}' leaves this to you", path, "give it a value")
        for path in missing(template, tree)
    ]
    if problems:
        raise Invalid(problems=problems)
    return tree


def clone(tree: Tree, name: str) -> Tree:
    """The same document for an environment of another name (A4).

    Raises:
        Invalid: the name is no good one.
    """
    checked_name(name, "an environment")
    named = {} if "environment" in tree else {"environment": name}
    return named | {key: name if key == "environment" else value for key, value in tree.items()}
