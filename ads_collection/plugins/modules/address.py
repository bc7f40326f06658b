#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks for addresses and names, and gives them back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: address
short_description: Ask for addresses and names, and give them back
version_added: 0.1.0
description:
  - Asks ads for addresses, names, or both, any number of them, and gives them back. Takes many asks at once, all of
    them or none.
  - An ask says where, once, by O(addresses[].vlan) and its data centre, by O(addresses[].network) or by
    O(addresses[].space). Where the first network of a VLAN is full, its others serve, then those of the same end user,
    then the reserve.
  - A second run asks for nothing that is there. What is there is found by O(addresses[].machine) with its service,
    environment and place, or by O(addresses[].key); one of the two is needed for V(present). A machine that needs two
    addresses in one place asks for them in one item by O(addresses[].count), or names a service for each.
author:
  - The ads authors (@ads)
extends_documentation_fragment:
  - ads.deploy.library
  - ads.deploy.library.module
attributes:
  check_mode:
    support: full
    description: Says what it would get now; until then somebody else may take it.
  diff_mode:
    support: full
    description: Shows what is given and what is given back as YAML.
options:
  addresses:
    description: What to ask for, or to give back.
    type: list
    elements: dict
    default: []
    suboptions:
      vlan:
        description: In this VLAN.
        type: int
      datacenter:
        description: The data centre of the VLAN. May be left out if only one has it.
        type: str
      network:
        description: In this network and no other.
        type: str
      space:
        description: In any network of this space.
        type: str
      machine:
        description: For which machine.
        type: str
      service:
        description: For which service; a word of generated names.
        type: str
      environment:
        description: For which environment; a word of generated names.
        type: str
      count:
        description: How many; as many as there are O(addresses[].addresses) or O(addresses[].names), else one.
        type: int
      address:
        description: Whether addresses are asked for, V(true) if nothing is said.
        type: bool
      name:
        description: Whether names are asked for, V(false) if nothing is said and no O(addresses[].names) are given.
        type: bool
      addresses:
        description: These addresses and no others.
        type: list
        elements: str
      names:
        description: These names and no others, without their zone.
        type: list
        elements: str
      version:
        description: IPv4 or IPv6; that of O(addresses[].addresses), else V(4), or V(6) where no network gives it.
        type: int
        choices: [4, 6]
      why:
        description: What for, in words.
        type: str
      key:
        description:
          - A request with the same key gets the same answer and takes nothing more. What it got is found by it even if
            everything else about its holder changes. Once that is released, the key is spent.
        type: str
  ids:
    description: Allocations to give back, for O(state=absent). One that was given back before is left alone.
    type: list
    elements: str
  state:
    description:
      - V(present), the addresses and names are there; those that lack are asked for.
      - V(absent), they are not. What is described is given back; what is not said of it may be anything. It needs
        O(addresses[].key), O(addresses[].machine) or O(addresses[].environment).
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: ads.deploy.network
  - module: ads.deploy.network_info
"""

EXAMPLES = r"""
- name: An address and a name for a new machine
  ads.deploy.address:
    addresses:
      - {datacenter: us-west, vlan: 110, machine: web-1, service: web, name: true}
  register: given

- name: Its network configuration
  ansible.builtin.copy:
    dest: /etc/systemd/network/10-web.network
    mode: "0644"
    content: |
      [Match]
      Name=eth0
      [Network]
      Address={{ given.addresses[0].address }}/{{ given.addresses[0].length }}
      Gateway={{ given.addresses[0].gateway }}
      DNS={{ given.addresses[0].resolvers | join(' ') }}
  delegate_to: web-1

- name: One address and no other
  ads.deploy.address:
    addresses:
      - {network: west-110, machine: db-1, addresses: [10.1.10.7], names: [db]}

- name: What the first task got
  ads.deploy.address:
    ids: "{{ given.addresses | map(attribute='id') }}"
    state: absent

- name: Everything of a machine that is gone
  ads.deploy.address:
    addresses: [{machine: web-1}]
    state: absent
"""

RETURN = r"""
addresses:
  description:
    - What was asked for, in its order, whether it is new or was there; in check mode as it would be.
    - With O(state=absent), what was given back.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Of the allocation; releasing it needs nothing else.
      type: str
    address:
      description: The address; empty if only a name was asked for.
      type: str
    name:
      description: The full name; empty if only an address was asked for.
      type: str
    space:
      description: Name of the private network.
      type: str
    network:
      description: Name of the network that gave it.
      type: str
    link:
      description: Which link of the chain of networks served it.
      type: str
    prefix:
      description: The prefix of the network.
      type: str
    length:
      description: Its length, as in C(address/length).
      type: int
    mask:
      description: The same as a mask.
      type: str
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
    vlan:
      description: VLAN of the network; null for none.
      type: int
    vxlan:
      description: VXLAN network identifier; null for none.
      type: int
    lan:
      description: Any other attribute of the LAN.
      type: str
    datacenter:
      description: Where the network is.
      type: str
    service:
      description: For which service.
      type: str
    environment:
      description: For which environment.
      type: str
    machine:
      description: For which machine.
      type: str
    why:
      description: What for, in words.
      type: str
    given:
      description: Since when, ISO 8601.
      type: str
    by:
      description: Who asked for it.
      type: str
    seen:
      description: When it was last seen in use, ISO 8601; empty for never.
      type: str
code:
  description:
    - What kind of failure it was, such as V(unknown-vlan), V(no-network), V(chain-full), V(address-taken),
      V(address-closed), V(outside-network), V(name-taken), V(no-zone), V(not-yours), V(key-reused), V(key-spent) or
      V(invalid).
  returned: failure
  type: str
problems:
  description: Everything that is wrong, each with C(message), C(place) and C(remedy).
  returned: failure
  type: list
  elements: dict
"""

from ansible_collections.ads.deploy.plugins.module_utils import entry
from ansible_collections.ads.deploy.plugins.module_utils.verbs import address


def main():
    """Start the module."""
    entry.run_module(address)


if __name__ == "__main__":
    main()
