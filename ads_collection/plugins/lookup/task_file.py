# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what keeps task files from being included, while there is still time to say it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_file
short_description: What keeps a file of tasks from being included
version_added: 0.1.0
description:
  - Ansible ends the whole run, of all hosts, where a file that it includes is no YAML or names a module that is not
    there; where there is no such file, C(rescue) is not told so.
  - This reads the file as an inclusion would and says what is wrong, so that a task can fail with it. What the file
    includes itself is not read.
author:
  - The ads authors (@ads)
options:
  _terms:
    description: Paths of files of tasks on the controller.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse a broken file
  ansible.builtin.fail:
    msg: "{{ problem }}"
  when: problem | length > 0
  vars:
    problem: "{{ lookup('ads.deploy.task_file', playbook_dir ~ '/tests/call.yml') }}"
"""

RETURN = r"""
_raw:
  description: What is wrong with each file; empty where nothing is.
  type: list
  elements: str
"""

import os

from ansible.errors import AnsibleError
from ansible.playbook.task import Task
from ansible.plugins.lookup import LookupBase

OF_BLOCK = ("block", "rescue", "always")
# Short names in tasks that a role of ours includes are those of this collection, too.
COLLECTIONS = ["ads.deploy", "ansible.legacy"]


class LookupModule(LookupBase):
    """Reads task files as an inclusion would."""

    def run(self, terms, variables=None, **kwargs):
        """Return what is wrong with each file."""
        return [self._problem(str(path)) for path in terms]

    def _problem(self, path):
        if not os.path.isfile(path):
            return "%s: there is no such file" % path
        try:
            self._check(self._loader.load_from_file(path) or [])
        except AnsibleError as problem:
            return "%s: %s" % (path, problem)
        return ""

    def _check(self, tasks):
        if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
            raise AnsibleError("it is no list of tasks")
        for task in tasks:
            blocks = [task[part] for part in OF_BLOCK if part in task]
            for block in blocks:
                self._check(block or [])
            if not blocks:
                Task.load({"collections": COLLECTIONS, **task}, loader=self._loader)
