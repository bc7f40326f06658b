# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How every module of this collection starts when it runs on a host of its own."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.ads.deploy.plugins.module_utils import library


def run_module(verb):
    """Parse the arguments that the verb declares, run it, and leave."""
    arguments = dict(library.DATABASE, **verb.ARGUMENTS)
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True, **verb.RULES)
    if not library.HAS_ADSLIB:
        module.fail_json(msg=missing_required_lib("adslib"), exception=library.ADSLIB_IMPORT_ERROR)
    result = library.carry_out(verb.run, module.params, module.check_mode)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
