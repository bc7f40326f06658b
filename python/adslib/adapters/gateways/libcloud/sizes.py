"""The provider's sizes: those that a user allows, as ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from adslib.domain.errors import Invalid
from adslib.domain.machine import Size

if TYPE_CHECKING:
    from libcloud.compute.base import NodeSize

CORES = ("vcpu", "vcpus", "guestCpus", "numberOfCores", "cpu")
"""Where providers say how many cores a size has."""


class Sizes:
    """The sizes that a provider lists.

    Args:
        gateway: its name. listed: all of them. allowed: name → GiB of disk; empty: all. disk: GiB where it is open.
    """

    def __init__(
        self,
        gateway: str,
        listed: Sequence[NodeSize],
        allowed: Mapping[str, int],
        disk: int,
    ) -> None:
        self._listed = {size.name: size for size in listed}
        self._by_id = {str(size.id): size for size in listed}
        self._allowed, self._disk = allowed, disk
        unknown = sorted(set(allowed) - set(self._listed))
        if unknown:
            near = get_close_matches(unknown[0], self._listed, 5) or sorted(self._listed)[:20]
            raise Invalid(
                f"option sizes: the provider has no size '{unknown[0]}' here",
                place=f"gateway {gateway}",
                remedy=f"there are, among others: {', '.join(near)}",
            )

    def offered(self) -> tuple[Size, ...]:
        """Those that are allowed, smallest first."""
        offered = (self.seen(name) for name in (self._allowed or self._listed))
        return tuple(sorted(offered, key=lambda size: (size.cpu, size.memory, size.disk, size.name)))

    def costs(self) -> Mapping[str, float]:
        """What an hour of them costs by the library's price list, where it is there."""
        told = {size.name: self._listed[size.name].price for size in self.offered()}
        return {name: float(cost) for name, cost in told.items() if cost}

    def named(self, name: str) -> NodeSize:
        """The library's size of this name."""
        return self._listed[name]

    def seen(self, known_as: str, disk: int = 0) -> Size:
        """The size of a machine.

        Args:
            known_as: its name or id. disk: GiB that its disk was made with; 0: nobody noted that.
        """
        size = self._listed.get(known_as) or self._by_id.get(known_as)
        if size is None:
            return Size(known_as, 0, 0, disk)
        gib = disk or self._allowed.get(size.name) or int(size.disk or 0) or self._disk
        return Size(size.name, _cores(size), int(size.ram or 0), gib)


def _cores(size: NodeSize) -> float:
    extra = size.extra or {}
    said = getattr(size, "vcpus", None) or next((extra[key] for key in CORES if extra.get(key)), 1)
    return float(said)
