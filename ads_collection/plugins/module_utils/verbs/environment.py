# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment: defined, planned, deployed, live, stopped, undeployed, absent."""

from __future__ import annotations

from ansible_collections.ads.deploy.plugins.module_utils import definitions, library, lifecycle
from ansible_collections.ads.deploy.plugins.module_utils.differences import difference

ARGUMENTS = dict(
    name=dict(type="str"),
    state=dict(
        type="str",
        choices=["present", "absent", "planned", "deployed", "live", "stopped", "undeployed"],
        default="present",
    ),
    definition=dict(type="raw"),
    parameters=dict(type="dict"),
    template=dict(type="str"),
    fill=dict(type="dict"),
    clone_of=dict(type="str"),
    project=dict(type="str"),
    comment=dict(type="str", default=""),
    plan=dict(type="str", default=""),
    save_plan=dict(type="bool", default=False),
    everything=dict(type="bool", default=False),
    abandon=dict(type="bool", default=False),
    discard=dict(type="bool", default=False),
    patience=dict(type="int"),
    despite_failed_tests=dict(type="str", default=""),
)

RULES = dict(
    mutually_exclusive=[("definition", "template", "clone_of")],
    required_one_of=[("name", "definition")],
    required_by=dict(template=["name"], clone_of=["name"], fill=["template"]),
)


def prepare(params, task_vars):
    """On the controller: a definition is found as Ansible finds files; one in a playbook has its project there."""
    definitions.locate(params, task_vars)
    given = params.get("definition")
    if isinstance(given, dict) and not params.get("project") and not given.get("project"):
        params["project"] = task_vars.get("playbook_dir")


def run(ads, params, check_mode):
    """Bring the environment to its state; in check mode say what would be done."""
    mistake = definitions.wrong(params["definition"]) or _useless(params)
    if mistake:
        return dict(failed=True, msg=mistake, code="invalid")
    document = _document(params)
    name = params["name"] or document.definition.environment
    there = any(known["name"] == name for known in ads.environments.list())
    tree = ads.environments.document(name).tree if there else {}
    result = lifecycle.Result(ads, name, there, check_mode)
    if params["state"] == "absent":
        result.note(ads.environments.delete(name, dry_run=check_mode))
        if result.changed:
            result.diff.append(difference("definition of " + name, tree, {}))
        return result.data()
    defined = _define(ads, params, document, name, there, check_mode)
    proposed = None
    if defined:
        result.note(defined)
        if defined.changed:
            now = _defined(ads, params, document, name, there, check_mode)
            proposed = now if check_mode else None
            result.diff.append(difference("definition of " + name, tree, dict(now.tree, environment=name)))
    if params["state"] != "present":
        lifecycle.bring(result, params, proposed)
    return result.data()


def _document(params):
    given = definitions.source(params["definition"])
    if given is None:
        return None
    if isinstance(given, dict) and params["project"]:
        given = dict(given, project=params["project"])
    return library.adslib.load(given, params["parameters"])


def _useless(params):
    """What is said that could have no effect; empty if nothing."""
    if params["parameters"] and not (params["definition"] or params["template"]):
        return "parameters are for a definition or a template, and none is given"
    if params["plan"] and params["state"] not in ("deployed", "live"):
        return "plan is for state deployed or live"
    if params["abandon"] and params["state"] not in ("deployed", "live", "undeployed"):
        return "abandon is for state deployed, live or undeployed"
    if params["discard"] and params["state"] not in ("deployed", "live"):
        return "discard is for state deployed or live"
    if params["state"] in ("absent", "stopped", "undeployed") and params["template"]:
        return "template is for making an environment, not for state {0}".format(params["state"])
    return ""


def _define(ads, params, document, name, there, check_mode):
    """Make the definition what the task says; None: it says nothing about it."""
    said = dict(comment=params["comment"], dry_run=check_mode)
    if document is not None:
        if there:
            return ads.environments.edit(name, document, **said)
        return ads.environments.create(document, name=name, **said)
    if params["template"]:
        if there:
            _refuse_other_template(ads, params["template"], name)
            if not (params["fill"] or params["parameters"]):
                return None
            return ads.environments.edit(name, _filled(ads, params, name, there), **said)
        filled = dict(fill=params["fill"], parameters=params["parameters"])
        return ads.templates.instantiate(params["template"], name, **dict(filled, **said))
    if params["clone_of"] and not there:
        return ads.environments.clone(params["clone_of"], name, dry_run=check_mode)
    return None


def _filled(ads, params, name, there):
    """The document that the template and what is said make; without a fill, an environment keeps what it has."""
    given = params["parameters"] or {}
    if there and not params["fill"]:
        current = ads.environments.document(name)
        return library.adslib.load(current.tree, dict(current.parameters, **given))
    return ads.templates.filled(params["template"], name, fill=params["fill"], parameters=given)


def _refuse_other_template(ads, template, name):
    made_from = ads.environments.history(name)[0]["template"]
    if made_from != template:
        told = "made from template '{0}'".format(made_from) if made_from else "not made from a template"
        raise library.adslib.AdsError(
            "environment '{0}' exists and was {1}".format(name, told),
            remedy="leave template out and change it by its definition, or choose another name",
        )


def _defined(ads, params, document, name, there, check_mode):
    """The document of the environment as it is now, or in check mode as it would be."""
    if not check_mode:
        return ads.environments.document(name)
    if document is not None:
        return document
    if params["template"]:
        return _filled(ads, params, name, there)
    return ads.environments.document(params["clone_of"])
