#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps definitions with open parts as templates."""

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_template
short_description: Keep a definition with open parts as a template
version_added: 0.1.0
description:
  - A template fixes a part of a definition and leaves a part to those who make environments from it.
  - Environments that were made from a template stay as they are when it changes; later edits of them follow it.
author:
  - The ads authors (@ads)
extends_documentation_fragment:
  - ads.deploy.library
  - ads.deploy.library.module
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: Shows the document, its open paths and its description as YAML, before and after.
options:
  name:
    description: Name of the template.
    type: str
    required: true
  state:
    description: Whether the template is there.
    type: str
    choices: [present, absent]
    default: present
  definition:
    description:
      - The document. Either the path of a YAML, XML or JSON file, or the document itself; open parts may be empty.
      - A relative path starts in the role's or the playbook's directory, or in C(files) there.
      - One of O(definition) and O(environment) is needed.
    type: raw
  environment:
    description:
      - Name of the environment whose current definition becomes the template, the values of its parameters as defaults.
      - If the environment has changed since, so does the template.
    type: str
  open:
    description:
      - Paths of the parts that may be filled or edited, such as V(pods/*) or V(services/media/instances).
      - Needed with O(state=present).
    type: list
    elements: str
  description:
    description: What the template is for.
    type: str
    default: ''
seealso:
  - module: ads.deploy.environment
"""

EXAMPLES = r"""
- name: A template from a file
  ads.deploy.environment_template:
    name: telephony
    definition: templates/telephony.yml
    open: [parameters, pods/*]
    description: Telephony as we run it; choose the pods

- name: A template from what proved itself
  ads.deploy.environment_template:
    name: telephony-proven
    environment: telephony
    open: [pods/*]

- name: No longer offered
  ads.deploy.environment_template:
    name: telephony-old
    state: absent
"""

RETURN = r"""
template:
  description: The template as it is, or in check mode as it would be; empty if there is none.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    description:
      description: What it is for.
      type: str
    open:
      description: Paths of its open parts.
      type: list
      elements: str
    missing:
      description: The open parts that wait for a value.
      returned: when the template exists
      type: list
      elements: str
    tree:
      description: The document.
      type: dict
    path:
      description: The file that it came from.
      type: str
    commit:
      description: The git commit that it came from.
      type: str
    created:
      description: When it was kept.
      type: str
    created_by:
      description: By whom.
      type: str
    tenant:
      description: Whose it is.
      type: str
    generation:
      description: Counts its changes.
      type: int
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
from ansible_collections.ads.deploy.plugins.module_utils.verbs import environment_template


def main():
    """Start the module."""
    entry.run_module(environment_template)


if __name__ == "__main__":
    main()
