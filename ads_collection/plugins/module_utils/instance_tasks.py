# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task files that deploy one instance each: its roles, in order, with its variables, ending with a word for the report.

Ansible cannot be given variables whose names are only known at run time, other than in a file. What comes
from the store and could be a template is marked unsafe, so it is never taken for one.
"""

from __future__ import annotations

import os
import re

SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
OURS = "ads.deploy."


class Unsafe(str):
    """A string that Ansible must not take for a template."""


def write(folder, host):
    """Write a file for each instance of a host and put its path into the instance's entry as `tasks`."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes plain data, and unsafe strings with Ansible's tag."""

        def ignore_aliases(self, data):
            """Repeat what occurs twice: aliases of tagged strings confuse readers."""
            return True

    Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))
    os.makedirs(os.path.join(folder, "ads-tasks"), mode=0o700, exist_ok=True)
    # The environment of a machine without a system of its own is the controller's, secrets included.
    subset = ["all", "!env"] if host["variables"]["ansible_connection"] == "local" else ["all"]
    facts_known = False
    for entry in host["variables"]["ads_instances"]:
        instance = entry["ads_instance"]["id"]
        path = os.path.join(folder, "ads-tasks", "{0}-{1}.yml".format(host["name"], instance.replace("/", "-")))
        foreign = any(not role["name"].startswith(OURS) for role in entry["roles"])
        with open(path, "w") as stream:
            yaml.dump(
                tasks(instance, entry, subset if foreign and not facts_known else []),
                stream,
                Dumper=Dumper,
                sort_keys=False,
            )
        facts_known = facts_known or foreign
        entry["tasks"] = path


def tasks(instance, entry, facts):
    """The tasks as plain data: whatever happens, they end well and leave a word in `ads_results`.

    Args:
        facts: subset of facts to gather before, empty: none.
    """
    result = "ads_results | default({{}}) | combine({{ {0!r}: {1} }})"
    cause = "ansible_failed_result.msg | default('it failed', true) | string"
    roles = [
        dict(
            name=unsafe("{0}: {1}".format(instance, role["name"])),
            vars=unsafe(dict(entry["variables"], **role["vars"])),
            **{"ansible.builtin.include_role": dict(name=unsafe(role["name"]))},
        )
        for role in entry["roles"]
    ]
    gather = [{"name": instance + ": facts", "ansible.builtin.setup": {"gather_subset": facts}}] if facts else []
    good = "{{ " + result.format(instance, "''") + " }}"
    bad = "{{ " + result.format(instance, cause) + " }}"
    return [
        dict(
            name=instance,
            block=gather + roles + [note(instance + ": deployed", good)],
            rescue=[note(instance + ": failed", bad)],
        )
    ]


def note(name, results):
    """A task that leaves a word for the report."""
    return {"name": name, "ansible.builtin.set_fact": {"ads_results": results}}


def unsafe(value):
    """The same data: strings that could be templates are marked unsafe, what names a secret becomes a look-up of it."""
    if isinstance(value, dict) and set(value) == {"secret"} and SECRET.fullmatch(str(value["secret"])):
        return "{{{{ lookup('ads.deploy.secret', '{0}') }}}}".format(value["secret"])
    if isinstance(value, dict):
        return {key: unsafe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unsafe(item) for item in value]
    # Without a brace it is no template; and the tag would read "0640" and "yes" anew, as something else than text.
    return Unsafe(value) if isinstance(value, str) and "{" in value else value
