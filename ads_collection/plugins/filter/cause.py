# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task failed, in one text for the report."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cause
short_description: Why a task failed
version_added: 0.1.0
description:
  - Takes a failed result, as C(ansible_failed_result) is in a C(rescue), and returns its message.
  - Where a module did not run at all, Ansible's message only says that there was no answer. What was printed last says
    why, a broken interpreter for example, and is added.
  - Where a loop failed, it is the message of the first item that did.
author:
  - The ads authors (@ads)
options:
  _input:
    description: The failed result.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Note why it failed
  ansible.builtin.set_fact:
    cause: "{{ ansible_failed_result | ads.deploy.cause }}"
"""

RETURN = r"""
_value:
  description: The cause.
  type: str
"""


def cause(result):
    """Return the message of a failed result, with what a module that did not run printed last."""
    # Of a loop, the first item that failed says more than the loop.
    items = [item for item in result.get("results") or () if isinstance(item, dict) and item.get("failed")]
    if items:
        return cause(items[0])
    message = str(result.get("msg") or "it failed")
    printed = str(result.get("module_stderr") or result.get("module_stdout") or "").split("\n")
    last = [line.strip() for line in printed if line.strip()][-1:]
    return ": ".join([message, *last])


class FilterModule:
    """The filters of this file."""

    def filters(self):
        """Return them by name."""
        return {"cause": cause}
