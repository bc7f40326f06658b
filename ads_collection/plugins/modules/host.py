#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts a machine into the running inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host
short_description: Put a machine of a job into the running inventory
version_added: 0.1.0
description:
  - Like M(ansible.builtin.add_host), for a host as M(ads.deploy.job) returns it. It works on the controller only.
author:
  - The ads authors (@ads)
attributes:
  check_mode:
    support: full
    description: The host is added to the run in check mode too.
  diff_mode:
    support: none
    description: Nothing is changed.
options:
  name:
    description: Name of the host.
    type: str
    required: true
  groups:
    description: Groups of the host.
    type: list
    elements: str
    default: []
  stages:
    description: Stages in which the host has something to do; it is put into C(ads_stage_01) and so on.
    type: list
    elements: int
    default: []
  variables:
    description: Variables of the host.
    type: dict
    default: {}
  project:
    description:
      - Directory whose C(group_vars) and C(host_vars) apply to the host as well, where the run has no inventory;
        otherwise what lies beside the inventory applies.
    type: path
"""

EXAMPLES = r"""
- name: Add the hosts
  ads.deploy.host:
    name: "{{ item.name }}"
    groups: "{{ item.groups }}"
    variables: "{{ item.variables }}"
  loop: "{{ provided.hosts }}"
"""

RETURN = r"""
add_host:
  description: What was added.
  returned: success
  type: dict
"""
