#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads networks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_info
short_description: Read the networks of ads, how full they are, and who has their addresses
version_added: 0.1.0
description:
  - Returns networks and how full they are; if asked, who has which address, and addresses that are free.
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
    description: Names of networks, or patterns such as V(west-*). Without it, all.
    type: list
    elements: str
    default: []
  space:
    description: Only networks of this space.
    type: str
  datacenter:
    description: Only networks that are here.
    type: str
  vlan:
    description: Only networks with this VLAN.
    type: int
  owner:
    description: Only networks for this end user.
    type: str
  role:
    description: Only networks that are for this.
    type: str
    choices: [user, reserve, container]
  zone:
    description: Only networks whose names stand here.
    type: str
  tags:
    description: Only networks with all of these tags.
    type: dict
    default: {}
  addresses:
    description: Whether to return who has which address and name of each network, too.
    type: bool
    default: false
  free:
    description:
      - How many of its lowest free addresses to return of each network, and with them the prefixes that are vacant in a
        container. Nobody takes them by this.
    type: int
    default: 0
seealso:
  - module: ads.deploy.network
  - module: ads.deploy.address
"""

EXAMPLES = r"""
- name: What is nearly full
  ads.deploy.network_info:
    datacenter: us-west
  register: found

- name: Tell it
  ansible.builtin.debug:
    msg: "{{ found.networks | selectattr('used', '>', 90) | map(attribute='name') | join(', ') }}"

- name: Three addresses that are free
  ads.deploy.network_info:
    names: [west-110]
    free: 3
  register: look
"""

RETURN = r"""
networks:
  description: The networks that fit, by space and prefix.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    id:
      description: Its identity, which never changes.
      type: str
    space:
      description: Name of the private network.
      type: str
    prefix:
      description: Its addresses.
      type: str
    role:
      description: What it is for, V(user), V(reserve) or V(container).
      type: str
    vlan:
      description: Its VLAN; null for none.
      type: int
    vxlan:
      description: Its VXLAN network identifier; null for none.
      type: int
    lan:
      description: Any other attribute of its LAN.
      type: str
    datacenter:
      description: Where it is.
      type: str
    owner:
      description: The end user that it is for.
      type: str
    tenant:
      description: Whose it is.
      type: str
    position:
      description: Its place among the networks of its VLAN.
      type: int
    gateway:
      description: Address of the router; empty for none.
      type: str
    resolvers:
      description: Addresses of the name servers.
      type: list
      elements: str
    mtu:
      description: Largest packet in bytes; null if it is not said.
      type: int
    zone:
      description: DNS zone of its names.
      type: str
    pattern:
      description: Pattern of generated names.
      type: str
    cooldown:
      description: Seconds for which a released address rests.
      type: int
    held:
      description: Ranges that are held back, and why.
      type: list
      elements: str
    tags:
      description: Its tags.
      type: dict
    generation:
      description: Counts its changes.
      type: int
    size:
      description: How many addresses it gives out.
      type: int
    taken:
      description: How many addresses somebody has.
      type: int
    resting:
      description: How many released addresses wait for their cool-down.
      type: int
    free:
      description: How many addresses can be had now.
      type: int
    used:
      description: The part of its size that is not free, in percent.
      type: float
    addresses:
      description: Who has which address and name, as M(ads.deploy.address) returns it.
      returned: O(addresses=true)
      type: list
      elements: dict
    free_addresses:
      description: Its lowest free addresses.
      returned: if O(free) is not 0
      type: list
      elements: str
    vacant:
      description: The prefixes of a container that no network of its has; of other networks, none.
      returned: if O(free) is not 0
      type: list
      elements: str
code:
  description: What kind of failure it was, such as V(invalid) or V(not-found).
  returned: failure
  type: str
problems:
  description: Everything that is wrong, each with C(message), C(place) and C(remedy).
  returned: failure
  type: list
  elements: dict
"""

from ansible_collections.ads.deploy.plugins.module_utils import entry
from ansible_collections.ads.deploy.plugins.module_utils.verbs import network_info


def main():
    """Start the module."""
    entry.run_module(network_info)


if __name__ == "__main__":
    main()
