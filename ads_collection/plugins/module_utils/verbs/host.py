# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a machine of a job into the running inventory."""

from __future__ import annotations

ARGUMENTS = dict(
    name=dict(type="str", required=True),
    groups=dict(type="list", elements="str", default=[]),
    stages=dict(type="list", elements="int", default=[]),
    variables=dict(type="dict", default={}),
    project=dict(type="path"),
    inherited=dict(type="dict", default={}),
)

RULES = dict()


def run(ads, params, check_mode):
    """Return what ansible-core adds to its inventory."""
    stages = ["ads_stage_%02d" % stage for stage in params["stages"]]
    variables = dict(params["inherited"], **params["variables"])
    added = dict(host_name=params["name"], groups=params["groups"] + stages, host_vars=variables)
    # What a project says may be a secret from a vault, and a result is shown at -v.
    return dict(changed=False, add_host=added, _ansible_no_log=bool(params["inherited"]))
