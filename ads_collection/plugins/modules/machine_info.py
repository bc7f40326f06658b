#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_info
short_description: Read the pool of ads
version_added: 0.1.0
description:
  - Returns machines, whoever holds them and wherever they come from, and the pool in numbers.
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
    description: Names of machines, or patterns such as V(web-*). Without it, all.
    type: list
    elements: str
    default: []
  gateway:
    description: Only machines of this gateway.
    type: str
    default: ''
  location:
    description: Only machines that stand here.
    type: str
    default: ''
  state:
    description: Only machines in this state.
    type: str
    choices: [creating, running, stopped, failed, deleting, unknown]
  os:
    description: Only machines with this operating system; V(debian) also finds V(debian-12).
    type: str
    default: ''
  size:
    description: Only machines of this size.
    type: str
    default: ''
  environment:
    description: Only machines that this environment holds.
    type: str
    default: ''
  availability:
    description: Only machines that stand like this in the pool.
    type: str
    choices: [available, partly available, unavailable, deployed, on request, quarantined]
  free:
    description: Only machines that nobody holds (V(true)) or that somebody holds (V(false)).
    type: bool
  text:
    description: Only machines with this in their name, address, reference or labels; letters count in either case.
    type: str
    default: ''
  details:
    description: Whether to return the instances and host keys of each machine too.
    type: bool
    default: false
seealso:
  - module: ads.deploy.machine
"""

EXAMPLES = r"""
- name: What is free in the west
  ads.deploy.machine_info:
    location: us-west
    free: true
  register: found

- name: How much is left
  ansible.builtin.debug:
    msg: "{{ found.summary.availability }}"
"""

RETURN = r"""
machines:
  description: The machines that fit, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name, and that of the host in the inventory.
      type: str
    id:
      description: Its identity, which never changes.
      type: str
    gateway:
      description: Where it comes from.
      type: str
    ref:
      description: What the gateway calls it.
      type: str
    state:
      description: What it does.
      type: str
      sample: running
    holder:
      description: Name of the environment that holds it; empty if it is free.
      type: str
    kind:
      description: What it is.
      type: str
      sample: vm
    size:
      description: Name of its size.
      type: str
    cpu:
      description: Its cores.
      type: float
    memory:
      description: Its memory in MiB.
      type: int
    disk:
      description: Its disk in GiB.
      type: int
    os:
      description: Its operating system.
      type: str
      sample: debian-12
    location:
      description: Where it stands.
      type: str
    image:
      description: The instance template that it was made from.
      type: str
    connection:
      description: How Ansible reaches it, V(ssh) or V(local).
      type: str
    address:
      description: Where Ansible reaches it.
      type: str
    port:
      description: TCP port of its SSH server.
      type: int
    user:
      description: User to log in as.
      type: str
    become:
      description: Become method; empty for none.
      type: str
    key:
      description: Path of the private key file on the controller.
      type: str
    root:
      description: Directory that is its file system; empty if it has its own.
      type: str
    python:
      description: Its Python; empty if Ansible finds it.
      type: str
    variables:
      description: Further connection variables.
      type: dict
    capabilities:
      description: What roles may use there.
      type: list
      elements: str
    labels:
      description: Its labels.
      type: dict
    made:
      description: Whether ads made it, and deletes it when it is no longer needed.
      type: bool
    reason:
      description: Why it is in its state.
      type: str
    tenant:
      description: Whose it is.
      type: str
    generation:
      description: Counts its changes.
      type: int
    on_request:
      description: Whether it is handed out only to who names it.
      type: bool
    idle_since:
      description: When it was given back or made as a spare, in ISO 8601.
      type: str
    availability:
      description: How it stands in the pool, V(available), V(partly available), V(unavailable), V(deployed),
        V(on request) or V(quarantined).
      type: str
    instances:
      description: What stands on it, each with C(instance), C(service) and C(version).
      returned: O(details=true)
      type: list
      elements: dict
    host_keys:
      description: Fingerprints of its pinned host keys.
      returned: O(details=true)
      type: list
      elements: str
summary:
  description: The whole pool in numbers.
  returned: success
  type: dict
  contains:
    machines:
      description: How many machines there are.
      type: int
    availability:
      description: How many stand in which way, as in C(availability) of a machine.
      type: dict
    sizes:
      description: For each size and location, how many there are, free, held, partly available and in quarantine.
      type: list
      elements: dict
    systems:
      description: The same for each operating system.
      type: list
      elements: dict
    gateways:
      description: The same for each gateway.
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
from ansible_collections.ads.deploy.plugins.module_utils.verbs import machine_info


def main():
    """Start the module."""
    entry.run_module(machine_info)


if __name__ == "__main__":
    main()
