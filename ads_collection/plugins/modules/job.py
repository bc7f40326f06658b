#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes one step of a job; the playbooks of this collection are its callers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Take one step of a job of ads
version_added: 0.1.0
description:
  - The playbooks of this collection call it; they are the way to deploy. It is for those who write their own.
  - V(reserve) plans, locks machines and writes the job, or adopts the one in O(job). The other steps name job and
    attempt; a job that another run took over is refused.
  - A job that V(reserve) began by itself lives as long as its C(ansible-playbook). If that ends early, the job is
    interrupted and the next one recovers.
author:
  - The ads authors (@ads)
extends_documentation_fragment:
  - ads.deploy.library
  - ads.deploy.library.module
attributes:
  check_mode:
    support: full
    description: V(reserve) plans, all other steps do nothing.
  diff_mode:
    support: none
    description: The plan is in the result.
options:
  step:
    description:
      - V(provide) makes and starts machines and returns the hosts; V(report) writes down how a stage went; V(remove)
        what was removed; V(rest) stops machines; V(return) gives machines back; V(finish) ends the job.
    type: str
    required: true
    choices: [reserve, provide, report, remove, rest, return, finish]
  environment:
    description: Name of the environment. Needed by V(reserve).
    type: str
  kind:
    description: What the job does.
    type: str
    choices: [deploy, undeploy, test, stop, start]
    default: deploy
  job:
    description: Id of the job.
    type: str
  attempt:
    description: The attempt that V(reserve) returned.
    type: int
  go_live:
    description: Whether the environment goes live when its tests pass.
    type: bool
    default: true
  everything:
    description: Whether to look at every instance also when some of them differ.
    type: bool
    default: false
  abandon:
    description: Whether machines that are returned and cannot be cleaned are given up.
    type: bool
    default: false
  discard:
    description: Whether machines that were made and cannot be used are deleted at once.
    type: bool
    default: false
  plan:
    description: Id of a saved plan. Another plan is refused.
    type: str
  stages:
    description: For how many stages this run was started. An environment with more is refused.
    type: int
    default: 40
  limited:
    description: Options of this run that would leave steps out. Any is refused.
    type: list
    elements: str
    default: []
  known:
    description:
      - Extra variables that the playbook takes. With them, any other extra variable whose name begins with C(ads_) is
        refused, since it is a slip of the pen.
    type: list
    elements: str
    default: []
  stage:
    description: Number of the stage that is reported.
    type: int
  results:
    description: Cause of the failure by instance, empty for those that went well.
    type: dict
    default: {}
  tests:
    description: What the tests said. An instance whose tests are not among them has failed them.
    type: list
    elements: dict
    default: []
  kept:
    description: Reason by machine that could not be had or given back.
    type: dict
    default: {}
  person:
    description: Process that carries the job out. Set by the controller.
    type: int
  working:
    description: Numbers of the stages that have something to do, as V(reserve) returned them.
    type: list
    elements: int
    default: []
  interpreter:
    description: Python of the controller. Set by the controller.
    type: str
    default: /usr/bin/python3
  given:
    description: Names of the run's extra variables. Set by the controller.
    type: list
    elements: str
    default: []
  scratch:
    description: Directory for this run's files. Set by the controller.
    type: path
"""

EXAMPLES = r"""
- name: What a deployment would do
  ads.deploy.job:
    step: reserve
    environment: telephony
  check_mode: true
  register: begun
"""

RETURN = r"""
plan:
  description: The plan, with C(actions), C(counts), C(stages) and C(seats).
  returned: O(step=reserve)
  type: dict
job:
  description: Id of the job.
  returned: O(step=reserve)
  type: str
attempt:
  description: The attempt that later steps name.
  returned: O(step=reserve)
  type: int
stages:
  description: Numbers of the stages that have something to do.
  returned: O(step=reserve)
  type: list
  elements: int
project:
  description: The project's directory; empty if it has none.
  returned: O(step=reserve)
  type: str
hosts:
  description: The hosts, each with C(name), C(groups), C(stages) and C(variables).
  returned: O(step=provide)
  type: list
  elements: dict
failures:
  description: Reason by machine that could not be had, stopped or given back.
  returned: O(step=provide), O(step=rest), O(step=return)
  type: dict
blocked:
  description: Instances that cannot be deployed because something they require failed.
  returned: O(step=report)
  type: list
  elements: str
environment:
  description: The environment as it is now.
  returned: O(step=finish)
  type: dict
"""

from ansible_collections.ads.deploy.plugins.module_utils import entry
from ansible_collections.ads.deploy.plugins.module_utils.verbs import job


def main():
    """Start the module."""
    entry.run_module(job)


if __name__ == "__main__":
    main()
