# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks: added, changed and removed, many in one task, all of them or none."""

from __future__ import annotations

from ansible_collections.ads.deploy.plugins.module_utils.differences import difference

DESCRIBED = dict(
    name=dict(type="str", required=True),
    prefix=dict(type="str"),
    within=dict(type="str"),
    space=dict(type="str"),
    role=dict(type="str", choices=["user", "reserve", "container"]),
    # As text, since a number cannot be empty.
    vlan=dict(type="str"),
    vxlan=dict(type="str"),
    lan=dict(type="str"),
    datacenter=dict(type="str"),
    owner=dict(type="str"),
    tenant=dict(type="str"),
    position=dict(type="int"),
    gateway=dict(type="str"),
    resolvers=dict(type="list", elements="str"),
    mtu=dict(type="str"),
    zone=dict(type="str"),
    pattern=dict(type="str"),
    cooldown=dict(type="int"),
    held=dict(type="list", elements="str"),
    tags=dict(type="dict"),
)

ARGUMENTS = dict(
    networks=dict(type="list", elements="dict", required=True, options=DESCRIBED),
    state=dict(type="str", choices=["present", "absent"], default="present"),
)

RULES = dict()


def run(ads, params, check_mode):
    """Put the networks there as described, or take them away."""
    if params["state"] == "absent":
        outcome = ads.networks.remove_all([one["name"] for one in params["networks"]], dry_run=check_mode)
    else:
        outcome = ads.networks.put_all(params["networks"], dry_run=check_mode)
    before, after = (_by_id(side.get("networks", [])) for side in (outcome.before, outcome.after))
    result = dict(changed=outcome.changed, msg=outcome.message, networks=list(after.values()))
    differing = [id for id in dict(before, **after) if before.get(id) != after.get(id)]
    if differing:
        result["diff"] = [
            difference("network " + (after.get(id) or before[id])["name"], before.get(id), after.get(id))
            for id in differing
        ]
    return result


def _by_id(networks):
    return {one["id"]: dict(one) for one in networks}
