#!/usr/bin/python
# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts one instance's component on a machine and keeps it as it is wanted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component
short_description: Put a component on a machine and keep it as it is wanted
version_added: 0.1.0
description:
  - Installs the software of one instance - packages, an archive, a git commit, a folder, files - and runs its process.
  - Everything is rendered on the controller and applied in one module run. A run that finds all as wanted changes
    nothing; what was changed, stopped or removed by hand is put back.
  - The process is restarted only if something that it uses has changed. What is due is written down on the machine
    before the first change, so a run that was cut off is completed by the next.
  - A lock on the machine keeps two runs apart.
author:
  - The ads authors (@ads)
requirements:
  - git on the machine, for O(component.git)
attributes:
  check_mode:
    support: full
    description: >-
      Says what would change and changes nothing. What an archive or a commit holds is not known before it is fetched.
  diff_mode:
    support: full
    description: Shows every file. Large, binary and secret content is described, not shown.
  platform:
    support: full
    platforms: posix
    description: Linux with systemd, or a directory with a supervisord.
options:
  instance:
    description:
      - The instance, as the inventory plugin P(ads.deploy.ads#inventory) gives it in C(ads_instance).
      - C(id), C(name) and C(service) must be there; templates see all of it as C(self).
    type: dict
    required: true
  component:
    description: The component. Needed unless O(state=absent).
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      version:
        description: Its version.
        type: str
        default: ""
      packages:
        description: >-
          Debian or RPM packages. The machine must have C(packages) among its O(capabilities). They stay when the
          instance goes.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the package.
            type: str
            required: true
          version:
            description: Version of the package. Without it any version will do.
            type: str
      archive:
        description: A tar or zip archive.
        type: dict
        suboptions:
          url:
            description: >-
              An C(http) or C(https) URL, fetched by the machine; or a C(file) URL or a path in the project, copied
              from the controller.
            type: str
            required: true
          sha256:
            description: SHA-256 of the archive. Another archive is refused.
            type: str
            required: true
          directory:
            description: Where its files go on the machine.
            type: str
            required: true
          strip:
            description: How many leading folders of its names are left out.
            type: int
            default: 0
      git:
        description: >-
          A git repository at one commit. Its files are exported; the machine keeps no work tree. Submodules are left
          out.
        type: dict
        suboptions:
          url:
            description: URL of the repository, as the machine reaches it.
            type: str
            required: true
          commit:
            description: The full commit.
            type: str
            required: true
          directory:
            description: Where its files go on the machine.
            type: str
            required: true
      folder:
        description: A folder of the project, without C(.git) and Python's C(__pycache__).
        type: dict
        suboptions:
          path:
            description: The folder, relative to O(project).
            type: str
            required: true
          directory:
            description: Where its files go on the machine.
            type: str
            required: true
      files:
        description: Files.
        type: list
        elements: dict
        suboptions:
          path:
            description: Absolute path on the machine. It may hold expressions.
            type: str
            required: true
          content:
            description: >-
              The text itself. It may hold expressions, which see the names that O(variables) lists and can call
              nothing.
            type: str
          template:
            description: >-
              A Jinja2 template in the project or the role, rendered by Ansible with the same names and all variables
              of the host.
            type: str
          source:
            description: A file in the project or the role, copied as it is.
            type: str
          owner:
            description: Owner. Empty leaves it as it is.
            type: str
          group:
            description: Group. Empty leaves it as it is.
            type: str
          mode:
            description: Permissions, octal.
            type: str
            default: "0644"
          secret:
            description: The file holds a secret. Neither its content nor a difference is shown.
            type: bool
            default: false
          validate:
            description: >-
              A command that must accept the new file (C(%s)) before it replaces the old one. It may hold expressions.
            type: str
          on_change:
            description:
              - What the process needs when this file has changed.
              - V(auto) reloads where the process has C(reload), and restarts otherwise.
            type: str
            choices: [auto, restart, reload, nothing]
            default: auto
          reload:
            description: A command that suffices if only this file has changed. It may hold expressions.
            type: str
      process:
        description: What runs. A systemd service, or a program of supervisord where O(root) is set.
        type: dict
        suboptions:
          command:
            description: The command and its arguments. No shell reads it. It may hold expressions.
            type: str
            required: true
          name:
            description: >-
              Name of the service or program. By default that of the service (systemd) or instance (supervisord).
            type: str
          user:
            description: User to run as.
            type: str
          directory:
            description: Working directory.
            type: str
          environment:
            description: Environment variables. Their values may hold expressions.
            type: dict
            default: {}
          leaves:
            description: Files that the process makes by itself and that go with the instance. What else it makes stays.
            type: list
            elements: str
            default: []
          reload:
            description: >-
              A signal (V(HUP)), or a command, by which the process reads its configuration anew. It may hold
              expressions.
            type: str
          secret:
            description: The environment or the command holds a secret. Neither is shown.
            type: bool
            default: false
      vars:
        description: Variables of the component. They are not used here.
        type: dict
  state:
    description:
      - V(present) installs and runs, V(stopped) installs and stops, V(absent) removes what was installed.
    type: str
    choices: [present, stopped, absent]
    default: present
  configurations:
    description: Settings by configuration, C(configurations) in templates.
    type: dict
    default: {}
  members:
    description: Members by required service, C(members) in templates.
    type: dict
    default: {}
  variables:
    description:
      - Further variables for expressions.
      - Expressions see C(self), C(members), C(configurations), C(ads_instance), C(ads_root), C(ads_address),
        C(ads_python) and these.
    type: dict
    default: {}
  root:
    description: Directory that is the machine's file system. Empty on a machine of its own. Nothing outside is written.
    type: str
    default: ""
  address:
    description: The machine's own address, C(self.address) and C(ads_address) in templates.
    type: str
    default: ""
  python:
    description: The Python interpreter for programs, C(ads_python) in templates.
    type: str
    default: /usr/bin/python3
  capabilities:
    description: What the machine can do, of V(packages) and V(systemd).
    type: list
    elements: str
    default: []
  init_socket:
    description: Socket of the machine's supervisord, or its configuration file.
    type: path
  project:
    description: >-
      The project's directory on the controller, by default that of the playbook. Files are read below it only.
    type: path
  lock_timeout:
    description: Seconds to wait for another run on this machine.
    type: int
    default: 60
  prepared:
    description: What the controller's part of this module made of the rest. Leave it out.
    type: dict
"""

EXAMPLES = r"""
- name: A web server from the project's own folder
  ads.deploy.component:
    instance: {id: web-1, name: web-1, service: web, ports: {http: 8080}}
    component:
      name: web
      version: 1.0.0
      folder: {path: components/web, directory: /opt/web}
      files:
        - path: /etc/web.json
          content: '{"port": {{ self.ports.http }}}'
          mode: "0640"
      process:
        command: "{{ '{{ ads_python }} {{ ads_root }}/opt/web/web.py' }}"
    capabilities: [packages, systemd]

- name: Take it away
  ads.deploy.component:
    instance: {id: web-1, name: web-1, service: web}
    state: absent
    capabilities: [packages, systemd]
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done, in words.
  returned: always
  type: list
  elements: str
  sample: ["file /etc/web.json: content", "process web-1: restart"]
instance:
  description: Id of the instance.
  returned: always
  type: str
  sample: pod-1/us-west/web-1
version:
  description: Version of the component that stands on the machine now.
  returned: success
  type: str
  sample: 1.0.0
needs:
  description: SHA-256 of content that the controller has to send. Seen by the controller's part of this module only.
  returned: never to a playbook
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ads.deploy.plugins.module_utils.component.application import Application
from ansible_collections.ads.deploy.plugins.module_utils.component.arguments import ARGUMENTS
from ansible_collections.ads.deploy.plugins.module_utils.component.commands import runner
from ansible_collections.ads.deploy.plugins.module_utils.component.contents import Contents
from ansible_collections.ads.deploy.plugins.module_utils.component.file_system import FileSystem, Refused
from ansible_collections.ads.deploy.plugins.module_utils.component.records import Lock, Records
from ansible_collections.ads.deploy.plugins.module_utils.component.removal import withdraw


def init_of(parameters, file_system, contents, run):
    """Return what runs processes on this machine; None if nothing does."""
    # Only one of the two is loaded: that takes longer than what it does.
    if parameters["init_socket"]:
        from ansible_collections.ads.deploy.plugins.module_utils.component.supervisord import Supervisord

        return Supervisord(parameters["init_socket"], file_system, contents)
    if "systemd" in parameters["capabilities"] and not file_system.root:
        from ansible_collections.ads.deploy.plugins.module_utils.component.systemd import Systemd

        return Systemd(contents, run)
    return None


def apply(module, wanted):
    """Make the instance as it is wanted; return the module's result.

    Raises:
        Refused: it cannot be done.
    """
    parameters = module.params
    show = bool(module._diff)
    file_system = FileSystem(parameters["root"])
    records = Records(file_system)
    contents = Contents(wanted["embedded"], wanted.get("bundle") or "")
    run = runner(file_system.root or "/")
    init = init_of(parameters, file_system, contents, run)
    if wanted.get("packages") and "packages" not in parameters["capabilities"]:
        names = ", ".join(package["name"] for package in wanted["packages"])
        raise Refused("packages (%s) need a machine with the capability 'packages': this one has it not" % names)
    with Lock(file_system, wanted["instance"], parameters["lock_timeout"], writes=not module.check_mode):
        if parameters["state"] == "absent":
            actions, diff = withdraw(wanted["instance"], file_system, records, init, run, module.check_mode, show)
            return {"changed": bool(actions), "actions": actions, "diff": diff, "version": ""}
        application = Application(wanted, file_system, records, contents, init, run, module.check_mode, show)
        try:
            done = application.carry_out()
        finally:
            application.close()
    result = {"changed": bool(application.actions), "actions": application.actions, "diff": application.diff}
    return dict(result, version=wanted["version"]) if done else {"changed": False, "needs": application.needs}


def main():
    """Apply what the controller prepared."""
    # Not logged by AnsibleModule: the arguments hold the content of files.
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, no_log=True)
    wanted = module.params["prepared"]
    instance = {"id": module.params["instance"].get("id")}
    identity = {"module_args": {"instance": instance, "state": module.params["state"]}}
    if wanted is None:
        module.fail_json(msg="this module is run by its action: call it as ads.deploy.component", invocation=identity)
    try:
        result = apply(module, wanted)
    except Refused as refusal:
        module.fail_json(msg="%s: %s" % (wanted["instance"], refusal), invocation=identity)
    except OSError as problem:
        place = problem.filename or "the machine"
        words = "%s: %s: %s" % (wanted["instance"], place, problem.strerror or problem)
        if isinstance(problem, PermissionError):
            words += "; set ansible_become"
        module.fail_json(msg=words, invocation=identity)
    module.exit_json(invocation=identity, **result)


if __name__ == "__main__":
    main()
