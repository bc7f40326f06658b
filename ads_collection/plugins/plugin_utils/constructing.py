# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's compose, groups and keyed_groups, with the same result as Constructable, and mostly without Jinja.

ansible-core compiles every expression again for every host, about a millisecond each. An expression that only names a
value (`ads_labels.rack`) is looked up here instead. Wherever the outcome could differ from what Jinja says – the value
is missing and that is an error, it may hold a template, the name is also a method – ansible-core is asked.
"""

from __future__ import annotations

import re

from ansible_collections.ads.deploy.plugins.plugin_utils.untrusted import TRUST_IS_GIVEN

PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
# Words that mean something in an expression even if a variable is called so.
RESERVED = frozenset(
    ["and", "else", "if", "in", "is", "not", "or", "true", "false", "none", "True", "False", "None"]
    + ["self", "super", "loop", "caller", "varargs", "kwargs"]
)
SCALARS = (str, bool, int, float, type(None)) if TRUST_IS_GIVEN else (str,)
MARKS = ("{{", "{%", "{#")

ASK = object()
"""In place of a value: only ansible-core can tell."""
MISSING = object()
"""In place of a value: there is none, and ansible-core would skip the expression."""


class Constructing:
    """What a user's inventory file constructs for hosts that are in the inventory with their variables.

    Args:
        plugin: the inventory plugin, parsed and with its options set. names: of the hosts.
    """

    def __init__(self, plugin, names):
        self._plugin = plugin
        self._inventory = plugin.inventory
        self._names = names
        self._strict = plugin.get_option("strict")
        # Extra variables may be templates and differ from what the host has.
        self._fast = not plugin.get_option("use_extra_vars")
        self._roots = {}
        self._safe_names = {}
        self._paths = {}

    def construct(self):
        """Set variables, then groups by condition, then groups by key, as Constructable does host by host."""
        compose, groups, keyed = (self._plugin.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        for name in self._names:
            host = self._inventory.get_host(name)
            variables = host.get_vars()
            if compose:
                self._compose(compose, variables, name)
                variables = host.get_vars()
            before = len(host.groups)
            if groups:
                self._group(groups, variables, host)
            for entry in keyed or ():
                if len(host.groups) != before:
                    # The entry may use group_names.
                    before, variables = len(host.groups), host.get_vars()
                self._key(entry, variables, host)

    def _compose(self, compose, variables, name):
        for key, expression in compose.items():
            value = self._look_up(expression, variables)
            if value is ASK:
                self._plugin._set_composite_vars({key: expression}, variables, name, strict=self._strict)
            elif value is not MISSING:
                self._inventory.set_variable(name, key, value)

    def _group(self, groups, variables, host):
        for group, condition in groups.items():
            value = self._look_up(condition, variables)
            if value is True:
                self._inventory.add_child(self._inventory.add_group(self._safe(group)), host.name)
            elif value is not False and value is not MISSING:
                self._plugin._add_host_to_composed_groups(
                    {group: condition}, variables, host.name, strict=self._strict, fetch_hostvars=False
                )

    def _key(self, entry, variables, host):
        names = self._names_of(entry, variables)
        if names is ASK:
            self._plugin._add_host_to_keyed_groups(
                [entry], variables, host.name, strict=self._strict, fetch_hostvars=False
            )
            return
        parent = entry.get("parent_group")
        for raw in names:
            group = self._inventory.add_group(self._safe(raw))
            self._inventory.add_host(host.name, group)
            if parent:
                above = self._inventory.add_group(self._safe(parent))
                self._inventory.add_child(above, group)

    def _names_of(self, entry, variables):
        """The names of the groups that an entry of keyed_groups makes, unless ansible-core has to say."""
        if not isinstance(entry, dict) or not _is_plain_text(entry.get("parent_group")):
            return ASK
        default, trailing = entry.get("default_value"), entry.get("trailing_separator")
        if default is not None and trailing is not None:
            return ASK
        value = self._look_up(entry.get("key"), variables)
        if value is ASK or value is MISSING:
            return () if value is MISSING else ASK
        prefix, separator = entry.get("prefix", ""), entry.get("separator", "_")
        if default is not None and value in (None, ""):
            bare = [default]
        elif not value:
            return ASK if self._strict else ()
        elif isinstance(value, str):
            bare = [value]
        elif isinstance(value, list):
            bare = [default if item in (None, "") and default is not None else item for item in value]
        elif isinstance(value, dict):
            bare = [_pair(key, item, separator, default, trailing) for key, item in value.items()]
        else:
            return ASK
        if prefix == "" and self._plugin.get_option("leading_separator") is False:
            separator = ""
        return ["%s%s%s" % (prefix, separator, name) for name in bare]

    def _look_up(self, expression, variables):
        """The value that an expression names, ASK, or MISSING."""
        steps = self._steps(expression)
        if steps is None:
            return ASK
        if steps[0] not in variables:
            return MISSING if not self._strict and self._names_nothing(steps[0]) else ASK
        value = variables[steps[0]]
        for step in steps[1:]:
            if not isinstance(value, dict):
                return ASK
            if step not in value:
                return ASK if self._strict else MISSING
            value = value[step]
        return value if _is_final(value) else ASK

    def _steps(self, expression):
        """The names of an expression that is nothing but names joined by dots; None: it is more than that."""
        if not self._fast or not isinstance(expression, str):
            return None
        if expression not in self._paths:
            steps = expression.split(".") if PATH.fullmatch(expression) else None
            if steps and (steps[0] in RESERVED or any(hasattr(dict, step) for step in steps[1:])):
                steps = None
            self._paths[expression] = steps
        return self._paths[expression]

    def _names_nothing(self, name):
        """Whether a name that is no variable is nothing else in an expression either, such as a function."""
        if name not in self._roots:
            try:
                self._plugin._compose(name, {})
            except Exception:  # noqa: BLE001 – whatever is raised, Constructable skips it too
                self._roots[name] = TRUST_IS_GIVEN
            else:
                self._roots[name] = False
        return self._roots[name]

    def _safe(self, name):
        if name not in self._safe_names:
            self._safe_names[name] = self._plugin._sanitize_group_name(name)
        return self._safe_names[name]


def _pair(key, value, separator, default, trailing):
    if value in (None, ""):
        if default is not None:
            value = default
        elif trailing is False:
            return key
    return "%s%s%s" % (key, separator, value)


def _is_plain_text(text):
    return text is None or (isinstance(text, str) and not any(mark in text for mark in MARKS))


def _is_final(value):
    """Whether ansible-core would hand out the value as it stands: nothing in it can be a template."""
    if isinstance(value, str):
        # Cores before 2.19 make Python values of strings that look like one.
        looks = not TRUST_IS_GIVEN and (value[:1] in ("{", "[") or value in ("True", "False"))
        return not looks and not any(mark in value for mark in MARKS)
    if TRUST_IS_GIVEN and isinstance(value, dict):
        return all(_is_final(key) and _is_final(item) for key, item in value.items())
    if TRUST_IS_GIVEN and isinstance(value, list):
        return all(_is_final(item) for item in value)
    return isinstance(value, SCALARS)
