"""The progress of a job, from the events of its playbook: live on a terminal, a line a step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adslib.entrypoints.cli.presenting import console, is_terminal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

OnEvent = Callable[[Mapping[str, Any]], None]
ENDS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
    "runner_item_on_ok": "ok",
    "runner_item_on_failed": "failed",
}
MOST_TASKS = 6


@contextmanager
def progress(verb: str, environment: str, verbose: bool) -> Iterator[OnEvent]:
    """Show progress while the block runs; gives what hears the events."""
    screen = console(stderr=True)
    shown = Shown(f"{verb} {environment}", screen.print, verbose)
    if not (is_terminal() and screen.is_terminal):
        yield shown
        return
    from rich.live import Live

    class Redrawn:
        def __rich_console__(self, console: Console, options: Any) -> Iterator[RenderableType]:
            yield shown.drawn()

    with Live(Redrawn(), console=screen, refresh_per_second=8, transient=True):
        shown.live = True
        yield shown


class Shown:
    """What is known of a run, and what of it is printed as it comes.

    Args:
        title: what runs. tell: prints a line above the display. verbose: tell every task's result.
    """

    def __init__(self, title: str, tell: Callable[[str], None], verbose: bool) -> None:
        self.live = False
        self._title = title
        self._tell = tell
        self._verbose = verbose
        self._began = time.monotonic()
        self._play = ""
        self._current: dict[str, str] = {}
        self._hosts: set[str] = set()
        self._failed: set[str] = set()
        self._done = 0

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Hear one event of ansible-runner."""
        kind = str(event.get("event", ""))
        data = event.get("event_data") or {}
        if kind == "playbook_on_play_start":
            self._begin_play(str(data.get("name") or data.get("play") or ""))
        elif kind == "runner_on_start":
            self._hosts.add(str(data.get("host")))
            self._current[str(data.get("host"))] = str(data.get("task"))
        elif kind in ENDS:
            self._end_task(ENDS[kind], data, item="item" in kind)
        elif kind in ("error", "warning") or (kind == "verbose" and "ERROR" in str(event.get("stdout", ""))[:30]):
            self._tell(str(event.get("stdout", "")).strip())

    def _begin_play(self, name: str) -> None:
        self._play = name
        self._current.clear()
        if not self.live:
            self._tell(f"[{self._elapsed()}] {name}")

    def _end_task(self, how: str, data: Mapping[str, Any], *, item: bool) -> None:
        host, task = str(data.get("host")), str(data.get("task"))
        result = data.get("res") or {}
        if not item:
            self._current.pop(host, None)
            self._done += how != "skipped"
        if how in ("failed", "unreachable") and not data.get("ignore_errors"):
            self._failed.add(host)
            self._tell(f"[{self._elapsed()}] {how}: {host}: {task}: {_message(result)}")
        elif self._verbose and how != "skipped":
            word = "changed" if how == "ok" and result.get("changed") else how
            label = f" ({result['_ansible_item_label']})" if result.get("_ansible_item_label") else ""
            self._tell(f"[{self._elapsed()}] {word}: {host}: {task}{label}")
        for line in result.get("lines") or () if how == "ok" and not item else ():
            self._tell(f"[{self._elapsed()}]   {line}")

    def _elapsed(self) -> str:
        seconds = int(time.monotonic() - self._began)
        return f"{seconds // 60}:{seconds % 60:02}"

    def drawn(self) -> RenderableType:
        """The live display: what runs, how far it is, and who does what now."""
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        head = Text(f"{self._title}  {self._elapsed()}  {self._play}")
        failed = Text(f"{len(self._failed)} failed", style="red" if self._failed else "dim")
        hosts = Text.assemble(f"  {len(self._hosts)} hosts, {self._done} tasks done, ", failed)
        now = list(self._current.items())
        lines = [
            Text(f"  {host}: {task}", style="dim", overflow="ellipsis", no_wrap=True) for host, task in now[:MOST_TASKS]
        ]
        if len(now) > MOST_TASKS:
            lines.append(Text(f"  and {len(now) - MOST_TASKS} more", style="dim"))
        return Group(Spinner("dots", head), hosts, *lines)


def _message(result: Mapping[str, Any]) -> str:
    said = str(result.get("msg") or result.get("stderr") or result.get("exception") or "no reason given").strip()
    return " ".join(said.splitlines()[:3])[:500]
