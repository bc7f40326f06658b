"""How much a document may ask of us. Whoever needs more writes smaller documents; nobody fills the memory."""

from __future__ import annotations

from adslib.domain.errors import Invalid

FILE_BYTES = 4 * 1024 * 1024
"""Of one file, refused before it is read."""
TOTAL_BYTES = 16 * 1024 * 1024
"""Of a document with all that it includes."""
FILES = 1000
"""That one document includes."""
DEPTH = 64
"""Maps and lists within each other."""
NODES = 200_000
"""Values in a tree, each alias and each turn of a loop counted where it lands."""
PROBLEMS = 100
"""That one file is read on after."""
WHOLE = 2**63
"""Whole numbers stay below this, so that every store and language carries them."""


class Counter:
    """Counts the nodes of a tree while it grows and refuses one too many."""

    def __init__(self) -> None:
        self.nodes = 0

    def add(self, place: str, count: int = 1) -> None:
        """Count nodes.

        Raises:
            Invalid: there are more than ``NODES``.
        """
        self.nodes += count
        if self.nodes > NODES:
            raise Invalid(
                f"the document grows beyond {NODES:,} values", place=place, remedy="use fewer aliases or smaller files"
            )


def check_depth(depth: int, place: str) -> None:
    """Refuse nesting that no definition needs.

    Raises:
        Invalid: deeper than ``DEPTH``.
    """
    if depth > DEPTH:
        raise Invalid(f"nested more than {DEPTH} levels deep", place=place, remedy="write it flatter")
