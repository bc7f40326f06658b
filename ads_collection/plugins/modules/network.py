#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds, changes and removes networks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Add, change and remove networks of ads
version_added: 0.1.0
description:
  - Adds networks that are missing, changes those that differ, and removes them. A network is a prefix in an address
    space, from which ads gives addresses and names.
  - Takes many networks at once, all of them or none; everything that is wrong is told at once.
  - Whoever has an address keeps it. What would take one away is refused, with the names of those who have one.
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
    description: Shows each network that changes as YAML, before and after.
options:
  networks:
    description: The networks. What is not said of one that exists stays as it is; what is empty is cleared.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the network.
        type: str
        required: true
      prefix:
        description:
          - Its addresses, such as V(10.1.0.0/16) or V(2001:db8::/64). Needed for a new one.
          - With O(networks[].within) a length, such as V(/26).
        type: str
      within:
        description:
          - Name of a container. The network gets the first prefix of its length that is vacant there; one that is there
            already stays where it is.
        type: str
      space:
        description:
          - Name of the private network, V(default) if nothing is said. Prefixes of different spaces may overlap.
        type: str
      role:
        description:
          - V(user) gives addresses; V(reserve) gives them when those of an end user are full; V(container) gives none
            and holds smaller networks.
        type: str
        choices: [user, reserve, container]
      vlan:
        description: VLAN, 1 to 4094, unique in its data centre. One VLAN may have several networks. Empty for none.
        type: str
      vxlan:
        description: VXLAN network identifier, 1 to 16777215. Empty for none.
        type: str
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
        description: Whose it is; that of the actor if nothing is said.
        type: str
      position:
        description: Its place among the networks of its VLAN; the lowest is the first.
        type: int
      gateway:
        description: Address of the router, which is never given out.
        type: str
      resolvers:
        description: Addresses of name servers.
        type: list
        elements: str
      mtu:
        description: Largest packet in bytes. Empty for unsaid.
        type: str
      zone:
        description: DNS zone in which its names stand, such as V(west.example.com).
        type: str
      pattern:
        description:
          - Pattern of generated names, of C({n}), C({service}), C({environment}) and C({datacenter}).
            V({service}-{n}) if nothing is said.
        type: str
      cooldown:
        description: Seconds for which a released address rests; V(0) if nothing is said.
        type: int
      held:
        description:
          - Ranges that are held back, such as V(10.0.0.200-10.0.0.254 printers) or V(10.0.0.192/28). What follows says
            why.
        type: list
        elements: str
      tags:
        description: Tags, of your own choice. They replace all that were there.
        type: dict
  state:
    description:
      - V(present), they are there as described; V(absent), they are not. One that somebody uses is not removed.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: ads.deploy.network_info
  - module: ads.deploy.address
"""

EXAMPLES = r"""
- name: Two networks of a VLAN, and a reserve
  ads.deploy.network:
    networks:
      - name: west-110
        prefix: 10.1.10.0/24
        datacenter: us-west
        vlan: 110
        owner: acme
        gateway: 10.1.10.1
        resolvers: [10.1.0.53]
        zone: west.example.com
        held: [10.1.10.200-10.1.10.254 printers]
      - {name: west-110-more, prefix: 10.1.11.0/24, datacenter: us-west, vlan: 110, owner: acme, position: 1}
      - {name: spare, prefix: 10.9.0.0/16, role: reserve}

- name: The next vacant /26 of a container, and the same one each time
  ads.deploy.network:
    networks: [{name: lab-7, prefix: /26, within: labs}]

- name: A smaller one, if nobody would lose an address
  ads.deploy.network:
    networks: [{name: west-110-more, prefix: 10.1.11.0/25}]

- name: One that leaves its VLAN
  ads.deploy.network:
    networks: [{name: west-110-more, vlan: ""}]

- name: No longer needed
  ads.deploy.network:
    networks: [{name: west-110-more}]
    state: absent
"""

RETURN = r"""
networks:
  description: The networks as they are, or in check mode as they would be, without those that are gone.
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
code:
  description:
    - What kind of failure it was, such as V(invalid), V(conflict), V(in-use), V(container-full), V(not-yours) or
      V(not-found).
  returned: failure
  type: str
problems:
  description: Everything that is wrong, each with C(message), C(place) and C(remedy).
  returned: failure
  type: list
  elements: dict
"""

from ansible_collections.ads.deploy.plugins.module_utils import entry
from ansible_collections.ads.deploy.plugins.module_utils.verbs import network


def main():
    """Start the module."""
    entry.run_module(network)


if __name__ == "__main__":
    main()
