"""Templates: they fix a part, leave a part open, and environments made from them stay within that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adslib.adapters import documents
from adslib.adapters.documents import Draft
from adslib.domain.actor import Permission
from adslib.domain.environment import Origin
from adslib.domain.errors import AdsError, Conflict, Forbidden, Invalid, NotFound
from adslib.usecases.ads import Ads

DOCUMENT = """
environment: shop
parameters:
  version: {type: str, default: "1.0"}
components: {web: {version: "{{ version }}"}}
services:
  web: {component: web, instances: 1, machine: {size: small}}
datacenters: {west: {}}
pods:
"""
OPEN = ("pods/*", "services/web/instances")
PODS = {"pods": {"one": {"units": {"west": {"services": ["web"]}}}}}


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    """A document with a gap: its pods are for the user to fill in."""
    path = tmp_path / "shop.yml"
    path.write_text(DOCUMENT)
    return documents.collect(path)


@pytest.fixture
def template(ads: Ads, draft: Draft) -> str:
    """The name of a template made of it."""
    ads.templates.create("golden", draft, open_paths=OPEN, description="for shops")
    return "golden"


@pytest.mark.req("A4")
def test_create_show_list_delete(ads: Ads, template: str, tmp_path: Path) -> None:
    shown = ads.templates.show(template)
    assert shown["open"] == list(OPEN)
    assert shown["missing"] == ["pods"]
    assert shown["path"] == str(tmp_path / "shop.yml")
    assert shown["created_by"] == "ann"
    assert [row["name"] for row in ads.templates.list()] == ["golden"]
    assert ads.templates.delete(template, dry_run=True).changed is True
    assert ads.templates.delete(template).changed is True
    assert ads.templates.delete(template).changed is False
    with pytest.raises(NotFound, match="no template 'golden'"):
        ads.templates.show(template)
    assert [event["text"] for event in ads.events.list()] == ["template 'golden' deleted", "template 'golden' created"]


@pytest.mark.req("A4")
def test_define_changes_only_what_differs(ads: Ads, template: str, draft: Draft) -> None:
    assert ads.templates.define(template, draft, open_paths=OPEN, description="for shops").changed is False
    with pytest.raises(Conflict, match="there is a template 'golden' already"):
        ads.templates.create(template, draft, open_paths=OPEN)
    wider = ads.templates.define(template, draft, open_paths=(*OPEN, "components/**"), description="for shops")
    assert (wider.changed, wider.before["open"]) == (True, list(OPEN))
    assert ads.templates.show(template)["open"] == [*OPEN, "components/**"]


@pytest.mark.parametrize(
    ("name", "paths", "said"),
    [
        ("Golden!", OPEN, "no name for a template"),
        ("golden", (), "leaves nothing open"),
        ("golden", ("pods//x",), "is no open path"),
        ("golden", ("**/pods",), "is no open path"),
        ("golden", ("service/web",), r"'service/web' opens nothing: there is no 'service' at .*mean 'services'"),
        ("golden", ("services/wbe/instances",), "there is no 'wbe' in services. Did you mean 'web'"),
        ("golden", ("services/*/vars", "pods/*"), r"there is no 'vars' in services/\*. Name it in the document"),
    ],
)
def test_wrong_templates(ads: Ads, draft: Draft, name: str, paths: tuple[str, ...], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        ads.templates.create(name, draft, open_paths=paths)
    assert ads.templates.list() == []


def test_a_document_without_gaps_is_checked(ads: Ads) -> None:
    tree = {"environment": "shop", "services": {"web": {"component": "nowhere"}}, "parameters": {"n": {"type": "int"}}}
    with pytest.raises(Invalid, match="nowhere"):
        ads.templates.create("golden", Draft(tree, {}, Origin()), open_paths=["services"])
    assert ads.templates.list() == []


@pytest.mark.req("A4")
def test_the_document_of_a_template_is_told_by_file_and_line(ads: Ads, tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text("environment: shop\nservices:\n  web: {component: nowhere}\n")
    with pytest.raises(Invalid, match=r"shop.yml:3 services.web.component: there is no component 'nowhere'"):
        ads.templates.create("golden", documents.collect(path), open_paths=["services"])


@pytest.mark.req("A4")
def test_an_edit_may_bring_what_the_template_itself_has_changed(ads: Ads, template: str, draft: Draft) -> None:
    ads.templates.instantiate(template, "north", fill=PODS)
    newer = Draft({**draft.tree, "components": {"web": {"version": "7"}}}, {}, draft.origin)
    ads.templates.define(template, newer, open_paths=OPEN)
    ads.environments.edit("north", ads.templates.filled(template, "north", fill=PODS))
    assert ads.environments.document("north").definition.components["web"].version == "7"


@pytest.mark.req("A4")
def test_instantiate_fills_what_is_open_and_remembers_the_template(ads: Ads, template: str) -> None:
    made = ads.templates.instantiate(template, "north", fill=PODS, parameters={"version": "2.0"})
    assert made.after["name"] == "north"
    document = ads.environments.document("north")
    assert document.definition.environment == "north"
    assert document.definition.components["web"].version == "2.0"
    assert ads.environments.history("north")[0]["template"] == template
    assert ads.templates.used_by(template) == ["north"]
    assert ads.environments.show("north")["state"] == "not-deployed"


@pytest.mark.req("A4")
@pytest.mark.parametrize(
    ("fill", "said"),
    [
        ({}, "leaves this to you"),
        ({**PODS, "datacenters": {"east": {}}}, "fixes this"),
        ({**PODS, "services": {"web": {"machine": {"size": "large"}}}}, "fixes this"),
        ({"pods": {"one": {"units": {"moon": {"services": ["web"]}}}}}, "moon"),
    ],
)
def test_filling_it_wrongly_makes_nothing(ads: Ads, template: str, fill: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        ads.templates.instantiate(template, "north", fill=fill)
    assert ads.environments.list() == []


def test_a_dry_run_makes_nothing(ads: Ads, template: str, draft: Draft) -> None:
    assert ads.templates.instantiate(template, "north", fill=PODS, dry_run=True).changed is True
    assert ads.templates.create("other", draft, open_paths=OPEN, dry_run=True).changed is True
    assert ads.environments.list() == []
    assert [row["name"] for row in ads.templates.list()] == ["golden"]


@pytest.mark.req("A4")
def test_edits_of_what_was_made_stay_within_what_is_open(ads: Ads, template: str) -> None:
    ads.templates.instantiate(template, "north", fill=PODS)
    tree = ads.environments.document("north").tree
    more = {**tree, "services": {"web": {**tree["services"]["web"], "instances": 3}}}
    assert ads.environments.edit("north", documents.restored(more, {})).changed is True
    fixed = {**more, "components": {"web": {"version": "9"}}}
    with pytest.raises(Invalid, match="template 'golden' fixes this"):
        ads.environments.edit("north", documents.restored(fixed, {}))
    assert ads.environments.show("north")["revision"] == 2


@pytest.mark.req("A4")
def test_save_an_environment_as_template(ads: Ads, define: Callable[..., None]) -> None:
    define("shop", count=3)
    saved = ads.templates.save_as("shop", "from-shop", open_paths=["parameters/**", "services/**"])
    assert saved.changed is True
    shown = ads.templates.show("from-shop")
    assert shown["description"] == "saved from environment shop"
    # What was given to the environment is what the next one starts with.
    assert shown["tree"]["parameters"]["count"]["default"] == 3
    ads.templates.instantiate("from-shop", "copy")
    assert ads.environments.document("copy").definition.services["web"].instances == 3
    with pytest.raises(Conflict):
        ads.templates.save_as("shop", "from-shop", open_paths=["services/**"])
    assert ads.templates.save_as("shop", "from-shop", open_paths=["services/**"], replace=True).changed is True


@pytest.mark.req("A4")
def test_a_required_parameter_gets_the_value_of_the_environment(ads: Ads, tmp_path: Path) -> None:
    path = tmp_path / "strict.yml"
    path.write_text(DOCUMENT.replace('{type: str, default: "1.0"}', "{type: str, required: true}").replace("pods:", ""))
    ads.environments.create(documents.load(path, {"version": "2.0"}))
    ads.templates.save_as("shop", "strict", open_paths=["services/**"])
    assert ads.templates.show("strict")["tree"]["parameters"] == {"version": {"type": "str", "default": "2.0"}}


@pytest.mark.req("A4")
def test_a_clone_is_as_open_as_what_it_was_cloned_from(ads: Ads, template: str) -> None:
    ads.templates.instantiate(template, "first", fill=PODS)
    ads.environments.clone("first", "second")
    written = ads.environments.document("second").tree
    fixed = {**written, "components": {"web": {"version": "9.9"}}}
    for name in ("first", "second"):
        with pytest.raises(AdsError, match="template 'golden' fixes this"):
            ads.environments.edit(name, documents.restored({**fixed, "environment": name}, {}))


@pytest.mark.req("A20")
def test_another_tenants_templates_do_not_exist(
    ads: Ads, template: str, draft: Draft, acting: Callable[..., Ads]
) -> None:
    most = set(Permission) - {Permission.ADMINISTER}
    other = acting("mallory", tenant="other", permissions=most)
    assert other.templates.list() == []
    assert other.templates.delete(template).changed is False
    refused: list[Callable[[], object]] = [
        lambda: other.templates.show(template),
        lambda: other.templates.instantiate(template, "north", fill=PODS),
        lambda: other.templates.define(template, draft, open_paths=OPEN),
    ]
    for attempt in refused:
        with pytest.raises(AdsError):
            attempt()
    assert ads.templates.show(template)["generation"] == 0
    with pytest.raises(Forbidden):
        acting("eve", permissions={Permission.VIEW}).templates.delete(template)
