# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's part of ads.deploy.component: render everything, then one module run on the machine."""

from __future__ import annotations

import os
import tempfile

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.ads.deploy.plugins.module_utils.component.arguments import ARGUMENTS
from ansible_collections.ads.deploy.plugins.plugin_utils.component.expressions import Expressions, Unresolved
from ansible_collections.ads.deploy.plugins.plugin_utils.component.preparation import Preparation
from ansible_collections.ads.deploy.plugins.plugin_utils.component.project import Missing, Project, Supply
from ansible_collections.ads.deploy.plugins.plugin_utils.plain import plain
from ansible_collections.ads.deploy.plugins.plugin_utils.secrets import Secrets

MODULE = "ads.deploy.component"
PASSED_ON = ("root", "capabilities", "init_socket", "lock_timeout", "state")


class ActionModule(ActionBase):
    """Prepares a component on the controller and applies it in one module run."""

    def run(self, tmp=None, task_vars=None):
        """Apply the component of one instance to one machine."""
        super().run(tmp, task_vars)
        arguments = self._arguments()
        supply = Supply()
        secrets = self._secrets(task_vars)
        try:
            wanted = self._wanted(arguments, supply, secrets, task_vars)
        except (Unresolved, Missing) as problem:
            raise AnsibleActionFail("%s: %s" % (arguments["instance"]["id"], problem))
        call = {name: arguments[name] for name in PASSED_ON if arguments.get(name) is not None}
        call["instance"] = {"id": arguments["instance"]["id"]}
        call["prepared"] = dict(wanted, embedded=supply.embedded())
        result = self._apply(call, secrets, task_vars)
        if result.get("needs") and not result.get("failed"):
            call["prepared"]["bundle"] = self._send(supply, result["needs"])
            result = self._apply(call, secrets, task_vars)
        self._remove_tmp_path(self._connection._shell.tmpdir)
        return dict(result, instance=arguments["instance"]["id"])

    def _secrets(self, task_vars):
        known, command = (self._templar.template(task_vars.get(name)) for name in ("ads_secrets", "ads_secret_command"))
        return Secrets(plain(known), plain(command))

    def _apply(self, call, secrets, task_vars):
        """Run the module; where a secret travels in the call, neither log nor result shows the call."""
        shown = self._task.no_log
        self._task.no_log = bool(shown or secrets.revealed)
        try:
            result = self._execute_module(module_name=MODULE, module_args=call, task_vars=task_vars)
        finally:
            self._task.no_log = shown
        if secrets.revealed:
            result.pop("invocation", None)
            result = secrets.veiled(result)
        return result

    def _arguments(self):
        self._task.args = _given({name: plain(value) for name, value in self._task.args.items()})
        _result, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        arguments = plain(arguments)
        instance = arguments["instance"]
        for name in ("id", "name"):
            if not isinstance(instance.get(name), str) or not instance[name]:
                raise AnsibleActionFail("instance.%s is missing: give the instance as the inventory has it" % name)
        if arguments["state"] != "absent" and not arguments.get("component"):
            raise AnsibleActionFail("%s: component is missing: needed unless state is absent" % instance["id"])
        return arguments

    def _wanted(self, arguments, supply, secrets, task_vars):
        instance = arguments["instance"]
        if arguments["state"] == "absent":
            return {"instance": instance["id"]}
        for name in ("component", "configurations", "members", "variables"):
            arguments[name] = secrets.reveal_in(arguments[name])
        instance = secrets.reveal_in(instance)
        names = dict(
            arguments["variables"],
            self=dict(instance, address=arguments["address"] or instance.get("address", "")),
            members=arguments["members"],
            configurations=arguments["configurations"],
            ads_instance=instance,
            ads_root=arguments["root"],
            ads_address=arguments["address"],
            ads_python=arguments["python"],
        )
        project = arguments.get("project") or self._loader.get_basedir()
        role = self._task._role._role_path if self._task._role else ""
        expressions = Expressions(names, self._templar, task_vars)
        return Preparation(arguments, expressions, Project([role, project]), supply, secrets).wanted()

    def _send(self, supply, digests):
        """Send content to the machine; return where it lies there."""
        number, place = tempfile.mkstemp(dir=constants.DEFAULT_LOCAL_TMP)
        os.close(number)
        try:
            supply.bundle(digests, place)
            folder = self._connection._shell.tmpdir or self._make_tmp_path()
            remote = self._transfer_file(place, self._connection._shell.join_path(folder, "content.tar.gz"))
            self._fixup_perms2((folder, remote))
        finally:
            os.remove(place)
        return remote


def _given(value):
    """Leave out what is null: in data from the store every key is there."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value
