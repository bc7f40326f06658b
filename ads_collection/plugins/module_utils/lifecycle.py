# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing an environment to a state: what is to be done for it is decided here, and done by the library."""

from __future__ import annotations

from ansible_collections.ads.deploy.plugins.module_utils import library
from ansible_collections.ads.deploy.plugins.module_utils.differences import difference

STANDING = ("ready", "live")


class Result:
    """What came of a task so far.

    Args:
        ads: the open library. name: of the environment. there: whether it exists. check_mode: nothing is to be done.
    """

    def __init__(self, ads, name, there, check_mode):
        self.ads = ads
        self.name = name
        self.check_mode = check_mode
        self.before = dict(ads.environments.show(name)) if there else {}
        self.changed = False
        self.messages = []
        self.diff = []
        self.plan = None
        self.job = None
        self.after = {}

    def note(self, outcome):
        """Keep what a use case did."""
        self.changed = self.changed or outcome.changed
        self.messages.append(outcome.message)
        if outcome.plan is not None:
            self.plan = outcome.plan
            self.diff.append(dict(prepared="\n".join(outcome.plan.lines()) + "\n"))
        self.job = outcome.after.get("job") or self.job
        self.after = dict(self.before, **outcome.after) if outcome.after else {}

    def shown(self):
        """The environment as it is; empty: there is none."""
        there = any(known["name"] == self.name for known in self.ads.environments.list())
        return dict(self.ads.environments.show(self.name)) if there else {}

    def data(self):
        """The result of the task."""
        now = self.after if self.check_mode and self.changed else self.shown()
        said = {key: self.before.get(key) for key in ("state", "revision", "deployed_revision")} if self.before else {}
        is_now = {key: now.get(key) for key in ("state", "revision", "deployed_revision")} if now else {}
        if said != is_now:
            self.diff.append(difference("environment " + self.name, said, is_now))
        result = dict(changed=self.changed, msg="; ".join(self.messages), environment=now)
        if self.plan is not None:
            result["plan"] = dict(self.plan.as_data(), lines=self.plan.lines())
        if self.job is not None:
            result["job"] = dict(self.job)
        if self.diff and (self.changed or self.plan is not None):
            result["diff"] = self.diff
        return result


def bring(result, params, proposed):
    """Plan, deploy, take live, stop or undeploy, as far as it is not so already.

    Args:
        proposed: in check mode, the definition that it would have by then; None: the one that it has.

    Raises:
        AdsError: it cannot be done, or a job failed; with all causes.
    """
    if proposed is not None and params["state"] in ("planned", "deployed", "live"):
        _foreseen(result, params["state"], proposed)
        return
    target = params["state"]
    steps = dict(planned=_planned, deployed=_deployed, live=_live, stopped=_stopped, undeployed=_undeployed)
    steps[target](result, params)
    if not result.messages:
        result.messages.append("environment '{0}' is {1}".format(result.name, result.shown().get("state")))


def _foreseen(result, state, proposed):
    """Plan with a definition that is not stored.

    Raises:
        AdsError: what it asks for is not to be had.
    """
    result.plan = result.ads.environments.plan(result.name, proposed)
    result.diff.append(dict(prepared="\n".join(result.plan.lines()) + "\n"))
    if state != "planned":
        _refuse_blocked(result.name, result.plan)
    result.messages.append("then it would become {0}".format(state))


def _planned(result, params):
    save = params["save_plan"] and not result.check_mode
    result.plan = result.ads.environments.plan(result.name, save=save)
    refused = "it cannot be deployed: " if result.plan.blocked else ""
    result.messages.append("environment '{0}': {1}{2}".format(result.name, refused, "; ".join(result.plan.lines())))


def _deployed(result, params):
    state = result.ads.environments.show(result.name)["state"]
    # Bringing up to date what is live does not take it off live.
    _made_so(result, params, hold=state != "live")


def _live(result, params):
    _made_so(result, params, hold=False)
    if result.check_mode:
        if not result.changed and result.shown()["state"] == "ready":
            result.changed = True
            result.messages.append("environment '{0}' would go live".format(result.name))
        return
    now = result.shown()
    if now["state"] == "ready":
        tested = now["tests"] and not now["tests"]["failures"]
        if not tested and not params["despite_failed_tests"]:
            _job(result, result.ads.running.test(result.name, patience=params["patience"]))
        result.note(result.ads.environments.go_live(result.name, despite=params["despite_failed_tests"]))


def _made_so(result, params, hold):
    """Start it if it is stopped, and deploy what differs."""
    ads, name = result.ads, result.name
    if ads.environments.show(name)["state"] == "stopped":
        _job(result, ads.running.start(name, hold=hold, patience=params["patience"], dry_run=result.check_mode), params)
        if result.check_mode:
            return
    plan = ads.environments.plan(name)
    state = ads.environments.show(name)["state"]
    if plan.empty and state in STANDING and not params["everything"]:
        result.plan = plan
        return
    asked = {key: params[key] for key in ("everything", "abandon", "discard", "plan", "patience")}
    _job(result, ads.running.deploy(name, hold=hold, dry_run=result.check_mode, **asked), params)


def _stopped(result, params):
    if result.shown().get("state") != "stopped":
        asked = dict(patience=params["patience"], dry_run=result.check_mode)
        _job(result, result.ads.running.stop(result.name, **asked), params)


def _undeployed(result, params):
    if result.shown().get("state", "not-deployed") != "not-deployed":
        asked = dict(abandon=params["abandon"], patience=params["patience"], dry_run=result.check_mode)
        _job(result, result.ads.running.undeploy(result.name, **asked), params)


def _job(result, outcome, params=None):
    """Keep what a job did.

    Raises:
        AdsError: it failed, or its plan shows that it would be refused.
    """
    result.note(outcome)
    if outcome.plan is not None:
        _refuse_blocked(result.name, outcome.plan)
    job = outcome.after.get("job")
    if not job or job["state"] == "succeeded":
        return
    now = result.shown()
    failed_tests = (now.get("tests") or {}).get("failures") or []
    if failed_tests and not job["failures"] and params and params["despite_failed_tests"]:
        return
    causes = ["{0}: {1}".format(subject, cause) for subject, cause in sorted(job["failures"].items())]
    causes += ["test {0}".format(failure) for failure in failed_tests]
    raise library.adslib.AdsError(
        "{0}{1}".format(outcome.message, "".join("\n" + cause for cause in causes)),
        place="job {0}".format(outcome.job),
        remedy="mend it and run this again; the output is in {0}".format(job["artifacts"]),
    )


def _refuse_blocked(name, plan):
    if plan.blocked:
        raise library.adslib.AdsError(
            "environment '{0}' cannot be deployed: {1}".format(name, "; ".join(plan.lines())),
            remedy="add machines or a gateway, or ask for less; nothing is held",
        )
