"""``include``: a document made of files, merged into one self-contained tree (A2)."""

from __future__ import annotations

import glob
import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path

from adslib.adapters.documents.limits import FILES, TOTAL_BYTES, Counter
from adslib.adapters.documents.nodes import Faults, Node, merged, plain
from adslib.adapters.documents.reading import read_nodes
from adslib.domain.errors import AdsError, Invalid, Problem
from adslib.domain.reading.findings import TreePath, dotted


@dataclass(slots=True)
class Includer:
    """Reads a document and all that it includes.

    Args:
        project: every file lies in this directory, symbolic links followed.
    """

    project: Path
    faults: Faults = field(default_factory=Faults)
    problems: list[Problem] = field(default_factory=list)
    seen: dict[Path, Node] = field(default_factory=dict)
    size: int = 0
    counter: Counter = field(default_factory=Counter)

    def read(self, path: Path, file: str) -> Node:
        """Read the document and merge in its fragments; what is wrong in a part that was read is noted as a fault.

        Raises:
            Invalid: a part is missing, as a file cannot be read or a pattern matches nothing; all problems at once.
        """
        node = self.file(path, file, (path,), (file,))
        if self.problems or node is None:
            raise Invalid(problems=[*self.faults.problems(), *self.problems])
        return node

    def file(self, path: Path, file: str, trail: tuple[Path, ...], names: tuple[str, ...]) -> Node | None:
        """One file with its fragments, None if it is broken (noted)."""
        try:
            node = read_nodes(path, file, self.faults)
            self.size += path.stat().st_size
            if self.size > TOTAL_BYTES:
                raise Invalid(f"the document has more than {TOTAL_BYTES:,} bytes in all", place=file)
            entries = merged(node, self.counter)
        except AdsError as error:
            if not isinstance(error, Invalid) and len(trail) == 1:
                raise
            self.problems.extend(error.problems)
            return None
        except OSError as error:
            self.problems.append(Problem(f"cannot be read: {error.strerror}", file))
            return None
        whole = replace(node, value={key: value for key, value in entries.items() if key != "include"}, merges=[])
        self.seen[path] = whole
        for pattern in self.patterns(entries.get("include")):
            for fragment in self.matches(pattern, path, file):
                self.take(whole, fragment, pattern, trail, names)
        return whole

    def take(self, whole: Node, fragment: Path, pattern: Node, trail: tuple[Path, ...], names: tuple[str, ...]) -> None:
        """Merge one fragment into what there is."""
        name = str(Path(names[-1]).parent / str(pattern.value).rpartition("/")[0] / fragment.name)
        resolved = fragment.resolve()
        if resolved in trail:
            chain = " → ".join((*names[trail.index(resolved) :], names[trail.index(resolved)]))
            self.note(pattern, f"files include each other: {chain}", "take one of the includes away")
        elif not resolved.is_relative_to(self.project):
            self.note(pattern, f"'{name}' lies outside the project '{self.project}'", "move it into the project")
        elif resolved in self.seen:
            return
        elif len(self.seen) > FILES:
            self.note(pattern, f"more than {FILES} files are included", "write fewer, larger files")
        else:
            node = self.file(resolved, name, (*trail, resolved), (*names, name))
            if node is not None:
                self.merge(whole, node, ())

    def note(self, node: Node, message: str, remedy: str = "") -> None:
        """Note a problem at an include."""
        problem = Problem(message, f"{node.place} include", remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    def patterns(self, include: Node | None) -> list[Node]:
        """The patterns of an ``include`` key."""
        if include is None:
            return []
        if not isinstance(include.value, list):
            self.note(include, "'include' is a list of file patterns", "write include: [services/*.yml]")
            return []
        good: list[Node] = []
        for item in include.value:
            if not isinstance(item.value, str) or not item.value:
                self.note(item, "a pattern is a text", "write include: [services/*.yml]")
            elif "{{" in item.value or "{%" in item.value:
                self.note(item, "a pattern holds no expression", "files are found before parameters have values")
            elif item.value.startswith("/") or "\0" in item.value:
                self.note(item, f"{item.value!r} is absolute", "write a pattern relative to this file")
            else:
                good.append(item)
        return good

    def matches(self, pattern: Node, path: Path, file: str) -> list[Path]:
        """The files a pattern matches, sorted."""
        found = glob.iglob(str(pattern.value), root_dir=path.parent, recursive=True)  # noqa: PTH207 - bounded by islice
        paths = [path.parent / name for name in itertools.islice(found, 10 * FILES)]
        files = sorted(candidate for candidate in paths if not candidate.is_dir())
        if not files:
            where = Path(file).parent
            self.note(pattern, f"no file matches '{pattern.value}'", f"patterns are relative to '{where}'")
        return files

    def merge(self, whole: Node, fragment: Node, path: TreePath) -> None:
        """Maps join by key; anything else given twice must be the same."""
        into, entries = whole.value, merged(fragment, self.counter)
        assert isinstance(into, dict)
        self.counter.add(str(fragment.place), len(entries))
        for key, value in entries.items():
            if key not in into:
                into[key] = value
            elif into[key] is not value:
                into[key] = self.joined(into[key], value, (*path, key))

    def joined(self, first: Node, second: Node, path: TreePath) -> Node:
        """Two values of one key."""
        if isinstance(first.value, dict) and isinstance(second.value, dict):
            # A copy: an alias may make the same node stand elsewhere, where nothing is to be joined.
            faults = [*first.faults, *second.faults]
            both = Node(first.place, dict(merged(first, self.counter)), faults=faults)
            self.merge(both, second, path)
            return both
        if not same(first, second):
            message = f"'{dotted(path)}' is also given in {first.place}, and differs"
            remedy = "keep one of the two; lists are not joined"
            self.faults.note(first, message, remedy, place=second.place, blames=False)
        return first


def same(first: Node, second: Node) -> bool:
    """Whether two nodes carry the same value of the same type, in the same order."""
    return first is second or repr(plain(first).tree) == repr(plain(second).tree)
