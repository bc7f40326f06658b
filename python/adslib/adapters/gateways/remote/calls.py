"""Asking a provider: again if it is worth it, for so long and no longer, and its errors told in our words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from adslib.adapters.gateways.remote.driver import Driver
from adslib.domain.errors import AdsError, Failed

T = TypeVar("T")
TRIES = 4
PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between tries: a random time that doubles from the first to the longest, so that a crowd does not return."""
FIRST_LOOK, LONGEST_LOOK = 0.1, 3.0
"""Seconds between two looks at a machine that is being waited for."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls to one provider.

    Args:
        gateway: its name. driver: reads its errors. patience: seconds to wait for what was begun.
    """

    gateway: str
    driver: Driver
    patience: float

    def ask(self, act: Callable[[], T]) -> T:
        """Call the provider; what can be done twice without harm is done again if that may help.

        Raises:
            Failed, NotFound, Conflict, Invalid: as the provider said.
        """
        again = retry_if_exception(lambda error: isinstance(error, Exception) and self._passing(error))
        wait = wait_random_exponential(multiplier=PAUSE, max=LONGEST_PAUSE)
        try:
            return Retrying(retry=again, wait=wait, stop=stop_after_attempt(TRIES), reraise=True)(act)
        except AdsError:
            raise
        except Exception as error:
            said = self.driver.told(error)
            if said is None:
                raise
            raise self._placed(said) from error

    def awaited(self, look: Callable[[], T], there: Callable[[T], bool], what: str) -> T:
        """Look until something is there.

        Raises:
            Failed: it takes too long.
        """
        seen = came(lambda: self.ask(look), there, self.patience)
        if not there(seen):
            raise Failed(
                f"{what} within {self.patience:g} s",
                place=f"gateway {self.gateway}",
                remedy="look at the provider, and try again; its option 'patience' says how long to wait",
            )
        return seen

    def _placed(self, said: AdsError) -> AdsError:
        """The same, and of which gateway, unless that is said."""
        here = f"gateway {self.gateway}"
        problems = [replace(problem, place=problem.place or here) for problem in said.problems]
        return type(said)(problems=problems, code=said.code)

    def _passing(self, error: Exception) -> bool:
        return not isinstance(error, AdsError) and self.driver.passing(error)


def came(look: Callable[[], T], there: Callable[[T], bool], seconds: float) -> T:
    """Look until something is there, or for so many seconds; returns what was seen last."""
    deadline = time.monotonic() + seconds
    pause = FIRST_LOOK
    while not there(seen := look()) and time.monotonic() < deadline:
        time.sleep(min(pause, max(0, deadline - time.monotonic())))
        pause = min(pause * 1.5, LONGEST_LOOK)
    return seen
