# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads environments."""

from __future__ import annotations

from fnmatch import fnmatchcase

ARGUMENTS = dict(
    names=dict(type="list", elements="str", default=[]),
    states=dict(type="list", elements="str", default=[]),
    plan=dict(type="bool", default=False),
    definition=dict(type="bool", default=False),
    history=dict(type="bool", default=False),
)

RULES = dict()


def run(ads, params, check_mode):
    """Return the environments that fit, by name."""
    fitting = [known["name"] for known in ads.environments.list() if _fits(known, params)]
    return dict(changed=False, environments=[_shown(ads, params, name) for name in fitting])


def _fits(known, params):
    named = not params["names"] or any(fnmatchcase(known["name"], pattern) for pattern in params["names"])
    return named and (not params["states"] or known["state"] in params["states"])


def _shown(ads, params, name):
    shown = dict(ads.environments.show(name))
    if params["plan"]:
        plan = ads.environments.plan(name)
        shown["plan"] = dict(plan.as_data(), lines=plan.lines())
    if params["definition"]:
        shown["definition"] = ads.environments.document(name).tree
    if params["history"]:
        shown["history"] = [dict(revision) for revision in ads.environments.history(name)]
    return shown
