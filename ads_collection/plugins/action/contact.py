# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for a machine as ansible.builtin.wait_for_connection does, but not where waiting mends nothing: host keys.

Then looks whether its operating system is the one that its instances ask for.
"""

from __future__ import annotations

import re

from ansible.errors import AnsibleActionFail
from ansible.plugins.action.wait_for_connection import ActionModule as Waiting
from ansible.plugins.action.wait_for_connection import TimedOutException
from ansible_collections.ads.deploy.plugins.filter.cause import cause

REFUSED = "Host key verification failed"
CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
FINGERPRINT = re.compile(r"\bSHA256:[A-Za-z0-9+/]+")
SYSTEM = "cat /etc/os-release || cat /usr/lib/os-release"


class ActionModule(Waiting):
    """Waits until a machine answers."""

    def do_until_success_or_timeout(self, what, *arguments, **options):
        """Try until it succeeds, the time is over, or ssh refuses the machine's host key."""
        refused = []

        def tried(connect_timeout):
            try:
                return what(connect_timeout)
            except Exception as problem:
                if REFUSED not in str(problem):
                    raise
                return refused.append(str(problem))

        try:
            super().do_until_success_or_timeout(tried, *arguments, **options)
        except TimedOutException as problem:
            raise TimedOutException("its host did not answer: %s" % problem) from None
        if refused:
            raise TimedOutException(self._refusal(refused[0]))

    def _execute_module(self, *arguments, **options):
        """Say why a module did not run; wait_for_connection itself only notes that its answer was not there."""
        result = super()._execute_module(*arguments, **options)
        if result.get("failed") or result.get("unreachable"):
            raise AnsibleActionFail(cause(result))
        return result

    def _refusal(self, said):
        name = self._known["inventory_hostname"]
        if str(self._known.get("ads_machine_id")) not in said:
            return "ssh refuses a host key on the way to %s: %s" % (name, " ".join(said.split()))
        if CHANGED not in said:
            return (
                "the host key of %s is not known, so nothing is done there: "
                "give it with ads machine add %s --host-key FILE (or --trust-first-contact)" % (name, name)
            )
        shown = FINGERPRINT.search(said)
        return (
            "%s shows another host key%s than the one that is pinned, so nothing is done there: "
            "it may be another machine. If it was set up anew, give its new key with ads machine add %s --host-key FILE"
            % (name, " (%s)" % shown.group() if shown else "", name)
        )

    def _other_system(self):
        """Say which operating system there is instead of the one that an instance asks for; empty: all is well."""
        asking = [entry for entry in self._known.get("ads_instances") or () if entry.get("os")]
        if not asking:
            return ""
        found = system_of(self._low_level_execute_command(SYSTEM)["stdout"])
        name = self._known["inventory_hostname"]
        for entry in asking:
            if not runs(found, str(entry["os"])):
                return (
                    "%s runs %s, but %s asks for %s, so nothing is done there: "
                    "say what it is with ads machine add %s --os %s, and deploy again"
                    % (name, found or "an unknown system", entry["id"], entry["os"], name, found or "SYSTEM")
                )
        return ""

    def run(self, tmp=None, task_vars=None):
        """Return what wait_for_connection says, or the refusal."""
        self._known = task_vars
        result = super().run(tmp, task_vars)
        if not (result.get("failed") or result.get("skipped")):
            other = self._other_system()
            if other:
                result.update(failed=True, msg=other)
        return result


def system_of(release):
    """Return the operating system that an os-release tells of, as definitions name it, like debian-12."""
    fields = dict(line.strip().partition("=")[::2] for line in release.splitlines() if "=" in line)
    parts = (fields.get(name, "").strip("\"'") for name in ("ID", "VERSION_ID"))
    return "-".join(part for part in parts if part)


def runs(found, asked):
    """Tell whether a system is the one that is asked for: rocky-9.5 is rocky-9 and rocky."""
    return found == asked or found.startswith((asked + ".", asked + "-"))
