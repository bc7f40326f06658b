"""Locks of machines: what somebody works on through its gateway is nobody else's until that ended (A10).

A lock is void when its process is gone, so a crash leaves nothing locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adslib.adapters import processes
from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.errors import Conflict
from adslib.domain.machine import Machine
from adslib.domain.machine_lock import MachineLock


def locks(app: App, tx: Transaction) -> Mapping[str, MachineLock]:
    """The locks whose owners live, by the machine's id."""
    at = app.clock()
    return {each.machine_id: each for each in tx.machine_locks.list() if not processes.gone(each.owner, each.lease, at)}


def refuse_locked(app: App, tx: Transaction, machines: Iterable[Machine]) -> None:
    """Make sure that nobody works on any of some machines.

    Raises:
        Conflict: somebody does; it says what, and whose process.
    """
    held = locks(app, tx)
    for machine in machines if held else ():
        if lock := held.get(machine.id):
            raise Conflict(
                f"machine '{machine.name}' is being {lock.doing}: "
                f"{lock.actor}, process {lock.owner.pid} on {lock.owner.host}",
                remedy="wait for it, or end that process",
            )
