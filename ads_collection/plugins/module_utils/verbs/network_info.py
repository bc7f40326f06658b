# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads networks, how full they are, and who has their addresses."""

from __future__ import annotations

from fnmatch import fnmatchcase

ARGUMENTS = dict(
    names=dict(type="list", elements="str", default=[]),
    space=dict(type="str"),
    datacenter=dict(type="str"),
    vlan=dict(type="int"),
    owner=dict(type="str"),
    role=dict(type="str", choices=["user", "reserve", "container"]),
    zone=dict(type="str"),
    tags=dict(type="dict", default={}),
    addresses=dict(type="bool", default=False),
    free=dict(type="int", default=0),
)

RULES = dict()


def run(ads, params, check_mode):
    """Return the networks that fit, by space and prefix."""
    filters = {key: params[key] for key in ("space", "datacenter", "vlan", "owner", "role", "zone")}
    tags = {str(key): str(value) for key, value in params["tags"].items()}
    found = [
        dict(network)
        for network in ads.networks.list(tags=tags, **filters)
        if not params["names"] or any(fnmatchcase(network["name"], pattern) for pattern in params["names"])
    ]
    for network in found:
        if params["addresses"]:
            network["addresses"] = [dict(each) for each in ads.addresses.list(network=network["name"])]
        if params["free"]:
            network["free_addresses"] = ads.addresses.free(network["name"], count=params["free"])["addresses"]
            network["vacant"] = list(ads.networks.show(network["name"])["vacant"])
    return dict(changed=False, networks=found)
