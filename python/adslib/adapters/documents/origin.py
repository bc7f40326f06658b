"""Where a document comes from: its git work tree, commit, and whether anything there is uncommitted (A2)."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from adslib.domain.environment import Origin

PATIENCE = 60.0
"""Seconds to wait for one call of git, on a busy host too; a slower one counts as no work tree."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A document's origin, and the directory that its includes must stay in."""

    origin: Origin
    project: Path


def git(directory: Path, *arguments: str) -> str | None:
    """What git prints, None if it fails. No hooks, no prompts, no lock files, no variables of an outer git."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\n") if done.returncode == 0 else None


def without_password(url: str) -> str:
    """A URL as it may be stored: user and password left out, since a token may be either."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def whereabouts(path: Path) -> Whereabouts:
    """Find the origin of a file.

    Args:
        path: the document, resolved.
    """
    directory = path.parent
    outside = Whereabouts(Origin(path=str(path)), directory)
    if not any((above / ".git").exists() for above in (directory, *directory.parents)):
        return outside
    root = git(directory, "rev-parse", "--show-toplevel")
    if not root:
        return outside
    commit = git(directory, "rev-parse", "--verify", "-q", "HEAD") or ""
    status = git(directory, "status", "--porcelain", "--", ":/")
    remote = git(directory, "config", "--get", "remote.origin.url")
    origin = Origin(
        path=str(path),
        repository=without_password(remote) if remote else root,
        commit=commit,
        clean=None if status is None else not status,
    )
    return Whereabouts(origin, Path(root).resolve())
