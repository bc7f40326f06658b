#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads environments."""

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_info
short_description: Read environments of ads
version_added: 0.1.0
description:
  - Returns environments with what stands of them, and if asked for with their plan, definition and history.
author:
  - The ads authors (@ads)
extends_documentation_fragment:
  - ads.deploy.library
  - ads.deploy.library.module
attributes:
  check_mode:
    support: full
    description: It changes nothing.
  diff_mode:
    support: none
    description: It changes nothing.
options:
  names:
    description: Names of environments, or patterns such as V(telephony-*). Without it, all.
    type: list
    elements: str
    default: []
  states:
    description: Only environments in one of these states, such as V(live). Without it, in any.
    type: list
    elements: str
    default: []
  plan:
    description: Whether to return what a deployment would do now.
    type: bool
    default: false
  definition:
    description: Whether to return the current definition, as it was written.
    type: bool
    default: false
  history:
    description: Whether to return the revisions of the definition.
    type: bool
    default: false
seealso:
  - module: ads.deploy.environment
"""

EXAMPLES = r"""
- name: What is live, and where
  ads.deploy.environment_info:
    states: [live]
  register: found

- name: Show the address of every instance
  ansible.builtin.debug:
    msg: "{{ item.0.name }} {{ item.1.instance }} {{ item.1.address }}"
  loop: "{{ found.environments | subelements('instances') }}"

- name: What would a deployment do?
  ads.deploy.environment_info:
    names: [telephony]
    plan: true
"""

RETURN = r"""
environments:
  description: The environments that fit, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    state:
      description: Where it is in its lifecycle.
      type: str
      sample: live
    revision:
      description: Number of its current definition.
      type: int
    deployed_revision:
      description: Number of the definition that was last deployed completely, 0 if none.
      type: int
    project:
      description: Where its roles, templates and variables come from.
      type: str
    tests:
      description: What its tests said last, with C(at), C(passed) and C(failures).
      type: dict
    live_despite:
      description: Who let it go live in spite of failed tests, and why.
      type: str
    possible:
      description: What can be done with it now.
      type: list
      elements: str
    parameters:
      description: The values that were given to its parameters.
      type: dict
    instances:
      description: >-
        What stands, each with C(instance), C(service), C(version), C(ports), C(machine), C(address), C(state),
        C(deployed_at) and C(message).
      type: list
      elements: dict
    last_job:
      description: Id of its last job.
      type: str
    tenant:
      description: Whose it is.
      type: str
    created:
      description: When it was created.
      type: str
    generation:
      description: Counts its changes.
      type: int
    plan:
      description: >-
        What a deployment would do now, with C(id), C(actions), C(counts), C(stages), C(seats), C(blocked) and C(lines).
      returned: O(plan=true)
      type: dict
    definition:
      description: The definition, its includes merged in, its expressions as they were written.
      returned: O(definition=true)
      type: dict
    history:
      description: >-
        The revisions, newest first, each with C(revision), C(created), C(created_by), C(path), C(commit), C(clean),
        C(template) and C(comment).
      returned: O(history=true)
      type: list
      elements: dict
code:
  description: What kind of failure it was, such as V(invalid), V(blocked), V(conflict) or V(not-found).
  returned: failure
  type: str
problems:
  description: Everything that is wrong, each with C(message), C(place) and C(remedy).
  returned: failure
  type: list
  elements: dict
"""

from ansible_collections.ads.deploy.plugins.module_utils import entry
from ansible_collections.ads.deploy.plugins.module_utils.verbs import environment_info


def main():
    """Start the module."""
    entry.run_module(environment_info)


if __name__ == "__main__":
    main()
