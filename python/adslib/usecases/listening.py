"""Listening: what the events of a run say, kept until its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adslib.domain.environment import original
from adslib.domain.plan import Plan

MOST = 5
"""How many repairs are told, and how many actions of each."""

OnEvent = Callable[[Mapping[str, Any]], None]


def ignore(event: Mapping[str, Any]) -> None:
    """Hear an event of a run, and do nothing about it."""


@dataclass(slots=True)
class Listener:
    """Hears every event of a run and passes it on; keeps what is said at the end.

    Args:
        changes: how many tasks changed something. causes: of a failure.
        done: what components did, by instance and host.
    """

    pass_on: OnEvent
    changes: int = 0
    causes: list[str] = field(default_factory=list)
    done: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Hear one event of ansible-runner."""
        data = event.get("event_data") or {}
        kind = event.get("event", "")
        if kind == "playbook_on_stats":
            self.changes = sum((data.get("changed") or {}).values())
        elif kind in ("runner_on_failed", "runner_on_unreachable") and not data.get("ignore_errors"):
            said = (data.get("res") or {}).get("msg") or "no reason given"
            self.causes.append(f"{data.get('host')}, task '{data.get('task')}': {said}")
        elif kind == "runner_on_ok":
            result = data.get("res") or {}
            if result.get("instance") and result.get("actions"):
                self.done.setdefault((str(result["instance"]), str(data.get("host"))), []).extend(result["actions"])
        elif kind in ("verbose", "error"):
            lines = str(event.get("stdout", "")).splitlines()
            self.causes += [line.partition("ERROR")[2].lstrip("]:! ") for line in lines if "ERROR" in line[:30]]
        self.pass_on(event)

    def repaired(self, plan: Plan) -> str:
        """What was mended although nothing was planned there: somebody or something else had changed it."""
        planned = {original(action.subject) for action in plan.actions}
        told = [
            f"{instance} on {host} ({_first(actions)})"
            for (instance, host), actions in sorted(self.done.items())
            if instance not in planned
        ]
        return f"repaired: {_first(told)}" if told else ""


def _first(texts: Sequence[str]) -> str:
    return ", ".join(texts[:MOST]) + (" …" if len(texts) > MOST else "")
