"""Templates: what they leave open may be filled, everything else is fixed (A4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase

from adslib.domain.comparison import Kind, compare
from adslib.domain.definition import Tree
from adslib.domain.environment import Template
from adslib.domain.errors import Invalid, Problem
from adslib.domain.names import checked_name
from adslib.domain.reading.findings import TreePath, did_you_mean, dotted

Pattern = tuple[str, ...]
Where = Callable[[TreePath], str]
"""Says where a path of a document stands."""
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


def check_open(template: Template) -> None:
    """See that each open path meets something in the template's document, or a part that it leaves empty (A4).

    Raises:
        Invalid: some do not; names what is nearest.
    """
    problems = [
        Problem(f"'{path}' opens nothing: {why}", f"template '{template.name}'", remedy)
        for path in template.open
        for why, remedy in astray(template.tree, pattern_of(path))
    ]
    if problems:
        raise Invalid(problems=problems)


def astray(tree: Tree, pattern: Pattern) -> Iterator[tuple[str, str]]:
    """Why a pattern meets nothing, and what it may mean; nothing if it meets something, or a part left empty."""
    steps = pattern[:-1] if pattern[-1] == TAIL else pattern
    met: list[tuple[TreePath, Tree]] = [((), tree)]
    for number, step in enumerate(steps):
        inside = [below for path, value in met for below in matches(value, (step,), path)]
        if not inside:
            if any(value in (None, {}, []) for _, value in met):
                return
            known = [key for _, value in met if isinstance(value, dict) for key in value]
            where = f"in {'/'.join(steps[:number])}" if number else "at the top of the document"
            remedy = did_you_mean(step, known, "name it in the document, and leave it empty for its user to fill")
            yield f"there is no '{step}' {where}", remedy
            return
        met = inside


def check_edit(template: Template, before: Tree, after: Tree, where: Where = dotted) -> None:
    """See that an edit touches nothing that the template fixes (A4). The environment's name is always open.

    Args:
        where: names the place of a path of the document after the edit.

    Raises:
        Invalid: it does; names each path and the template.
    """
    problems = [
        Problem(
            f"template '{template.name}' fixes this: it may not be {kind}",
            where(path),
            f"open are: {', '.join(template.open)}" if template.open else "the template leaves nothing open",
        )
        for kind, path in touched(template, before, after)
    ]
    if problems:
        raise Invalid(problems=problems)


def fills(template: Template, tree: Tree) -> bool:
    """Whether a tree is not a whole document, but a part to be laid over the template: it leaves out what is fixed."""
    return any(kind is Kind.REMOVED for kind, _ in touched(template, template.tree, tree))


def laid_over(tree: Tree, fill: Tree) -> Tree:
    """A document with a part laid over it: maps are merged, anything else replaces."""
    if isinstance(tree, dict) and isinstance(fill, dict):
        return {**tree, **{key: laid_over(tree.get(key), value) for key, value in fill.items()}}
    return fill


def touched(template: Template, before: Tree, after: Tree) -> Iterator[tuple[Kind, TreePath]]:
    """What an edit does outside the open paths. A new map on the way to something open is looked into."""
    patterns = [("environment",), *map(pattern_of, template.open)]
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
    """The open parts that still wait for a value, as dotted paths."""
    return tuple(map(dotted, unfilled(template, tree)))


def unfilled(template: Template, tree: Tree) -> tuple[TreePath, ...]:
    """The paths of the open parts that still wait for a value.

    A path without wildcards waits while it is absent or null. One with wildcards waits where it meets null, and where
    the map that the template left empty (null or ``{}``) got nothing.
    """
    waiting: list[TreePath] = []
    for pattern in map(pattern_of, template.open):
        steps = pattern[:-1] if pattern[-1] == TAIL else pattern
        fixed = not any(set(step) & set("*?[") for step in steps)
        found = list(matches(tree, steps, ()))
        if fixed and not found:
            waiting.append(steps)
        waiting.extend(path for path, value in found if value is None)
        left_empty = any(value in (None, {}) for _, value in matches(template.tree, steps[:-1], ()))
        if not fixed and not found and steps[:-1] and left_empty:
            waiting.append(steps[:-1])
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


def fill(template: Template, tree: Tree, where: Where = dotted) -> Tree:
    """Accept a tree that a user made of a template (A4).

    Args:
        tree: the whole document: the template's tree, edited. where: names the place of a path of it.

    Raises:
        Invalid: it changes what the template fixes, or leaves an open part without a value.
    """
    check_edit(template, template.tree, tree, where)
    problems = [
        Problem(f"template '{template.name}' leaves this to you", where(path), "give it a value")
        for path in unfilled(template, tree)
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
