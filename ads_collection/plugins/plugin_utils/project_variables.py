# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a project has for a host, where Ansible would not find them by itself.

Ansible reads C(group_vars) and C(host_vars) beside an inventory. A run without one has no such place, and the hosts
that it adds would miss what the same project gives them in a job or with C(-i).
"""

from __future__ import annotations

import os

from ansible import constants
from ansible.inventory.group import Group
from ansible.inventory.host import Host
from ansible.plugins.loader import vars_loader


def of_host(loader, params, task_vars):
    """What the project's C(group_vars) and C(host_vars) say, the nearer over the wider, as Ansible merges them.

    Args:
        params: C(name), C(groups) and C(project) of the host.
    """
    project = params["project"]
    if not project or not os.path.isdir(project) or _has_inventory(task_vars):
        return {}
    entities = [Group(name) for name in ["all", *sorted(params["groups"])]] + [Host(params["name"])]
    return vars_loader.get("ansible.builtin.host_group_vars").get_vars(loader, project, entities)


def _has_inventory(task_vars):
    """Whether the run was given an inventory, by C(-i) or its settings: then what lies beside it applies."""
    unset, origin = constants.config.get_config_value_and_origin("DEFAULT_HOST_LIST")
    sources = [str(source) for source in task_vars.get("ansible_inventory_sources") or ()]
    return origin != "default" or sources != [str(source) for source in unset]
