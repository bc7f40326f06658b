# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expressions in a component: strings from the store in a sandbox, template files of the project by Ansible.

What comes from the store may have been written by somebody who is not allowed to run things on the controller, so
``lookup('pipe', …)`` must mean nothing there. Template files lie in the project, beside the playbooks and roles that
run anyway: they get all that Ansible offers.
"""

from __future__ import annotations

import json
import os
import re
import shlex

from ansible.errors import AnsibleError
from ansible.utils.unsafe_proxy import wrap_var
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

try:
    from ansible.template import trust_as_template
except ImportError:
    # Before 2.19 every string is a template unless it is marked unsafe.
    trust_as_template = None

# Jinja2 keeps the name self for itself unless the template sets it.
PRELUDE = "{% set self = ads_self +%}"
LARGEST = 1024 * 1024
SWELLING = {"center", "ljust", "rjust", "zfill", "expandtabs", "replace", "join", "translate", "mro"}


class Unresolved(Exception):
    """An expression that cannot be resolved; the text names the place and the reason."""


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(["*", "**", "%"])

    def call_binop(self, context, operator, left, right):
        if operator in ("*", "%") and not (_is_number(left) and _is_number(right)):
            raise SecurityError("%s is for numbers here" % operator)
        if operator == "**" and (abs(left) > 1e6 or abs(right) > 64):
            raise SecurityError("the numbers are too large for **")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj, attr, value):
        return attr not in SWELLING and super().is_safe_attribute(obj, attr, value)


def _is_number(value):
    return isinstance(value, (int, float))


def _sandbox():
    environment = _Sandbox(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    for name in ("center", "format", "indent", "wordwrap", "urlize", "xmlattr", "replace", "pprint"):
        environment.filters.pop(name, None)
    for name in ("lipsum", "range"):
        environment.globals.pop(name, None)
    environment.filters["to_json"] = json.dumps
    environment.filters["quote"] = shlex.quote
    return environment


class Expressions:
    """Resolves what a component says for one instance.

    Args:
        names: what expressions see, as plain data; ``self`` among them.
        templar: Ansible's, for template files. task_vars: all variables of the host, for template files too.
    """

    def __init__(self, names, templar, task_vars):
        self._names = {name: value for name, value in names.items() if name != "self"}
        self._names["ads_self"] = names["self"]
        self._templar = templar
        self._task_vars = task_vars
        self._environment = _sandbox()

    def text(self, text, place):
        """Resolve a string that comes from the store.

        Raises:
            Unresolved: it names something that is not there, is no template, or does what it must not.
        """
        if "{" not in text:
            return text
        try:
            pieces, size = [], 0
            for piece in self._environment.from_string(PRELUDE + text).generate(self._names):
                size += len(piece)
                if size > LARGEST:
                    raise SecurityError("it makes more than 1 MiB")
                pieces.append(piece)
            return "".join(pieces)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as problem:
            raise Unresolved("%s: %s" % (place, problem))

    def words(self, text, place):
        """Resolve a command and split it into words; what a value holds never makes two words of one.

        Raises:
            Unresolved: as ``text``, or a quote is not closed.
        """
        kept = []

        def keep(found):
            kept.append(found.group())
            return "\0%d\0" % (len(kept) - 1)

        try:
            if "{%" in text:
                return shlex.split(self.text(text, place))
            words = shlex.split(re.sub(r"\{\{.*?\}\}", keep, text, flags=re.DOTALL))
        except ValueError as problem:
            raise Unresolved("%s: %s in %s" % (place, str(problem).lower(), text))
        whole = [re.sub("\0([0-9]+)\0", lambda found: kept[int(found.group(1))], word) for word in words]
        return [self.text(word, place) for word in whole]

    def template(self, path, content, place):
        """Render a template file of the project or a role, as ansible.builtin.template does.

        Raises:
            Unresolved: Ansible cannot render it; its words are in the text.
        """
        # A first line of settings for Jinja2 must stay the first line.
        head, rest = content.split("\n", 1) if content.startswith("#jinja2:") else ("", content)
        source = (head + "\n" if head else "") + PRELUDE + rest
        folder = os.path.dirname(path)
        names = self._names if trust_as_template else wrap_var(self._names)
        variables = dict(self._task_vars, **names)
        templar = self._templar.copy_with_new_env(searchpath=[folder], available_variables=variables)
        settings = {"escape_backslashes": False, "overrides": {"trim_blocks": True}}
        try:
            if trust_as_template:
                return str(templar.template(trust_as_template(source), **settings))
            return str(templar.template(source, convert_data=False, preserve_trailing_newlines=True, **settings))
        except (AnsibleError, TemplateError) as problem:
            raise Unresolved("%s: %s" % (place, problem))
