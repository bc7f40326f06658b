# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of the module component, for the module and for its action."""

from __future__ import annotations


def _texts(required, optional=()):
    fields = {name: {"type": "str", "required": True} for name in required}
    fields.update({name: {"type": "str"} for name in optional})
    return fields


FILE = dict(
    _texts(["path"], ["content", "template", "source", "owner", "group"]),
    mode={"type": "str", "default": "0644"},
    secret={"type": "bool", "default": False},
    validate={"type": "str"},
    on_change={"type": "str", "choices": ["auto", "restart", "reload", "nothing"], "default": "auto"},
    reload={"type": "str"},
)
PROCESS = dict(
    _texts(["command"], ["name", "user", "directory", "reload"]),
    environment={"type": "dict", "default": {}},
    leaves={"type": "list", "elements": "str", "default": []},
    secret={"type": "bool", "default": False},
)
COMPONENT = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "packages": {"type": "list", "elements": "dict", "options": _texts(["name"], ["version"])},
    "archive": {
        "type": "dict",
        "options": dict(_texts(["url", "sha256", "directory"]), strip={"type": "int", "default": 0}),
    },
    "git": {"type": "dict", "options": _texts(["url", "commit", "directory"])},
    "folder": {"type": "dict", "options": _texts(["path", "directory"])},
    "files": {
        "type": "list",
        "elements": "dict",
        "options": FILE,
        "mutually_exclusive": [["content", "template", "source"]],
        "required_one_of": [["content", "template", "source"]],
    },
    "process": {"type": "dict", "options": PROCESS},
    "vars": {"type": "dict"},
}
ARGUMENTS = {
    "instance": {"type": "dict", "required": True},
    "component": {"type": "dict", "options": COMPONENT},
    "state": {"type": "str", "choices": ["present", "stopped", "absent"], "default": "present"},
    "configurations": {"type": "dict", "default": {}},
    "members": {"type": "dict", "default": {}},
    "variables": {"type": "dict", "default": {}},
    "root": {"type": "str", "default": ""},
    "address": {"type": "str", "default": ""},
    "python": {"type": "str", "default": "/usr/bin/python3"},
    "capabilities": {"type": "list", "elements": "str", "default": []},
    "init_socket": {"type": "path"},
    "project": {"type": "path"},
    "lock_timeout": {"type": "int", "default": 60},
    "prepared": {"type": "dict"},
}
