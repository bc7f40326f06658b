# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer of the inventory benchmark: a plugin in the usual style that loads hosts, groups and vars from one file."""

from __future__ import annotations

import json
from pathlib import Path

from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = r"""
name: one_json_file
short_description: Hosts from one JSON file
description: Reads a list of hosts with their groups and variables.
options:
  plugin:
    description: Says that this file is for this plugin.
    required: true
    choices: [one_json_file]
  file:
    description: Path of the JSON file.
    type: path
    required: true
  direct:
    description: Sets variables and groups on the host objects, as ads does, instead of in the usual way.
    type: bool
    default: false
"""


class InventoryModule(BaseInventoryPlugin):
    """Fills the inventory from a list of {name, groups, variables}."""

    NAME = "one_json_file"

    def parse(self, inventory, loader, path, cache=True):
        """Load and add everything."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        hosts = json.loads(Path(self.get_option("file")).read_bytes())
        add = self._add_directly if self.get_option("direct") else self._add
        for host in hosts:
            add(host)

    def _add(self, host):
        inventory = self.inventory
        inventory.add_host(host["name"])
        for key, value in host["variables"].items():
            inventory.set_variable(host["name"], key, value)
        for group in host["groups"]:
            inventory.add_group(group)
            inventory.add_child(group, host["name"])

    def _add_directly(self, host):
        inventory = self.inventory
        added = inventory.get_host(inventory.add_host(host["name"]))
        for key, value in host["variables"].items():
            added.set_variable(key, value)
        for group in host["groups"]:
            if group not in inventory.groups:
                inventory.add_group(group)
            inventory.groups[group].add_host(added)
