# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions as a task gives them: a path, which Ansible's rules find, or the document itself."""

from __future__ import annotations

import os


def locate(params, task_vars):
    """Make the path of a definition absolute, as Ansible finds files: in the role, then beside the playbook.

    Args:
        params: of the task; C(definition) is a path, plain data, or None. task_vars: the task's variables.
    """
    given = params.get("definition")
    if not isinstance(given, str) or os.path.isabs(os.path.expanduser(given)):
        return
    folders = [os.path.join(task_vars[name], "files") for name in ("role_path", "playbook_dir") if task_vars.get(name)]
    folders += [task_vars[name] for name in ("role_path", "playbook_dir") if task_vars.get(name)]
    found = [os.path.join(folder, given) for folder in folders if os.path.exists(os.path.join(folder, given))]
    beside = os.path.join(task_vars.get("playbook_dir") or os.getcwd(), given)
    params["definition"] = found[0] if found else beside


def wrong(given):
    """What is wrong with the type of a definition; empty if nothing."""
    if given is None or isinstance(given, (str, dict)):
        return ""
    return "definition: expected a path or a map, got a {0}".format(type(given).__name__)


def source(given):
    """A definition as the library takes it: an absolute path, or plain data."""
    return os.path.abspath(os.path.expanduser(given)) if isinstance(given, str) else given
