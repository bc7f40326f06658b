# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the pool."""

from __future__ import annotations

from fnmatch import fnmatchcase

ARGUMENTS = dict(
    names=dict(type="list", elements="str", default=[]),
    gateway=dict(type="str", default=""),
    location=dict(type="str", default=""),
    state=dict(type="str", choices=["creating", "running", "stopped", "failed", "deleting", "unknown"]),
    os=dict(type="str", default=""),
    size=dict(type="str", default=""),
    environment=dict(type="str", default=""),
    availability=dict(
        type="str",
        choices=["available", "partly available", "unavailable", "deployed", "on request", "quarantined"],
    ),
    free=dict(type="bool"),
    text=dict(type="str", default=""),
    details=dict(type="bool", default=False),
)

RULES = dict()


def run(ads, params, check_mode):
    """Return the machines that fit, by name, and the whole pool in numbers."""
    found = ads.machines.list(
        holder=params["environment"],
        state=params["state"] or "",
        availability=params["availability"] or "",
        free=params["free"],
        **{key: params[key] for key in ("gateway", "location", "os", "size", "text")},
    )
    chosen = [
        machine
        for machine in found
        if not params["names"] or any(fnmatchcase(machine["name"], pattern) for pattern in params["names"])
    ]
    if params["details"]:
        chosen = [ads.machines.show(machine["name"]) for machine in chosen]
    return dict(changed=False, machines=[dict(machine) for machine in chosen], summary=dict(ads.machines.summary()))
