# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every module of this collection in the controller's own process: no module is sent, no Python is started.

All modules are redirected here (`meta/runtime.yml`); it is named like the first of them, as sanity tests want it.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.ads.deploy.plugins.module_utils import library
from ansible_collections.ads.deploy.plugins.plugin_utils import secrets
from ansible_collections.ads.deploy.plugins.plugin_utils.plain import plain

# Ansible imports this file once, in the process that then forks for every task.
secrets.take()
if library.HAS_ADSLIB:
    library.preload()

VERBS = "ansible_collections.ads.deploy.plugins.module_utils.verbs."


class ActionModule(ActionBase):
    """Dispatches by the name that the task called; the argument spec is the module's own."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp=None, task_vars=None):
        """Validate the arguments, call the library, and return its result."""
        super().run(tmp, task_vars)
        if not library.HAS_ADSLIB:
            raise AnsibleActionFail(missing_required_lib("adslib"))
        verb = import_module(VERBS + self._task.action.rpartition(".")[2])
        validator = ArgumentSpecValidator(dict(library.DATABASE, **verb.ARGUMENTS), **verb.RULES)
        checked = validator.validate(plain(self._task.args))
        if checked.error_messages:
            told = checked.errors.msg
            if isinstance(checked.errors[0], UnsupportedError):
                told = "Unsupported parameters for {0}: {1}".format(self._task.action, told)
            raise AnsibleActionFail(told)
        params = dict(checked.validated_parameters)
        prepare = getattr(verb, "prepare", None)
        if prepare:
            prepare(params, task_vars or {})
        params.update((name, value) for name, value in self._of_this_run().items() if name in verb.ARGUMENTS)
        result = library.carry_out(verb.run, params, self._task.check_mode)
        result.setdefault("changed", False)
        result.setdefault("failed", False)
        return result

    def _of_this_run(self):
        """Arguments that only the controller knows: this process was forked by the run's own, ansible-playbook."""
        return dict(
            person=os.getppid(),
            interpreter=sys.executable,
            scratch=constants.DEFAULT_LOCAL_TMP,
            given=[str(name) for name in load_extra_vars(self._loader)],
        )
