# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a machine into the running inventory, by way of ansible.builtin.add_host: the one way that all cores share."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.ads.deploy.plugins.plugin_utils import project_variables

ARGUMENTS = dict(
    name=dict(type="str", required=True),
    groups=dict(type="list", elements="str", default=[]),
    stages=dict(type="list", elements="int", default=[]),
    variables=dict(type="dict", default={}),
    project=dict(type="path"),
)
# What add_host itself takes; a variable of that name would be taken for it.
ITS_OWN = ("name", "hostname", "groupname", "groups")


class ActionModule(ActionBase):
    """Adds one host."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return what add_host says, but unchanged: an inventory in memory is no change of anything."""
        super().run(tmp, task_vars)
        _result, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        inherited = project_variables.of_host(self._loader, given, task_vars or {})
        variables = {name: value for name, value in inherited.items() if name not in ITS_OWN}
        variables.update(given["variables"])
        groups = given["groups"] + ["ads_stage_%02d" % stage for stage in given["stages"]]
        result = self._add_host(dict(variables, name=given["name"], groups=groups), task_vars)
        # What a project says may be a secret from a vault, and a result is shown at -v.
        return dict(result, changed=False, _ansible_no_log=bool(inherited))

    def _add_host(self, words, task_vars):
        task = self._task.copy()
        task.args = words
        action = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.add_host",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return action.run(task_vars=task_vars)
