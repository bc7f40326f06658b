"""Where machines for instances are taken from, and how many of a gateway an environment may have (A5, A10, A11)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from adslib.domain.fitting import Spec, Wanted, fits
from adslib.domain.topology import Instance


@dataclass(slots=True, eq=False)
class Share:
    """How many machines of one gateway an environment may have, whether they are made for it or found free (A11).

    Args:
        most: so many; None: any. held: so many it has.
    """

    gateway: str = ""
    most: int | None = None
    held: int = 0

    @property
    def spent(self) -> bool:
        """Whether it may have no more."""
        return self.most is not None and self.held >= self.most

    def __str__(self) -> str:
        return f"gateway {self.gateway} gives an environment {self.most} machines at most"


class Stock(Protocol):
    """Machines that serve the same needs: those of one class in the pool, or those that one gateway makes."""

    alone: dict[Wanted, dict[str, Instance]]
    """Who stands alone on one of them, by need and machine: whoever does can give way to another."""
    share: Share
    """What limits how many of them, and of others of the same gateway, the environment takes."""

    @property
    def left(self) -> bool:
        """Whether there is one more, whatever the share says."""

    def serves(self, wanted: Wanted) -> bool:
        """Whether its machines will do."""

    def take(self, instance: Instance, wanted: Wanted) -> str:
        """The name of an unused one; empty: there is none."""

    def hand_over(self, name: str, instance: Instance, wanted: Wanted) -> str:
        """The name of the machine that another gets when somebody leaves one of them."""

    def give_back(self, name: str) -> None:
        """Take one of them back that nobody is to stand on after all."""


class Alike:
    """Idle machines of one class, a `Stock`.

    Args:
        held: the environment has them already, so they take nothing of a share. share: what the others take it of.
    """

    def __init__(self, spec: Spec, share: Share, *, held: bool) -> None:
        self.spec = spec
        self.held = held
        self.share = Share() if held else share
        self.names: deque[str] = deque()
        self.alone: dict[Wanted, dict[str, Instance]] = {}

    def serves(self, wanted: Wanted) -> bool:
        """Whether they will do."""
        return fits(self.spec, wanted)

    def take(self, instance: Instance, wanted: Wanted) -> str:
        """The first of them."""
        if not self.left or self.share.spent:
            return ""
        self.share.held += 1
        return self.names.popleft()

    def hand_over(self, name: str, instance: Instance, wanted: Wanted) -> str:
        """The same machine: it serves whoever comes."""
        return name

    def give_back(self, name: str) -> None:
        """It is idle again."""
        self.names.appendleft(name)
        self.share.held -= 1

    @property
    def left(self) -> bool:
        """Whether one of them is idle."""
        return bool(self.names)
