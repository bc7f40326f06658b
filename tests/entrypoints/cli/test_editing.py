"""`ads environment edit`: by a file, by parameters, in an editor, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import SHOP, Run


@pytest.mark.req("A2", "A4")
def test_edit_diff_history(run: Run, shop: str, tmp_path: Path) -> None:
    run("environment", "create", shop)
    assert "as defined" in run("environment", "edit", "shop", shop).out
    edited = tmp_path / "other.yml"
    edited.write_text(SHOP.replace("size: small", "size: large"))
    run("environment", "edit", "shop", str(edited), "--dry-run")
    assert [r["revision"] for r in run("environment", "history", "shop", "--format", "json").data] == [1]
    run("environment", "edit", "shop", str(edited), "--comment", "bigger")
    assert [r["revision"] for r in run("environment", "history", "shop", "--format", "json").data] == [2, 1]
    assert run("environment", "diff", "shop").out == 'services.web.machine.size\n- "small"\n+ "large"\n'
    (change,) = run("environment", "diff", "shop", "1", "2", "--format", "json").data
    assert list(change) == list(FIELDS["environment diff"])
    assert (change["kind"], change["before"]) == ("changed", "small")
    assert run("environment", "diff", "shop", "2", "2").err == "Nothing differs.\n"


def test_edit_by_parameters_alone(run: Run, shop: str) -> None:
    run("environment", "create", shop, "-p", "version=2.0")
    run("environment", "edit", "shop", "-p", "count=3")
    counts = run("environment", "plan", "shop", "--format", "json").data["counts"]
    assert counts == {"create": 3, "deploy": 3}
    assert "web 2.0" in run("environment", "plan", "shop").out


@pytest.mark.parametrize("variable", ["EDITOR", "VISUAL"])
def test_edit_in_the_editor(run: Run, shop: str, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    run("environment", "create", shop)
    assert "there is no editor" in run("environment", "edit", "shop", expect=2).err
    monkeypatch.setenv(variable, "sed -i 's/size: small/size: large/'")
    run("environment", "edit", "shop")
    assert "size: large" in run("environment", "export", "shop").out


def test_an_editor_that_fails_or_breaks_the_document(
    run: Run, shop: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("environment", "create", shop)
    monkeypatch.setenv("EDITOR", "false")
    assert "exit code 1" in run("environment", "edit", "shop", expect=1).err
    monkeypatch.setenv("EDITOR", "no-such-editor-anywhere")
    assert "cannot be started" in run("environment", "edit", "shop", expect=1).err
    assert list(tmp_path.glob("ads-edit-*")) == [], "nobody wrote anything"
    monkeypatch.setenv("EDITOR", "sed -i 's/component: web/component: nowhere/'")
    err = run("environment", "edit", "shop", expect=2).err
    kept = Path(err.split("kept in ")[1].split(";")[0])
    assert "component: nowhere" in kept.read_text()
    assert list(tmp_path.glob("ads-edit-*")) == [kept.parent]
    assert run("environment", "show", "shop", "--format", "json").data["revision"] == 1


@pytest.mark.req("A4")
def test_what_filled_a_template_is_changed_and_given_again(run: Run, shop: str, tmp_path: Path) -> None:
    run("template", "create", "golden", shop, "--open", "services/web/instances", "--open", "parameters/**")
    fill = tmp_path / "fill.yml"
    fill.write_text("environment: south\nservices: {web: {instances: 2}}\n")
    run("environment", "create", str(fill), "--template", "golden", "-p", "version=2.0")
    assert "is as defined" in run("environment", "edit", "south", str(fill)).out
    fill.write_text("environment: south\nservices: {web: {instances: 3}}\n")
    assert "web-3" in run("environment", "plan", "south", str(fill)).out
    run("environment", "edit", "south", str(fill))
    shown = run("environment", "show", "south", "--format", "json").data
    assert (shown["revision"], shown["parameters"]) == (2, {"version": "2.0"})
    whole = tmp_path / "whole.yml"
    whole.write_text(run("environment", "export", "south").out.replace("instances: 3", "instances: 4"))
    assert "4 instances" in run("environment", "edit", "south", str(whole)).out
    for text, said in (
        (
            "services: {web: {instances: 3, component: other}}\n",
            "fill.yml:1 services.web.component: template 'golden' fi",
        ),
        ("environment: north\n", "it defines environment 'north', not 'south'"),
        ("services: {web: {instances: 010}}\n", "fill.yml:1 services.web.instances: 010 is octal"),
    ):
        fill.write_text(text)
        assert said in run("environment", "edit", "south", str(fill), expect=2).err
    whole.write_text(whole.read_text().replace("size: small", "size: large"))
    line = whole.read_text().splitlines().index("      size: large") + 1
    refused = run("environment", "edit", "south", str(whole), expect=2).err
    assert f"whole.yml:{line} services.web.machine.size: template 'golden' fixes this" in refused
    assert run("environment", "show", "south", "--format", "json").data["revision"] == 3


@pytest.mark.req("A4")
def test_an_editors_text_that_is_refused_is_kept(run: Run, shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("template", "create", "golden", shop, "--open", "services/web/instances")
    run("environment", "create", "--template", "golden", "--name", "north")
    monkeypatch.setenv("EDITOR", "sed -i 's/size: small/size: large/'")
    monkeypatch.delenv("VISUAL", raising=False)
    refused = run("environment", "edit", "north", expect=2).err
    assert "template 'golden' fixes this" in refused
    kept = Path(refused.partition(" services.web.machine.size")[0].rpartition("Error: ")[2].rpartition(":")[0])
    assert "size: large" in kept.read_text()


@pytest.mark.req("A2")
def test_an_edit_keeps_the_values_of_parameters_and_takes_no_other_environments_file(
    run: Run, shop: str, tmp_path: Path
) -> None:
    run("environment", "create", shop, "-p", "count=3")
    run("environment", "edit", "shop", shop)
    shown = run("environment", "show", "shop", "--format", "json").data
    assert (shown["parameters"], shown["revision"]) == ({"count": 3}, 1)
    other = tmp_path / "other.yml"
    other.write_text(Path(shop).read_text().replace("environment: shop", "environment: shed"))
    for verb in ("edit", "plan"):
        refused = run("environment", verb, "shop", str(other), expect=2)
        assert "it defines environment 'shed', not 'shop'. Name the right file" in refused.err
    assert run("environment", "list", "--state", "live").err == "No environment is live.\n"
