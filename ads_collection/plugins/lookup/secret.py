# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds secrets by the names that definitions use."""

from __future__ import annotations

DOCUMENTATION = r"""
name: secret
short_description: A secret by the name that a definition gives it
version_added: 0.1.0
description:
  - A definition writes a map with the single key C(secret) and a name where a password belongs. The text is found on
    the controller while the play runs and is never stored.
  - It is taken from the variable C(ads_secrets), a map that usually lies in a vaulted file of the project's
    C(group_vars); else from the environment variable C(ADS_SECRET_DATABASE_PASSWORD); else from the command in the
    variable C(ads_secret_command), whose C({name}) is replaced.
  - Tasks that use it should say C(no_log).
author:
  - The ads authors (@ads)
options:
  _terms:
    description: Names of secrets.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: A role of your own that needs a password
  ansible.builtin.include_role:
    name: my.database
  vars:
    database_password: "{{ lookup('ads.deploy.secret', 'database-password') }}"
"""

RETURN = r"""
_raw:
  description: The secrets, in the order of their names.
  type: list
  elements: str
"""

from ansible.plugins.lookup import LookupBase
from ansible_collections.ads.deploy.plugins.plugin_utils.secrets import Secrets


class LookupModule(LookupBase):
    """Finds secrets."""

    def run(self, terms, variables=None, **kwargs):
        """Return the text of each named secret."""
        variables = variables or {}
        known, command = (self._templar.template(variables.get(name)) for name in ("ads_secrets", "ads_secret_command"))
        secrets = Secrets(known, command)
        return [secrets.reveal(str(term)) for term in terms]
