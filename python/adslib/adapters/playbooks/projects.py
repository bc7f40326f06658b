"""The project of an environment: a directory or a git commit that its roles, templates and variables come from."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from adslib.domain.errors import Failed, Invalid

GIT = re.compile(r"(?P<url>(?:[a-z+]+://|git@).+)@(?P<commit>[0-9a-f]{40})")
PATIENCE = 300


def is_git(project: str) -> bool:
    """Whether a project is a git URL, not a directory."""
    return "://" in project or project.startswith("git@")


def project_folder(project: str, home: Path) -> Path:
    """The directory of a project; a commit is checked out once below the home and kept.

    Args:
        project: a directory, or `URL@COMMIT` with the full commit.

    Raises:
        Invalid: it is no directory and no such URL. Failed: git cannot get it.
    """
    if not is_git(project):
        if not Path(project).is_dir():
            remedy = "name a directory that exists with 'project:' in the definition"
            raise Invalid("it is no directory", place=f"project {project}", remedy=remedy)
        return Path(project)
    named = GIT.fullmatch(project)
    if named is None:
        raise Invalid("it names no full commit", place=f"project {project}", remedy="write URL@COMMIT, 40 digits")
    folder = _checkout(project, home)
    if not folder.is_dir():
        making = folder.with_name(folder.name + ".making")
        shutil.rmtree(making, ignore_errors=True)
        making.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _git("clone", "--quiet", "--no-checkout", "--", named["url"], str(making))
        _git("-C", str(making), "checkout", "--quiet", "--detach", named["commit"])
        making.rename(folder)
    return folder


def present_folder(project: str, home: Path) -> Path | None:
    """The directory of a project if it is there now; nothing is fetched, and nothing is wrong if it is not."""
    folder = _checkout(project, home) if is_git(project) else Path(project)
    return folder if project and folder.is_dir() else None


def _checkout(project: str, home: Path) -> Path:
    return home / "projects" / hashlib.sha256(project.encode()).hexdigest()[:20]


def _git(*words: str) -> None:
    try:
        subprocess.run(["git", *words], check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        raise Failed(
            f"git {words[0]} failed: {error.stderr.strip()[-300:]}", remedy="look at the project's URL"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"git cannot be run: {error}", remedy="install git, look at the network") from None
