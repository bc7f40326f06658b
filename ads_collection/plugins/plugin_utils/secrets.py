# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: a definition names them, the controller resolves them during the play, and nothing writes them down."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

from ansible.errors import AnsibleError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
PATIENCE = 60
PREFIX = "ADS_SECRET_"
KEPT = {}


def take():
    """Take secrets out of this process' environment and keep them here: nothing that a task starts inherits them."""
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        KEPT[variable] = os.environ.pop(variable)


def is_secret(value):
    """Whether a value only names a secret: C({secret: name})."""
    return isinstance(value, dict) and set(value) == {"secret"} and isinstance(value["secret"], str)


class Secrets:
    """Resolves secrets, each once.

    Args:
        known: the variable C(ads_secrets), usually from a vaulted file; command: the variable C(ads_secret_command).
    """

    def __init__(self, known, command):
        self._known = known or {}
        self._command = command or ""
        self.revealed = {}

    def reveal(self, name):
        """The text of a secret: from the variable, the environment (C(ADS_SECRET_NAME)) or the command, in this order.

        Raises:
            AnsibleError: its name is no good one, or nobody knows it.
        """
        if not NAME.fullmatch(name):
            raise AnsibleError("secret %r: that is no name; use letters, digits, '_', '-' and '.'" % name)
        if name not in self.revealed:
            self.revealed[name] = self._find(name)
        return self.revealed[name]

    def _find(self, name):
        if name in self._known:
            return str(self._known[name])
        variable = PREFIX + re.sub(r"[^A-Za-z0-9]", "_", name).upper()
        take()
        if variable in KEPT:
            return KEPT[variable]
        if self._command:
            words = [word.replace("{name}", name) for word in shlex.split(self._command)]
            try:
                done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
            except (OSError, subprocess.TimeoutExpired) as problem:
                raise AnsibleError("secret '%s': ads_secret_command cannot be run: %s" % (name, type(problem).__name__))
            if done.returncode == 0:
                return done.stdout.rstrip("\n")
            raise AnsibleError("secret '%s': ads_secret_command ended with %d" % (name, done.returncode))
        raise AnsibleError(
            "secret '%s' is not known: put it into the variable ads_secrets (in a vaulted file of the project's "
            "group_vars), into the environment as %s, or set ads_secret_command" % (name, variable)
        )

    def reveal_in(self, value):
        """The same plain data with every named secret in its place."""
        if is_secret(value):
            return self.reveal(value["secret"])
        if isinstance(value, dict):
            return {key: self.reveal_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.reveal_in(item) for item in value]
        return value

    def veiled(self, value):
        """The same plain data with stars in the place of every secret that was revealed here."""
        if isinstance(value, dict):
            return {key: self.veiled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.veiled(item) for item in value]
        if isinstance(value, str):
            for secret in filter(None, self.revealed.values()):
                value = value.replace(secret, "********")
        return value

    def holds(self, text):
        """Whether a text has a secret in it that was revealed here."""
        return any(secret and secret in text for secret in self.revealed.values())
