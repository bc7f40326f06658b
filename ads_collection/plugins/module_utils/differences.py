# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What --diff shows: plain data as YAML, before and after."""

from __future__ import annotations

import json


def as_yaml(data):
    """Data for people to compare; empty data gives no text at all."""
    if not data:
        return ""
    try:
        import yaml
    except ImportError:
        # On a host that lacks PyYAML: JSON, which is YAML too.
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return yaml.safe_dump(json.loads(json.dumps(data)), default_flow_style=False, allow_unicode=True, sort_keys=False)


def difference(name, before, after):
    """One entry of a diff."""
    return dict(before_header=name, after_header=name, before=as_yaml(before), after=as_yaml(after))
