#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds, changes, removes and runs machines of the pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine
short_description: Add, change, remove and run machines of the pool of ads
version_added: 0.1.0
description:
  - Adds machines by hand, changes and removes them, and starts, stops and reboots them by their gateway.
  - Takes many machines at once. All are looked at first, and if one of them will not do, none is touched.
    If one fails later, the others are done all the same.
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
    description: Shows each machine that changes as YAML, before and after.
options:
  machines:
    description: The machines. What is not said of one that exists stays as it is.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the machine, and of the host in the inventory.
        type: str
        required: true
      address:
        description: Host name or IP address where Ansible reaches it. Needed for a new one that is not local.
        type: str
      size:
        description: Name of a size, such as V(small).
        type: str
      os:
        description: Operating system, such as V(debian-12).
        type: str
      location:
        description: Where it stands, as definitions name it, such as V(us-west).
        type: str
      user:
        description: User to log in as.
        type: str
      port:
        description: TCP port of its SSH server; 22 if it is new and nothing is said.
        type: int
      key:
        description: Path of a private key file on the controller. The file itself is never stored.
        type: str
      become:
        description: Become method, such as V(sudo); empty for none.
        type: str
      kind:
        description: What it is.
        type: str
        choices: [container, metal, process, vm]
      gateway:
        description: Gateway that it belongs to; V(static) if it is new and nothing is said.
        type: str
      python:
        description: Path of its Python. Without it Ansible finds one.
        type: str
      connection:
        description: How Ansible reaches it; V(ssh) if it is new and nothing is said.
        type: str
        choices: [local, ssh]
      root:
        description: Directory that is its file system, for a local one.
        type: str
      labels:
        description: Labels, of your own choice.
        type: dict
      variables:
        description: Further connection variables, C(ansible_…); secrets are refused.
        type: dict
      capabilities:
        description: What roles may use there.
        type: list
        elements: str
        choices: [packages, systemd]
      host_key:
        description: Its public SSH host key, or a file with it. Without it, the one that your C(known_hosts) has.
        type: str
  state:
    description:
      - V(present), it is in the pool as described; V(absent), it is not, and is deleted if ads made it.
      - V(started), V(stopped) and V(rebooted) are done by its gateway. V(rebooted) always changes something.
      - V(released), one in quarantine is handed out again, and one found at a gateway is handed out to anybody.
    type: str
    choices: [present, absent, started, stopped, rebooted, released]
    default: present
  trust_first_contact:
    description: Whether to ask new machines for their host keys, and believe them.
    type: bool
    default: false
seealso:
  - module: ads.deploy.machine_info
"""

EXAMPLES = r"""
- name: Two machines for the pool
  ads.deploy.machine:
    machines:
      - {name: web-1, address: 10.0.0.5, size: small, os: debian-12, location: us-west, user: ops, become: sudo}
      - {name: web-2, address: 10.0.0.6, size: small, os: debian-12, location: us-west, user: ops, become: sudo}

- name: Label what is there
  ads.deploy.machine:
    machines:
      - name: web-1
        labels: {rack: r7}

- name: Reboot
  ads.deploy.machine:
    machines: [{name: web-1}]
    state: rebooted

- name: No longer ours
  ads.deploy.machine:
    machines: [{name: web-1}, {name: web-2}]
    state: absent
"""

RETURN = r"""
machines:
  description: The machines as they are, or in check mode as they would be, without those that are gone.
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
from ansible_collections.ads.deploy.plugins.module_utils.verbs import machine


def main():
    """Start the module."""
    entry.run_module(machine)


if __name__ == "__main__":
    main()
