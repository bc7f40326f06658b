# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a job, as the playbooks of this collection take them."""

from __future__ import annotations

from difflib import get_close_matches

from ansible_collections.ads.deploy.plugins.module_utils import instance_tasks

STEPS = ["reserve", "provide", "report", "remove", "rest", "return", "finish"]
KINDS = ["deploy", "undeploy", "test", "stop", "start"]

ARGUMENTS = dict(
    step=dict(type="str", required=True, choices=STEPS),
    environment=dict(type="str"),
    kind=dict(type="str", choices=KINDS, default="deploy"),
    job=dict(type="str"),
    attempt=dict(type="int"),
    go_live=dict(type="bool", default=True),
    everything=dict(type="bool", default=False),
    abandon=dict(type="bool", default=False),
    discard=dict(type="bool", default=False),
    plan=dict(type="str"),
    stages=dict(type="int", default=40),
    limited=dict(type="list", elements="str", default=[]),
    known=dict(type="list", elements="str", default=[]),
    stage=dict(type="int"),
    results=dict(type="dict", default={}),
    tests=dict(type="list", elements="dict", default=[]),
    kept=dict(type="dict", default={}),
    person=dict(type="int"),
    scratch=dict(type="path"),
    given=dict(type="list", elements="str", default=[]),
    working=dict(type="list", elements="int", default=[]),
    interpreter=dict(type="str", default="/usr/bin/python3"),
)

RULES = dict(
    required_if=[
        ("step", "report", ["job", "attempt", "stage"]),
        ("step", "provide", ["job", "attempt"]),
        ("step", "remove", ["job", "attempt"]),
        ("step", "rest", ["job", "attempt"]),
        ("step", "return", ["job", "attempt"]),
        ("step", "finish", ["job", "attempt"]),
    ],
)


def run(ads, params, check_mode):
    """Take one step."""
    steps = dict(reserve=_reserve, provide=_provide, report=_report, remove=_remove, rest=_rest, finish=_finish)
    return dict(steps, **{"return": _return})[params["step"]](ads, params, check_mode)


def _reserve(ads, params, check_mode):
    unknown = _unknown(params["given"], params["known"])
    if unknown:
        return dict(failed=True, msg=unknown, code="invalid")
    if not params["environment"]:
        return dict(failed=True, msg="say which environment: -e ads_environment=NAME", code="invalid")
    if params["limited"]:
        return dict(
            failed=True,
            msg="this run is limited by {0}: steps of the deployment would be left out, so nothing was begun. "
            "Run it without; to deploy a part, edit the definition".format(" and ".join(params["limited"])),
            code="limited",
        )
    needed = len(ads.environments.stages(params["environment"])) if params["kind"] == "deploy" else 0
    if needed > params["stages"]:
        text = "environment '{0}' has {1} stages and this run was started for {2}. Say -e ads_stages={1}"
        return dict(failed=True, msg=text.format(params["environment"], needed, params["stages"]), code="stages")
    given = {name: params[name] for name in ("abandon", "discard")}
    options = dict(given, hold=not params["go_live"], all=params["everything"])
    begun = ads.playbooks.begin(
        params["environment"],
        params["kind"],
        job_id=params["job"] or "",
        person=params["person"] or 0,
        options=options,
        expected_plan=params["plan"] or "",
        dry_run=check_mode,
    )
    return dict(changed=bool(begun["plan"]["actions"]), **begun)


def _unknown(given, known):
    """What to say of extra variables that look like ours and that nobody reads; empty if there is none."""
    wrong = sorted(name for name in given if known and name.startswith("ads_") and name not in known)
    near = {name: get_close_matches(name, known, n=1) for name in wrong}
    said = ["'{0}'".format(name) + "".join(" (did you mean '{0}'?)".format(n) for n in near[name]) for name in wrong]
    if not said:
        return ""
    text = "this playbook has no variable {0}, so nothing was begun. There are: {1}"
    return text.format(" and ".join(said), ", ".join(known))


def _provide(ads, params, check_mode):
    lines, failures = [], {}
    if check_mode:
        hosts = ads.jobs.hosts(params["environment"])
    else:
        hosts, failures = ads.jobs.provide(params["job"], params["attempt"], lines.append)
    for host in hosts:
        host["groups"] += _plays(host["variables"])
        if params["scratch"]:
            instance_tasks.write(params["scratch"], host)
    return dict(changed=bool(lines), hosts=hosts + [_this_host(hosts, params)], failures=failures, lines=lines)


def _plays(variables):
    """The groups of the plays that a host takes part in, beside its stages."""
    wanted = dict(
        ads_waiting=variables["ansible_connection"] == "ssh",
        ads_leaving=variables.get("ads_removals"),
        ads_tested=variables.get("ads_tests"),
    )
    return [group for group, yes in wanted.items() if yes]


def _this_host(hosts, params):
    """The controller, in every play: where all hosts of a play are lost, Ansible would leave all later plays out."""
    groups = {group for host in hosts for group in _plays(host["variables"])}
    variables = dict(ansible_connection="local", ansible_python_interpreter=params["interpreter"], ads_instances=[])
    return dict(name="localhost", groups=sorted(groups), stages=params["working"], variables=variables)


def _report(ads, params, check_mode):
    if check_mode:
        return dict(changed=False, blocked=[])
    return dict(blocked=ads.jobs.report(params["job"], params["attempt"], params["stage"], params["results"]))


def _remove(ads, params, check_mode):
    if not check_mode:
        ads.jobs.removed(params["job"], params["attempt"], params["results"])
    return dict()


def _rest(ads, params, check_mode):
    lines = []
    failures = {} if check_mode else ads.jobs.rest(params["job"], params["attempt"], lines.append)
    return dict(changed=bool(lines), failures=failures, lines=lines)


def _return(ads, params, check_mode):
    lines = []
    failures = {} if check_mode else ads.jobs.give_back(params["job"], params["attempt"], lines.append)
    return dict(changed=bool(lines), failures=failures, lines=lines)


def _finish(ads, params, check_mode):
    if check_mode:
        return dict(msg="nothing was changed")
    outcome = ads.jobs.finish(params["job"], params["attempt"], tests=params["tests"], kept=params["kept"])
    last = outcome.after["last_job"]
    failed = last["state"] != "succeeded"
    return dict(msg=outcome.message, failed=failed, environment=dict(outcome.after), failures=last["failures"])
