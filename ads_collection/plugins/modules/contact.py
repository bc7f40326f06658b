#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until a machine answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: contact
short_description: Wait until a machine answers, and see whether it is the one that is wanted
version_added: 0.1.0
description:
  - Like M(ansible.builtin.wait_for_connection), but a host key that is not the pinned one ends it at once, as no
    patience mends that. The message says how to give the key.
  - Fails where the operating system is not the one that an instance in the variable C(ads_instances) asks for.
author:
  - The ads authors (@ads)
attributes:
  check_mode:
    support: full
    description: Nothing is asked in check mode.
  diff_mode:
    support: none
    description: Nothing is changed.
options:
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 600
  connect_timeout:
    description: Seconds that one try may take.
    type: int
    default: 5
  delay:
    description: Seconds before the first try.
    type: int
    default: 0
  sleep:
    description: Seconds between two tries.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Wait until the machine answers
  ads.deploy.contact:
    timeout: 300
"""

RETURN = r"""
elapsed:
  description: Seconds that it took.
  returned: always
  type: int
"""
