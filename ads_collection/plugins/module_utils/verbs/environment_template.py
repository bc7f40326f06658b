# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A template: a definition that fixes a part and leaves a part to the user."""

from __future__ import annotations

from ansible_collections.ads.deploy.plugins.module_utils import definitions, library
from ansible_collections.ads.deploy.plugins.module_utils.differences import difference

ARGUMENTS = dict(
    name=dict(type="str", required=True),
    state=dict(type="str", choices=["present", "absent"], default="present"),
    definition=dict(type="raw"),
    environment=dict(type="str"),
    open=dict(type="list", elements="str"),
    description=dict(type="str", default=""),
)

RULES = dict(
    mutually_exclusive=[("definition", "environment")],
    required_if=[("state", "present", ["definition", "environment"], True), ("state", "present", ["open"])],
)

COMPARED = ("open", "description", "tree")


def prepare(params, task_vars):
    """On the controller: the definition is found as Ansible finds files."""
    definitions.locate(params, task_vars)


def run(ads, params, check_mode):
    """Make, change or remove the template."""
    mistake = definitions.wrong(params["definition"])
    if mistake:
        return dict(failed=True, msg=mistake, code="invalid")
    name = params["name"]
    before = _seen(ads, name)
    if params["state"] == "absent":
        outcome = ads.templates.delete(name, dry_run=check_mode)
        after, tree = {}, {}
    else:
        outcome, tree = _present(ads, params, check_mode)
        after = dict(outcome.after) if check_mode else _seen(ads, name)
        after.setdefault("tree", tree)
    result = dict(changed=outcome.changed, msg=outcome.message, template=after)
    if outcome.changed:
        shown = [{key: state[key] for key in COMPARED} if state else {} for state in (before, after)]
        result["diff"] = difference("template " + name, *shown)
    return result


def _seen(ads, name):
    there = any(known["name"] == name for known in ads.templates.list())
    return dict(ads.templates.show(name)) if there else {}


def _present(ads, params, check_mode):
    said = dict(open_paths=params["open"], description=params["description"], dry_run=check_mode)
    if params["definition"] is None:
        outcome = ads.templates.save_as(params["environment"], params["name"], replace=True, **said)
        return outcome, ads.environments.document(params["environment"]).tree
    draft = library.adslib.collect(definitions.source(params["definition"]))
    return ads.templates.define(params["name"], draft, **said), draft.tree
