"""The API of Proxmox VE: calls with a time limit, tasks that are waited for, and what its errors mean."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException
from requests.exceptions import JSONDecodeError, RequestException, SSLError

from adslib.domain.errors import AdsError, Conflict, Failed, Invalid

ANSWER = 15.0
"""Seconds that an answer may take."""
FIRST_LOOK, LONGEST_LOOK = 0.02, 2.0
"""Seconds between two looks at a task."""
UNREACHED = {*range(502, 505), *range(595, 600)}
"""By these statuses a node says that it does not reach another, or its own worker."""
BUSY = re.compile(r"\bis locked \(|can't lock file|got timeout|config file already exists|(VM|CT) \d+ already exists")
NEEDED = re.compile(r"(still )?in use by linked clone|base volume .* is still in use")


class TaskFailed(Exception):
    """A task ended badly; the text is what Proxmox VE said last."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks whom.

    Args:
        host: name or address, with a port if it is not 8006. name: `name@realm`, or `name@realm!token`.
        reference: where the secret lies. secret: reads it. verify: check the certificate; a text: by this CA's file.
    """

    host: str
    name: str
    reference: str
    secret: Callable[[], str]
    verify: bool | str


class Api:
    """The API as one account sees it; it is asked for the first time when something is needed.

    Args:
        gateway: its name, for messages. patience: seconds that a task may take.
    """

    def __init__(self, gateway: str, account: Account, patience: float) -> None:
        self._place = f"gateway {gateway}"
        self._account = account
        self._patience = patience

    def get(self, path: str, **params: Any) -> Any:
        """Read."""
        found = self._root(path).get(**params)
        if isinstance(found, dict) and isinstance(found.get("errors"), bytes):
            raise self._stranger()
        return found

    def put(self, path: str, **params: Any) -> None:
        """Change, and wait for it."""
        self._end(self._root(path).put(**params))

    def post(self, path: str, **params: Any) -> None:
        """Do something, and wait for it."""
        self._end(self._root(path).post(**params))

    def delete(self, path: str, **params: Any) -> None:
        """Remove, and wait for it."""
        self._end(self._root(path).delete(**params))

    def told(self, error: Exception) -> AdsError | None:
        """What an error means; None: it is ours."""
        host, user = self._account.host, self._account.name
        match error:
            case SSLError():
                remedy = "name the file of its CA by the option 'ca'; on a node it is /etc/pve/pve-root-ca.pem"
                return Failed(f"the certificate of {host} is not trusted", place=self._place, remedy=remedy)
            case JSONDecodeError():
                return self._stranger()
            case RequestException():
                remedy = "see that it runs, and that the option 'host' is right"
                return Failed(f"{host} does not answer: {_cause(error)}", place=self._place, remedy=remedy)
            case AuthenticationError() if "code: 401" not in str(error):
                return self._stranger()
            case AuthenticationError() | ResourceException(status_code=401):
                remedy = f"see that {self._account.reference} holds the secret of this user or token"
                return Failed(f"{host} does not let {user} in", place=self._place, remedy=remedy)
            case ResourceException(status_code=403):
                remedy = "give it the privilege at Proxmox VE"
                return Failed(f"{user} may not do this: {error.content.strip()}", place=self._place, remedy=remedy)
            case ResourceException() | TaskFailed():
                return self._refused(_said(error), isinstance(error, ResourceException) and error.status_code == 400)
        return None

    def passing(self, error: Exception) -> bool:
        """Whether it may go well a little later."""
        if isinstance(error, ResourceException | TaskFailed):
            return getattr(error, "status_code", 0) in UNREACHED or bool(BUSY.search(_said(error)))
        return isinstance(error, RequestException) and not isinstance(error, SSLError)

    def _stranger(self) -> Failed:
        remedy = "see that the option 'host' names it, with the port of its API"
        return Failed(f"{self._account.host} does not speak as a Proxmox VE does", place=self._place, remedy=remedy)

    def _refused(self, said: str, is_input: bool) -> AdsError:
        if NEEDED.search(said):
            return Conflict(said, place=self._place, remedy="delete the machines that were made from it first")
        return Invalid(said, place=self._place) if is_input else Failed(f"Proxmox VE says: {said}", place=self._place)

    @cached_property
    def _root(self) -> ProxmoxAPI:
        name, _, token = self._account.name.partition("!")
        secret = self._account.secret()
        words = {"token_name": token, "token_value": secret} if token else {"password": secret}
        return ProxmoxAPI(self._account.host, user=name, verify_ssl=self._account.verify, timeout=ANSWER, **words)

    def _end(self, task: object) -> None:
        """Wait for a task, by its UPID; what is none has ended.

        Raises:
            TaskFailed: it went wrong, or takes too long.
        """
        if not isinstance(task, str) or not task.startswith("UPID:"):
            return
        node = task.split(":")[1]
        deadline, pause = time.monotonic() + self._patience, FIRST_LOOK
        while (seen := self.get(f"nodes/{node}/tasks/{task}/status"))["status"] != "stopped":
            if time.monotonic() > deadline:
                raise TaskFailed(f"the task {task} did not end within {self._patience:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)
        ended = seen.get("exitstatus", "")
        if ended != "OK" and not ended.startswith("WARNINGS"):
            raise TaskFailed(ended)


def is_gone(error: ResourceException) -> bool:
    """Whether what was asked for is not there."""
    return "does not exist" in _said(error)


def is_taken(error: ResourceException) -> bool:
    """Whether a number that was to be used is somebody else's."""
    return "already exists" in _said(error)


def _said(error: Exception) -> str:
    """What Proxmox VE said, in one line."""
    told = str(error)
    if isinstance(error, ResourceException):
        fields = error.errors if isinstance(error.errors, dict) else {}
        told = " ".join([error.content, *(f"{name}: {why}" for name, why in fields.items())])
    return " ".join(told.split()) or type(error).__name__


def _cause(error: BaseException) -> str:
    """The innermost words of an error of the network."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return _cause(inner) if isinstance(inner, BaseException) else re.sub(r"^<[^>]*>: ", "", str(error))
