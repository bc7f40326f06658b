# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of the pool: added, changed, removed, started, stopped, rebooted; many in one task."""

from __future__ import annotations

from ansible_collections.ads.deploy.plugins.module_utils import library
from ansible_collections.ads.deploy.plugins.module_utils.differences import difference

DESCRIBED = dict(
    name=dict(type="str", required=True),
    address=dict(type="str"),
    size=dict(type="str"),
    os=dict(type="str"),
    location=dict(type="str"),
    user=dict(type="str"),
    port=dict(type="int"),
    key=dict(type="str", no_log=False),
    become=dict(type="str"),
    kind=dict(type="str", choices=["container", "metal", "process", "vm"]),
    gateway=dict(type="str"),
    python=dict(type="str"),
    connection=dict(type="str", choices=["local", "ssh"]),
    root=dict(type="str"),
    labels=dict(type="dict"),
    variables=dict(type="dict"),
    capabilities=dict(type="list", elements="str", choices=["packages", "systemd"]),
    host_key=dict(type="str", no_log=False),
)

ARGUMENTS = dict(
    machines=dict(type="list", elements="dict", required=True, options=DESCRIBED),
    state=dict(
        type="str", choices=["present", "absent", "started", "stopped", "rebooted", "released"], default="present"
    ),
    trust_first_contact=dict(type="bool", default=False),
)

RULES = dict()


def run(ads, params, check_mode):
    """Do it to every machine; nothing is done if it is plain beforehand that one of them will not do."""
    act = _acts(ads, params)
    twice = sorted(
        {m["name"] for m in params["machines"] if sum(m["name"] == o["name"] for o in params["machines"]) > 1}
    )
    if twice:
        return dict(failed=True, msg="machine '{0}' is named more than once".format(twice[0]), code="invalid")
    outcomes, problems = _each(act, params["machines"], dry_run=True)
    acted = not (problems or check_mode)
    if acted:
        outcomes, problems = _each(act, params["machines"], dry_run=False)
    changed = [(name, outcome) for name, outcome in outcomes if outcome.changed and (acted or not problems)]
    result = dict(
        changed=bool(changed),
        msg="; ".join(outcome.message for name, outcome in outcomes),
        machines=[dict(outcome.after) for name, outcome in outcomes if outcome.after],
    )
    if changed:
        result["diff"] = [difference("machine " + name, outcome.before, outcome.after) for name, outcome in changed]
    if problems:
        said = [dict(message=p.message, place=p.place, remedy=p.remedy) for code, p in problems]
        told = "\n".join(str(p) for code, p in problems)
        result.update(failed=True, msg=told, code=problems[0][0], problems=said)
    return result


def _acts(ads, params):
    """What is done to one machine, as a function of its description and of whether it is only tried."""
    names = dict(absent="remove", started="start", stopped="stop", rebooted="reboot", released="release")
    if params["state"] in names:
        use = getattr(ads.machines, names[params["state"]])
        return lambda described, dry_run: use(described["name"], dry_run=dry_run)

    def add(described, dry_run):
        said = {key: value for key, value in described.items() if key != "host_key" and value is not None}
        if "capabilities" in said:
            said["capabilities"] = frozenset(said["capabilities"])
        if "labels" in said:
            said["labels"] = {str(key): str(value) for key, value in said["labels"].items()}
        trust = dict(host_key=described["host_key"] or "", trust_first_contact=params["trust_first_contact"])
        return ads.machines.add(library.adslib.MachineSpec(**said), dry_run=dry_run, **trust)

    return add


def _each(act, machines, dry_run):
    """Act on every machine, also after one failed; return (name, outcome) pairs, and (code, problem) pairs."""
    outcomes, problems = [], []
    for described in machines:
        outcome, wrong = _one(act, described, dry_run)
        problems += wrong
        if outcome:
            outcomes.append((described["name"], outcome))
    return outcomes, problems


def _one(act, described, dry_run):
    try:
        return act(described, dry_run), []
    except library.adslib.AdsError as error:
        return None, [(error.code, problem) for problem in error.problems]
