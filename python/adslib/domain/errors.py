"""What can go wrong, in words a person can act on.

Every error names the thing, the place and the remedy; entry points print them as they are.
Exit codes follow the command line: 1 failed, 2 usage, 3 conflict or blocked, 4 not found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where (file:line and path, may be empty) and what would be right."""

    message: str
    place: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}. {self.remedy[:1].upper()}{self.remedy[1:]}" if self.remedy else text


class AdsError(Exception):
    """The parent of all errors that a caller may meet; anything else is a defect of ads.

    Args:
        message: what is wrong, one sentence without a full stop.
        place: where it is wrong (``file:line path`` or the name of the thing), may be empty.
        remedy: what the caller can do about it, may be empty.
        problems: all problems at once, where there are several; replaces the three above.
        code: what kind of trouble it is, for programs; default: that of the class.
    """

    code = "failed"
    exit_code = 1

    def __init__(
        self,
        message: str = "",
        *,
        place: str = "",
        remedy: str = "",
        problems: Iterable[Problem] = (),
        code: str = "",
    ) -> None:
        if code:
            self.code = code
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(message, place, remedy),)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Failed(AdsError):
    """The outside world did not do what was asked: a machine, a playbook, a gateway."""


class Forbidden(AdsError):
    """The actor lacks the permission (A20)."""

    code = "forbidden"


class Invalid(AdsError):
    """The input is wrong; nothing was changed."""

    code = "invalid"
    exit_code = 2


class Unsupported(Invalid):
    """The gateway or machine does not offer this operation; refused before anything was done (A8)."""

    code = "unsupported"


class Conflict(AdsError):
    """Somebody else holds the thing, or it changed since it was read."""

    code = "conflict"
    exit_code = 3


class Blocked(AdsError):
    """The request is right but cannot be met now: resources are missing or the state forbids it."""

    code = "blocked"
    exit_code = 3


class NotFound(AdsError):
    """There is no such thing."""

    code = "not-found"
    exit_code = 4
