#!/usr/bin/python
# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defines, plans, deploys and takes down environments."""

from __future__ import annotations

DOCUMENTATION = r"""
module: environment
short_description: Define, plan, deploy and take down an environment of ads
version_added: 0.1.0
description:
  - Makes an environment what its definition says, and brings it to a state.
  - V(present), V(absent) and V(planned) are done at once. V(deployed), V(live), V(stopped) and V(undeployed) run a job
    of ads, which is an C(ansible-playbook) of its own, and wait for its end.
  - Nothing is run where nothing differs. C(ansible-playbook ads.deploy.deploy) also looks at machines where nothing
    differs, and repairs what was changed there by hand; O(everything) does that here.
author:
  - The ads authors (@ads)
extends_documentation_fragment:
  - ads.deploy.library
  - ads.deploy.library.module
attributes:
  check_mode:
    support: full
    description: Says what would be done, planned with the new definition, and fails where it would be refused.
  diff_mode:
    support: full
    description: Shows the definition and the state as YAML, before and after, and the plan.
options:
  name:
    description:
      - Name of the environment.
      - Without it, the one in the definition; if both are given, this one counts.
    type: str
  state:
    description:
      - V(present), it is defined; V(absent), it is not. An environment that is deployed cannot become V(absent).
      - V(planned), it is said what a deployment would do now; nothing changes.
      - V(deployed), what is defined stands and its tests have run. A live environment stays live if the tests pass.
      - V(live), it stands, its tests have passed, and it is live.
      - V(stopped), the machines that ads made are shut down and keep what they have; machines that were added by hand
        stay ready, with what runs on them. V(deployed) and V(live) start it.
      - V(undeployed), nothing of it stands and every machine is returned; its definition stays.
    type: str
    choices: [present, absent, planned, deployed, live, stopped, undeployed]
    default: present
  definition:
    description:
      - The definition. Either the path of a YAML, XML or JSON file, or the definition itself.
      - A relative path starts in the role's or the playbook's directory, or in C(files) there.
      - If it differs from the environment's, the environment gets a new revision.
      - Expressions for ads in a definition given inline must be kept from Ansible, with C(!unsafe).
    type: raw
  parameters:
    description: Values for the parameters of O(definition) or O(template).
    type: dict
  template:
    description:
      - Name of the template that the environment is made from.
      - One that exists becomes what O(fill) and O(parameters) say, if they say anything; it stays as it is otherwise.
      - One that exists and was made from another template is refused.
    type: str
  fill:
    description: What the template leaves open, laid over its document; maps are merged, anything else replaces.
    type: dict
  clone_of:
    description:
      - Name of the environment whose definition and parameters a new one gets.
      - It counts when the environment does not exist yet.
    type: str
  project:
    description:
      - Directory, or git URL and commit, of roles, templates and variables, for a definition given inline that does not
        say it. Without it, the directory of the playbook.
    type: str
  comment:
    description: Why the definition changes; kept with the revision.
    type: str
    default: ''
  plan:
    description: Id of a saved plan. If planning now gives another one, nothing is done and the task fails.
    type: str
    default: ''
  save_plan:
    description: With O(state=planned), keep the plan, so that O(plan) can name it later.
    type: bool
    default: false
  everything:
    description: With O(state=deployed) or O(state=live), look at every instance, also where nothing differs.
    type: bool
    default: false
  abandon:
    description:
      - With O(state=undeployed), O(state=deployed) or O(state=live), give up machines that are returned and cannot be
        cleaned, because they do not answer. What stood there is forgotten, and the machine is released as V(failed).
      - Nobody is handed such a machine until M(ads.deploy.machine) says that it is C(released).
    type: bool
    default: false
  discard:
    description:
      - With O(state=deployed) or O(state=live), delete machines at once that were made and cannot be used. Without,
        they are kept to be looked at, and go with the next deployment.
    type: bool
    default: false
  patience:
    description: Seconds to wait for each machine that does not answer, where a job is run; 300 if nothing is said.
    type: int
  despite_failed_tests:
    description: The reason why the environment goes live in spite of failed tests. It is kept, with who gave it.
    type: str
    default: ''
seealso:
  - module: ads.deploy.environment_info
  - module: ads.deploy.environment_template
"""

EXAMPLES = r"""
- name: Define an environment
  ads.deploy.environment:
    definition: environments/telephony.yml
    parameters:
      media_count: 4

- name: See what a deployment would do, and keep the plan
  ads.deploy.environment:
    name: telephony
    state: planned
    save_plan: true
  register: planned

- name: Deploy exactly that, and take it live
  ads.deploy.environment:
    name: telephony
    state: live
    plan: "{{ planned.plan.id }}"

- name: A customer's environment from a template
  ads.deploy.environment:
    name: telephony-acme
    template: telephony
    parameters:
      version: 2.3.1
    fill:
      pods:
        pod-1:
          units:
            us-west: {services: [accounts, media]}
    state: live

- name: An environment in the playbook; what is for ads is kept from Ansible
  ads.deploy.environment:
    definition:
      environment: notes
      components:
        notes:
          version: "1"
          process:
            command: !unsafe "{{ ads_python }} -m http.server --bind {{ ads_instance.address }} 8080"
      services:
        notes: {component: notes, ports: {http: 8080}, tests: [{tcp: http}]}
    state: deployed

- name: Pause it, and later return its machines
  ads.deploy.environment:
    name: telephony
    state: "{{ item }}"
  loop: [stopped, undeployed, absent]
"""

RETURN = r"""
environment:
  description: The environment as it is, or in check mode as it would be; empty if there is none.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    state:
      description: Where it is in its lifecycle.
      type: str
      sample: live
    revision:
      description: Number of its current definition.
      type: int
    deployed_revision:
      description: Number of the definition that was last deployed completely, 0 if none.
      type: int
    project:
      description: Where its roles, templates and variables come from.
      type: str
    tests:
      description: What its tests said last, with C(at), C(passed) and C(failures).
      type: dict
    live_despite:
      description: Who let it go live in spite of failed tests, and why.
      type: str
    possible:
      description: What can be done with it now.
      type: list
      elements: str
    parameters:
      description: The values that were given to its parameters.
      type: dict
    instances:
      description: What stands, each with C(instance), C(service), C(version), C(machine), C(address) and C(state).
      type: list
      elements: dict
    last_job:
      description: Id of its last job.
      type: str
    tenant:
      description: Whose it is.
      type: str
    created:
      description: When it was created.
      type: str
    generation:
      description: Counts its changes.
      type: int
plan:
  description: >-
    What is, or would be, done: C(id), C(actions) with their reasons, C(counts), C(stages), C(seats) and C(blocked)
    (what is missing), and in C(lines) the same for people.
  returned: when a plan was made
  type: dict
job:
  description: >-
    The job that was run: C(job) (its id), C(kind), C(state), C(message), C(failures) and C(artifacts), the directory
    of its output.
  returned: when a job was run
  type: dict
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
from ansible_collections.ads.deploy.plugins.module_utils.verbs import environment


def main():
    """Start the module."""
    entry.run_module(environment)


if __name__ == "__main__":
    main()
