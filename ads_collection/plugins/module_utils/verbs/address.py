# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and names: asked for and given back, many in one task, all of them or none."""

from __future__ import annotations

from ansible_collections.ads.deploy.plugins.module_utils import library
from ansible_collections.ads.deploy.plugins.module_utils.differences import difference

DESCRIBED = dict(
    key=dict(type="str", no_log=False),
    machine=dict(type="str"),
    service=dict(type="str"),
    environment=dict(type="str"),
    vlan=dict(type="int"),
    datacenter=dict(type="str"),
    network=dict(type="str"),
    space=dict(type="str"),
    version=dict(type="int", choices=[4, 6]),
    count=dict(type="int"),
    address=dict(type="bool"),
    name=dict(type="bool"),
    addresses=dict(type="list", elements="str"),
    names=dict(type="list", elements="str"),
    why=dict(type="str"),
)

ARGUMENTS = dict(
    addresses=dict(type="list", elements="dict", default=[], options=DESCRIBED),
    ids=dict(type="list", elements="str"),
    state=dict(type="str", choices=["present", "absent"], default="present"),
)

RULES = dict()

PLACES = ("vlan", "network", "space")
HOLDERS = ("machine", "environment", "service")


def run(ads, params, check_mode):
    """Ask for all that is described and not there, or give back all that is there."""
    if params["state"] == "present":
        if params["ids"] is not None:
            raise _mistake("ids name what is there", "describe what to ask for in addresses, or say state: absent")
        requests = [library.adslib.read_request(one) for one in params["addresses"]]
        outcome = ads.addresses.allocate_all(requests, keep=True, dry_run=check_mode)
        rows = outcome.after["addresses"]
    else:
        ids = [*(params["ids"] or ()), *(id for one in params["addresses"] for id in _held(ads, one))]
        outcome = ads.addresses.release(ids, missing_ok=True, dry_run=check_mode)
        rows = outcome.before["addresses"]
    result = dict(changed=outcome.changed, msg=outcome.message, addresses=[dict(row) for row in rows])
    if outcome.changed:
        sides = (dict(side).get("addresses", []) for side in (outcome.before, outcome.after))
        result["diff"] = [difference("addresses", *sides)]
    return result


def _held(ads, one):
    """The ids of what is there of one description."""
    if not (one["key"] or one["machine"] or one["environment"]):
        raise _mistake("it does not say whose address is to be released", "name a key, a machine or an environment")
    if one["key"]:
        rows = ads.addresses.by_key(one["key"])
    elif any(one[place] for place in PLACES):
        rows = ads.addresses.held(library.adslib.read_request(one))
    else:
        rows = ads.addresses.list(**{key: one[key] for key in HOLDERS})
    return [row["id"] for row in rows]


def _mistake(message, remedy):
    return library.adslib.AdsError(message, remedy=remedy, code="invalid")
