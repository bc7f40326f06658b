# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds free addresses of networks."""

from __future__ import annotations

DOCUMENTATION = r"""
name: free_addresses
short_description: The lowest free addresses of networks of ads
version_added: 0.1.0
description:
  - Returns addresses that are free now. Nobody takes them by this, so somebody else may have them a moment later.
  - To have an address, ask for it with M(ads.deploy.address).
author:
  - The ads authors (@ads)
extends_documentation_fragment:
  - ads.deploy.library
options:
  _terms:
    description: Names of networks.
    type: list
    elements: str
    required: true
  count:
    description: How many addresses to return of each network; fewer where fewer are free.
    type: int
    default: 1
notes:
  - Defaults of modules do not reach it. Say which store it is in O(database), E(ADS_DATABASE_URL) or C(ads.toml).
seealso:
  - module: ads.deploy.address
  - module: ads.deploy.network_info
"""

EXAMPLES = r"""
- name: The next free address
  ansible.builtin.debug:
    msg: "{{ lookup('ads.deploy.free_addresses', 'west-110') }}"

- name: Three of each of two networks, in one list
  ansible.builtin.debug:
    msg: "{{ query('ads.deploy.free_addresses', 'west-110', 'west-120', count=3) }}"

- name: Stop while a network is nearly full
  ansible.builtin.assert:
    that: query('ads.deploy.free_addresses', 'west-110', count=10, database='sqlite:////srv/ads.db') | length == 10
"""

RETURN = r"""
_raw:
  description: The addresses; network after network, and the lowest of each first.
  type: list
  elements: str
"""

from ansible.errors import AnsibleLookupError, AnsibleOptionsError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.lookup import LookupBase
from ansible_collections.ads.deploy.plugins.module_utils import library
from ansible_collections.ads.deploy.plugins.plugin_utils.plain import plain

OPTIONS = ("count", "database", "actor")
# Ansible says this to every lookup of a loop.
OF_ANSIBLE = ("wantlist",)


class LookupModule(LookupBase):
    """Finds free addresses."""

    def run(self, terms, variables=None, **kwargs):
        """Return the lowest free addresses of each named network."""
        if not library.HAS_ADSLIB:
            raise AnsibleLookupError(missing_required_lib("adslib"))
        unknown = sorted(set(kwargs).difference(OPTIONS, OF_ANSIBLE))
        if unknown:
            # A slip in C(count) would otherwise choose its default.
            raise AnsibleOptionsError("unknown '{0}'; known are {1}".format(unknown[0], ", ".join(OPTIONS)))
        self.set_options(var_options=variables, direct=kwargs)
        params = {name: plain(self.get_option(name)) for name in OPTIONS}
        # A look-up makes no store where there is none, as a module in check mode.
        result = library.carry_out(free, dict(params, networks=plain(terms)), check_mode=True)
        if result.get("failed"):
            raise AnsibleLookupError(result["msg"])
        return result["addresses"]


def free(ads, params, check_mode):
    """The lowest free addresses of each network."""
    found = [ads.addresses.free(str(name), count=params["count"])["addresses"] for name in params["networks"]]
    return dict(addresses=[address for each in found for address in each])
