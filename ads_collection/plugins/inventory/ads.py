# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of ads: machines of environments, grouped, with what roles need."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ads
short_description: Machines of ads environments
version_added: 0.1.0
author:
  - The ads authors (@ads)
description:
  - Reads the machines on which the instances of environments stand from the store of ads.
  - Groups them by environment (C(ads_environment_telephony)), by each level of the hierarchy
    (C(ads_datacenter_us_west), C(ads_pod_pod_1), C(ads_unit_pod_1_us_west)), service (C(ads_service_media)), component
    version (C(ads_component_media_2_3_1)), gateway (C(ads_gateway_local)) and state of the environment
    (C(ads_state_live)). Every machine is in C(ads_machines).
  - Sets the connection variables of each machine, what it is (C(ads_machine), C(ads_machine_id), C(ads_machine_state),
    C(ads_address), C(ads_location), C(ads_os), C(ads_size), C(ads_gateway), C(ads_labels), C(ads_root), C(ads_python),
    C(ads_capabilities), C(ads_environment)), and in C(ads_instances) one entry for each instance on it with its
    component, configurations, members, roles, tests and variables.
  - What comes from the store is data. It is never evaluated as a template.
requirements:
  - The Python library adslib, of the same version as this collection, where Ansible runs.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Says that this file is for this plugin.
    type: str
    required: true
    choices: [ads.deploy.ads]
  database:
    description:
      - URL of the store, as V(sqlite:////var/lib/ads/ads.db) or V(postgresql+psycopg://ads@db/ads).
      - Without it, the settings of ads apply (C(ads.toml)), and last a file in the home of ads.
    type: str
    env:
      - name: ADS_DATABASE_URL
  environments:
    description:
      - Names of environments, or patterns such as V(telephony-*).
      - Without it, all environments.
      - A name that is no pattern must exist.
    type: list
    elements: str
    default: []
  states:
    description: Only environments in one of these states.
    type: list
    elements: str
    default: []
    choices:
      - not-deployed
      - deploying
      - incomplete
      - ready
      - testing
      - live
      - retesting
      - updating
      - stopping
      - stopped
      - starting
      - undeploying
  filters:
    description:
      - Only machines that fit all of these; each takes a pattern or a list of patterns.
      - Known are V(name), V(gateway), V(location), V(os), V(size), V(kind), V(state) (of the machine) and V(service).
    type: dict
    default: {}
  include_free:
    description:
      - Machines that no environment holds, too; they are in the group C(ads_free).
    type: bool
    default: false
notes:
  - The file is called V(ads.yml) or V(ads.yaml), or its name ends in V(.ads.yml) or V(.ads.yaml).
  - Expressions of O(compose), O(groups) and O(keyed_groups) that are plain names joined by dots, such as
    C(ads_labels.rack), are looked up without Jinja2, which takes about a millisecond for each host and expression.
  - Groups by what ads knows need no O(keyed_groups).
"""

EXAMPLES = r"""
# ads.yml: everything that stands
plugin: ads.deploy.ads
---
# Live environments in the west, with free machines, and a group for each rack
plugin: ads.deploy.ads
database: sqlite:////var/lib/ads/ads.db
environments: [telephony-*]
states: [live]
filters:
  location: us-west
include_free: true
keyed_groups:
  - key: ads_labels.rack
    prefix: rack
compose:
  ansible_ssh_common_args: "'-J bastion.' ~ ads_location ~ '.example.com'"
groups:
  big: ads_size == 'large'
---
# Read the store at most every ten minutes
plugin: ads.deploy.ads
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ads-inventory
cache_timeout: 600
"""

import os

from ansible.errors import AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.ads.deploy.plugins.module_utils import library
from ansible_collections.ads.deploy.plugins.plugin_utils.constructing import Constructing
from ansible_collections.ads.deploy.plugins.plugin_utils.plain import plain
from ansible_collections.ads.deploy.plugins.plugin_utils.untrusted import Untrusted

WANTED = ("environments", "states", "filters", "include_free")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Fills the inventory from the store of ads."""

    NAME = "ads.deploy.ads"

    def verify_file(self, path):
        """Whether the file is named as ours are."""
        name = os.path.basename(path)
        ours = name in ("ads.yml", "ads.yaml") or name.endswith((".ads.yml", ".ads.yaml"))
        return ours and super().verify_file(path)

    def parse(self, inventory, loader, path, cache=True):
        """Read the hosts, from the cache if it may be, and add them."""
        super().parse(inventory, loader, path, cache)
        if not library.HAS_ADSLIB:
            raise AnsibleParserError(missing_required_lib("adslib"))
        wrong = library.misfit()
        if wrong:
            raise AnsibleParserError(wrong)
        self._refuse_unknown(self._read_config_data(path))
        hosts = self._hosts(path, cache)
        self._populate(hosts)
        Constructing(self, [host["name"] for host in hosts]).construct()

    def _refuse_unknown(self, config):
        """Refuse a key that says nothing here: a slip in C(environments) would otherwise choose all of them."""
        known = self.option_definitions
        unknown = sorted(key for key in config if key not in known)
        if unknown:
            raise AnsibleParserError("unknown '{0}'; known are {1}".format(unknown[0], ", ".join(sorted(known))))

    def _hosts(self, path, cache):
        """The hosts: from the cache if it is on and has them, else from the store."""
        wanted = plain({name: self.get_option(name) for name in WANTED})
        database = plain(self.get_option("database") or "")
        if not self.get_option("cache"):
            return self._read(database, wanted)
        key = self.get_cache_key("{0} {1} {2}".format(path, database, sorted(wanted.items())))
        if cache and key in self._cache:
            return self._cache[key]
        found = self._cache[key] = self._read(database, wanted)
        return found

    def _read(self, database, wanted):
        """Read from the store; no connection is open afterwards, as Ansible forks."""
        try:
            with library.adslib.connect(database) as ads:
                return ads.inventory.hosts(**wanted)
        except library.adslib.AdsError as error:
            raise AnsibleParserError(str(error))

    def _populate(self, hosts):
        """Add hosts, groups and variables.

        Variables are set on the host itself: nothing in them is a template, so the inventory's own walk through every
        value, which would also copy what hosts share, is not needed.
        """
        inventory, untrusted = self.inventory, Untrusted()
        groups = {name: None for host in hosts for name in host["groups"]}
        for name in groups:
            groups[name] = inventory.groups[inventory.add_group(name)]
        for host in hosts:
            name = inventory.add_host(host["name"])
            added = inventory.get_host(name)
            for key, value in host["variables"].items():
                added.set_variable(key, untrusted(value))
            for group in host["groups"]:
                groups[group].add_host(added)
