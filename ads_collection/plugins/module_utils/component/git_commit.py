# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A git repository at one commit, as an archive of its files: the machine keeps no work tree that could drift."""

from __future__ import annotations

import os
import shutil

from .file_system import Refused

# A machine in a playbook has nobody to ask; a URL must not be a command.
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh", "GIT_ASKPASS": "/bin/true"}


def export(url, commit, staging, run):
    """Fetch one commit and return the path of a tar file of it.

    Args:
        run: runs a command with extra environment and returns (code, output, errors).

    Raises:
        Refused: git is missing, or the repository does not have the commit or cannot be reached.
    """
    repository = os.path.join(staging, "repository")
    if not shutil.which("git"):
        raise Refused("there is no git on this machine: name it in the component's packages")
    _git(run, ["init", "--quiet", "--bare", repository], url)
    inside = ["--git-dir", repository]
    # Old servers give single commits only where they are the tip of a branch: then take everything.
    code, _output, _errors = run(["git", *inside, "fetch", "--quiet", "--depth=1", "--", url, commit], QUIET)
    if code != 0:
        every = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        _git(run, [*inside, "fetch", "--quiet", "--", url, *every], url)
    code, _output, _errors = run(["git", *inside, "cat-file", "-e", commit + "^{commit}"], QUIET)
    if code != 0:
        raise Refused("git repository %s has no commit %s: push it, or correct the definition" % (url, commit))
    place = os.path.join(staging, "commit.tar")
    _git(run, [*inside, "archive", "--format=tar", "--output", place, commit], url)
    return place


def _git(run, words, url):
    code, output, errors = run(["git", *words], QUIET)
    if code != 0:
        raise Refused("git repository %s: %s" % (url, (errors or output).strip()[-1000:]))
