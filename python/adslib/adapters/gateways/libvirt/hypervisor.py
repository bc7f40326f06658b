"""A connection to libvirt, which sets no time limits of its own: here each call has one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, TypeVar

import libvirt

T = TypeVar("T")
ANSWER_SECONDS = 30.0


class Unreachable(Exception):
    """There is no connection; the cause says why."""


class Hypervisor:
    """One libvirtd, connected when it is first asked.

    Args:
        uri: as libvirt takes it.
    """

    def __init__(self, uri: str) -> None:
        # ssh would ask a person for a password where there is none to answer.
        quiet = "+ssh:" in uri and "no_tty" not in uri
        self.uri = f"{uri}{'&' if '?' in uri else '?'}no_tty=1" if quiet else uri
        self._connection: Any = None
        self._opening = Lock()

    def ask(self, act: Callable[[Any], T], seconds: float = 0) -> T:
        """Do something with the connection.

        Args:
            act: takes the `virConnect`. seconds: how long it may take; 0: as long as an answer.

        Raises:
            libvirt.libvirtError: as it says. Unreachable: it cannot be asked.
            TimeoutError: it does not answer; what hangs is left to hang.
        """
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(act(self._open()))
            except BaseException as error:  # noqa: BLE001 – it is raised where it is waited for
                answer.set_exception(error)

        # A thread of its own, which keeps no process from ending.
        Thread(target=run, name="libvirt", daemon=True).start()
        return answer.result(seconds or ANSWER_SECONDS)

    def _open(self) -> Any:
        with self._opening:
            if self._connection is None or not self._connection.isAlive():
                try:
                    self._connection = libvirt.open(self.uri)
                except libvirt.libvirtError as error:
                    raise Unreachable from error
            return self._connection
