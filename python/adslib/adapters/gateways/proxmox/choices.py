"""What the user of the gateway chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from adslib.adapters.gateways.remote.prefix import Prefix
from adslib.domain.errors import Failed, Invalid
from adslib.domain.machine import Size


@dataclass(frozen=True, slots=True)
class Choices:
    """What the options say.

    Args:
        name: of the gateway. images: systems and the templates of theirs. sizes: what machines can be.
        locations: the nodes that may be used; empty: all. user, ssh_key: who may log in, by which private key.
        prefix: where given addresses come from. storage: where whole copies go; empty: linked ones.
        pool: what new machines are put into. grace: seconds to shut down in. patience: to wait for another's clone.
    """

    name: str
    images: Mapping[str, str]
    sizes: tuple[Size, ...]
    locations: tuple[str, ...]
    user: str
    ssh_key: Path
    prefix: Prefix | None
    storage: str
    pool: str
    grace: int
    patience: float

    def within(self, nodes: Mapping[str, float]) -> Sequence[str]:
        """Those of some nodes that answer and may be used.

        Raises:
            Invalid: the option names one that there is not. Failed: none answers.
        """
        there = ", ".join(sorted(nodes))
        strange = sorted({*self.locations} - nodes.keys())
        if strange:
            what = f"option locations: there is no node '{strange[0]}'"
            raise Invalid(what, place=f"gateway {self.name}", remedy=f"there are: {there}")
        found = [node for node, burden in nodes.items() if burden < inf and node in (self.locations or nodes)]
        if not found:
            remedy = "see what is the matter with them, or let others be used by the option 'locations'"
            raise Failed(f"no node answers of {there}", place=f"gateway {self.name}", remedy=remedy)
        return found

    def public_key(self) -> str:
        """The public key that lets in.

        Raises:
            Failed: it cannot be read.
        """
        path = self.ssh_key.with_name(f"{self.ssh_key.name}.pub")
        try:
            return path.read_text().strip()
        except OSError as error:
            remedy = "the public key lies beside the private key that the option 'ssh_key' names"
            raise Failed(
                f"{path} cannot be read: {error.strerror}", place=f"gateway {self.name}", remedy=remedy
            ) from None
