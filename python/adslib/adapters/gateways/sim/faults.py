"""The delays and faults of a simulated cloud: drawn from its seed and what is asked, so they repeat exactly."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256

from adslib.domain.errors import Failed


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and how slowly.

    Args:
        cloud: its name. seed: another seed, other draws. delay: mean seconds of a call. down: it answers nothing.
        create_fails, create_times_out_yet_succeeds, never_boots, power_flaps: which part of all orders, 0 to 1.
        flap: seconds that the power of those stays on, and off.
    """

    cloud: str
    seed: int = 0
    delay: float = 0
    create_fails: float = 0
    create_times_out_yet_succeeds: float = 0
    never_boots: float = 0
    power_flaps: float = 0
    flap: float = 1
    down: bool = False

    def enter(self, call: str, key: str = "") -> None:
        """Take the time of a call.

        Raises:
            Failed: the cloud is down.
        """
        if self.delay:
            time.sleep(self.delay * (0.5 + self._draw(f"delay:{call}", key)))
        if self.down:
            raise Failed(
                f"simulated cloud '{self.cloud}' does not answer: it is down", remedy="set its option 'down' to false"
            )

    def refuse(self, order: str) -> None:
        """Refuse an order for good, if its draw says so.

        Raises:
            Failed: it is refused.
        """
        if self._draw("create_fails", order) < self.create_fails:
            raise Failed(f"simulated cloud '{self.cloud}' refused order '{order}'", remedy="order another machine")

    def time_out(self, order: str) -> None:
        """Lose the answer to an order that was carried out, if its draw says so.

        Raises:
            Failed: nobody knows what became of the order.
        """
        if self._draw("create_times_out_yet_succeeds", order) < self.create_times_out_yet_succeeds:
            raise Failed(
                f"simulated cloud '{self.cloud}' did not answer order '{order}' in time: the machine may exist",
                remedy="create it again with the same id",
            )

    def boots(self, order: str) -> bool:
        """Whether the machine of an order ever comes up."""
        return self._draw("never_boots", order) >= self.never_boots

    def off(self, order: str, now: float) -> bool:
        """Whether the power of an order's machine is gone for the moment, though nobody switched it off."""
        flaps = self._draw("power_flaps", order) < self.power_flaps
        return flaps and bool(int(now / self.flap) % 2)

    def _draw(self, what: str, key: str) -> float:
        """A number from 0 up to 1 that looks random and is always the same for the same question."""
        digest = sha256(f"{self.seed}:{what}:{key}".encode()).digest()
        return int.from_bytes(digest[:7]) / (1 << 56)
