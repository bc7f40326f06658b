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
OF_INSTANCE = ("ads_instance", "ads_component", "ads_configurations", "ads_members")


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
        foreign = any(is_foreign(role) for role in entry["roles"])
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
    cause = "ansible_failed_result | ads.deploy.cause"
    steps = [{"name": instance + ": facts", "ansible.builtin.setup": {"gather_subset": facts}}] if facts else []
    for role in entry["roles"]:
        steps += inclusion(instance, role["name"], dict(entry["variables"], **role["vars"]))
    if any(is_foreign(role) for role in entry["roles"]):
        # What it notified is a part of it: run here, a handler that fails fails this instance and no other.
        steps.append({"name": instance + ": handlers", "ansible.builtin.meta": "flush_handlers"})
    good = "{{ " + result.format(instance, "''") + " }}"
    bad = "{{ " + result.format(instance, cause) + " }}"
    return [
        dict(
            name=instance,
            block=[*steps, note(instance + ": deployed", good)],
            rescue=[note(instance + ": failed", bad)],
        )
    ]


def is_foreign(role):
    """Whether a role is none of ours, so that it may need facts and have handlers."""
    return not role["name"].startswith(OURS)


def inclusion(instance, role, variables):
    """Tasks that include a role with its variables.

    Ansible keeps one copy of a role's handlers for a whole play, the last that any host loaded. So variables of a role
    that is not ours are facts of the host, and every inclusion names them in the same words: whichever copy runs, it
    sees the instance that notified it.
    """
    include = {
        "name": unsafe("{0}: {1}".format(instance, role)),
        "ansible.builtin.include_role": {"name": unsafe(role)},
    }
    if role.startswith(OURS):
        return [dict(include, vars=unsafe(variables))]
    prefix = "ads_of_{0}_".format(re.sub(r"\W", "_", role))
    facts, words = {"ads_now": "{{ ads_entry }}"}, {name: "{{ ads_now." + name + " }}" for name in OF_INSTANCE}
    for name, value in variables.items():
        if is_secret(value):
            facts[prefix + name] = value["secret"]
            words[name] = "{{ lookup('ads.deploy.secret', " + prefix + name + ") }}"
        elif mentions_secret(value):
            # A fact would hold, and show, its text.
            words[name] = unsafe(value)
        else:
            facts[prefix + name] = unsafe(value)
            words[name] = "{{ " + prefix + name + " }}"
    remember = {"name": "{0}: variables of {1}".format(instance, role), "ansible.builtin.set_fact": facts}
    return [remember, dict(include, vars=words)]


def mentions_secret(value):
    """Whether there is the name of a secret anywhere in a value."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return is_secret(value) or any(mentions_secret(part) for part in parts)


def note(name, results):
    """A task that leaves a word for the report."""
    return {"name": name, "ansible.builtin.set_fact": {"ads_results": results}}


def is_secret(value):
    """Whether a value only names a secret."""
    return isinstance(value, dict) and set(value) == {"secret"} and SECRET.fullmatch(str(value["secret"])) is not None


def unsafe(value):
    """The same data: strings that could be templates are marked unsafe, what names a secret becomes a look-up of it."""
    if is_secret(value):
        return "{{{{ lookup('ads.deploy.secret', '{0}') }}}}".format(value["secret"])
    if isinstance(value, dict):
        return {key: unsafe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unsafe(item) for item in value]
    # Without a brace it is no template; and the tag would read "0640" and "yes" anew, as something else than text.
    return Unsafe(value) if isinstance(value, str) and "{" in value else value
