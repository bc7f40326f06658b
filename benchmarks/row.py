"""One line of benchmarks/RESULTS.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured.

    Args:
        what: in words; rows of the same words and several sizes make a growth curve.
        size: how many, 0: it has none. figure: what came out, in `unit`.
        peer: what it is compared with, in words, and `peer_figure` what that gave in the same run; None: nothing.
        budget: the most that the figure may be, or the ratio if `budget_is_ratio`; None: there is none.
    """

    what: str
    size: int
    figure: float
    unit: str = "s"
    peer: str = ""
    peer_figure: float | None = None
    budget: float | None = None
    budget_is_ratio: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times the peer's figure it is."""
        return self.figure / self.peer_figure if self.peer_figure else None

    @property
    def met(self) -> bool | None:
        """Whether it keeps its budget; None: it has none."""
        judged = self.ratio if self.budget_is_ratio else self.figure
        return None if self.budget is None or judged is None else judged <= self.budget
