"""`ads environment`: definitions and what is known of them, with every kind of wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from adslib.adapters import documents
from adslib.entrypoints.cli.fields import FIELDS, OUTCOME
from entrypoints.cli.commanding import SHOP, Run


def names(run: Run) -> list[str]:
    return [row["name"] for row in run("environment", "list", "--format", "json").data]


@pytest.mark.req("A4")
def test_create_list_show(run: Run, shop: str) -> None:
    created = run("environment", "create", shop, "-p", "count=2", "--comment", "the first")
    assert created.out == "environment 'shop' created: 2 instances\n"
    listed = run("environment", "list")
    assert listed.out.splitlines()[0].split() == ["ENVIRONMENT", "STATE", "REVISION", "DEPLOYED", "TESTS", "CREATED"]
    assert listed.out.splitlines()[1].split()[:3] == ["shop", "not-deployed", "1"]
    shown = run("environment", "show", "shop").out
    assert (
        "environment shop: not-deployed\n└── datacenter west\n    ├── web-1  missing\n    └── web-2  missing" in shown
    )
    assert run("environment", "history", "shop", "--format", "json").data[0]["comment"] == "the first"


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_lists_and_shows_hold_what_is_promised(run: Run, shop: str, format: str) -> None:
    run("environment", "create", shop)
    for verb, words in (("list", []), ("show", ["shop"]), ("history", ["shop"]), ("plan", ["shop"])):
        out = run("environment", verb, *words, "--format", format).out
        data = json.loads(out) if format == "json" else yaml.safe_load(out)
        thing = data[0] if isinstance(data, list) else data
        assert list(thing) == list(FIELDS[f"environment {verb}"])


def test_an_empty_list_is_empty_data_and_a_hint(run: Run) -> None:
    assert run("environment", "list", "--format", "json").out == "[]\n"
    result = run("environment", "list")
    assert result.out == ""
    assert "ads environment create" in result.err


def test_what_changed_as_data(run: Run, shop: str) -> None:
    data = run("environment", "create", shop, "--format", "json").data
    assert list(data) == list(OUTCOME)
    assert data["changed"] is True
    assert data["after"]["name"] == "shop"


@pytest.mark.req("A4")
def test_clone_and_delete(run: Run, shop: str) -> None:
    run("environment", "create", shop, "-p", "count=2")
    run("environment", "clone", "shop", "shoes", "--dry-run")
    assert names(run) == ["shop"]
    run("environment", "clone", "shop", "shoes")
    assert names(run) == ["shoes", "shop"]
    run("environment", "delete", "shop", "--dry-run")
    assert names(run) == ["shoes", "shop"]
    run("environment", "delete", "shop")
    assert names(run) == ["shoes"]
    assert "there is no environment 'shop'" in run("environment", "delete", "shop", expect=4).err


@pytest.mark.req("A2")
@pytest.mark.parametrize("format", ["yaml", "xml"])
def test_what_is_exported_reads_back_as_it_was(run: Run, shop: str, tmp_path: Path, format: str) -> None:
    run("environment", "create", shop)
    path = tmp_path / f"exported.{format}"
    path.write_text(run("environment", "export", "shop", "--format", format).out)
    assert documents.read_tree(path) == documents.read_tree(shop)
    assert "not written as 'toml'" in run("environment", "export", "shop", "--format", "toml", expect=2).err


@pytest.mark.req("A4")
def test_create_from_a_template(run: Run, shop: str, tmp_path: Path) -> None:
    run("template", "create", "golden", shop, "--open", "services/web/instances", "--open", "parameters/**")
    run("environment", "create", "--template", "golden", "--name", "north", "-p", "count=4")
    fill = tmp_path / "fill.yml"
    fill.write_text("environment: south\nservices: {web: {instances: 2}}\n")
    run("environment", "create", str(fill), "--template", "golden")
    assert names(run) == ["north", "south"]
    fill.write_text("environment: east\nservices: {web: {machine: {size: large}}}\n")
    refused = run("environment", "create", str(fill), "--template", "golden", expect=2).err
    assert f"{fill}:2 services.web.machine.size: template 'golden' fixes this" in refused
    assert names(run) == ["north", "south"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["create"], 2, "nothing to create it from"),
        (["create", "/no/such.yml"], 4, "there is no file"),
        (["create", "/etc"], 2, "is no kind of definition"),
        (["create", "SHOP", "-p", "count"], 2, "'count' is no parameter"),
        (["create", "SHOP", "-p", "count=1", "-p", "count=2"], 2, "'count' is given twice"),
        (["create", "SHOP", "-p", "count=many"], 2, "parameter 'count': expected"),
        (["create", "SHOP", "-p", "colour=red"], 2, "there is no parameter 'colour'"),
        (["create", "SHOP", "--name", "Not A Name"], 2, "is no name"),
        (["create", "--template", "golden", "--name", "x"], 4, "there is no template 'golden'"),
        (["create", "--template", "golden"], 2, "the new environment has no name"),
        (["edit", "shop", "SHOP"], 4, "there is no environment 'shop'"),
        (["clone", "shop", "shoes"], 4, "there is no environment 'shop'"),
        (["delete", "shop"], 4, "there is no environment 'shop'"),
        (["show", "shop"], 4, "there is no environment 'shop'"),
        (["history", "shop"], 4, "there is no environment 'shop'"),
        (["diff", "shop"], 4, "there is no environment 'shop'"),
        (["export", "shop"], 4, "there is no environment 'shop'"),
        (["plan", "shop"], 4, "there is no environment 'shop'"),
        (["deploy", "shop"], 4, "there is no environment 'shop'"),
        (["undeploy", "shop"], 4, "there is no environment 'shop'"),
        (["test", "shop"], 4, "there is no environment 'shop'"),
        (["stop", "shop"], 4, "there is no environment 'shop'"),
        (["start", "shop"], 4, "there is no environment 'shop'"),
        (["go-live", "shop"], 4, "there is no environment 'shop'"),
        (["list", "--state", "asleep"], 2, "'asleep' is no state of an environment"),
    ],
)
def test_wrong_input_changes_nothing(run: Run, shop: str, words: list[str], code: int, said: str) -> None:
    result = run("environment", *(shop if word == "SHOP" else word for word in words), expect=code)
    assert said in result.err
    assert result.err.startswith("Error: ")
    assert names(run) == []


def test_all_problems_of_a_document_are_told_a_line_each(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text("environment: BAD NAME\nservices:\n  web: {component: nowhere, instances: -1}\n")
    lines = run("environment", "create", str(path), expect=2).err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith(f"Error: {path}:") for line in lines)


def test_twice_is_a_conflict(run: Run, shop: str) -> None:
    run("environment", "create", shop)
    assert "ads environment edit shop" in run("environment", "create", shop, expect=3).err


@pytest.mark.req("A12")
@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("stop", "'stop' is not possible"),
        ("start", "'start' is not possible"),
        ("test", "'test' is not possible"),
        ("go-live", "'go-live' is not possible"),
    ],
)
def test_what_the_state_forbids(run: Run, shop: str, verb: str, said: str) -> None:
    run("environment", "create", shop)
    result = run("environment", verb, "shop", expect=3)
    assert said in result.err
    assert "Possible now: deploy, undeploy, edit, delete" in result.err
    assert run("job", "list", "--format", "json").data == []


# ── planning ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A5")
def test_plan_says_what_and_why(run: Run, shop: str) -> None:
    run("environment", "create", shop, "-p", "count=2")
    out = run("environment", "plan", "shop").out
    assert "create\n  + shop-west-1" in out
    assert "stage 1\n  + west/web-1 on shop-west-1" in out
    assert out.endswith("\n2 to create, 2 to deploy\n")
    data = run("environment", "plan", "shop", "--format", "json").data
    assert [action["verb"] for action in data["actions"]] == ["create", "create", "deploy", "deploy"]
    assert data["missing_roles"] == []
    assert run("machine", "list", "--format", "json").data == []


@pytest.mark.req("A2", "A5")
def test_a_size_or_gateway_that_nobody_knows_is_named(run: Run, shop: str, tmp_path: Path) -> None:
    text = Path(shop).read_text()
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(text.replace("size: small", "size: smal"))
    line = next(number for number, each in enumerate(wrong.read_text().splitlines(), 1) if "size: smal" in each)
    refused = run("environment", "create", str(wrong), expect=2)
    assert f"{wrong}:{line} services.web.machine.size: no size is called 'smal'. Known sizes: small" in refused.err
    assert run("environment", "list", "--format", "json").data == []
    wrong.write_text(text.replace("size: small", "size: small, gateway: nix"))
    run("environment", "create", str(wrong))
    assert "gateway nix has no machines and makes none here" in run("environment", "plan", "shop", expect=3).out


@pytest.mark.req("A5")
def test_plan_of_what_is_not_defined_yet(run: Run, shop: str) -> None:
    """A file or other parameters are planned as if they were the definition; nothing is stored."""
    assert run("environment", "plan", "shop", shop, "-p", "count=2").out.endswith("\n2 to create, 2 to deploy\n")
    assert run("environment", "list", "--format", "json").data == []
    run("environment", "create", shop, "-p", "count=1")
    assert run("environment", "plan", "shop", "-p", "count=3").out.endswith("\n3 to create, 3 to deploy\n")
    assert run("environment", "show", "shop", "--format", "json").data["revision"] == 1
    refused = run("environment", "plan", "shop", shop, "--save", expect=2)
    assert "Give the environment this definition first" in refused.err


@pytest.mark.req("A11")
def test_a_shortage_is_told_and_exits_3(run: Run, shop: str) -> None:
    run("gateway", "add", "cloud", "--kind", "sim", "-o", "quota=1")
    run("environment", "create", shop, "-p", "count=3")
    result = run("environment", "plan", "shop", expect=3)
    assert "web: 2 × small in west missing" in result.out
    assert "gateway cloud can make no more" in result.out
    assert len(run("environment", "plan", "shop", "--format", "json", expect=3).data["blocked"]) == 1
    refused = run("environment", "deploy", "shop", expect=3)
    assert "cannot be deployed" in refused.err
    assert run("environment", "deploy", "shop", "--dry-run", expect=3).code == 3
    assert run("machine", "list", "--format", "json").data == []
    assert run("environment", "show", "shop", "--format", "json").data["state"] == "not-deployed"


@pytest.mark.req("A11")
def test_nothing_is_deployed_on_simulated_machines(run: Run, shop: str) -> None:
    run("gateway", "add", "cloud", "--kind", "sim")
    run("environment", "create", shop)
    assert "1 to create, 1 to deploy" in run("environment", "plan", "shop").out
    for words in ([], ["--dry-run"]):
        refused = run("environment", "deploy", "shop", *words, expect=3).err
        assert "nothing can be deployed on simulated machines: shop-west-1 of gateway 'cloud'" in refused
        assert "ads gateway remove cloud" in refused
    assert run("machine", "list", "--format", "json").data == []
    assert run("job", "list", "--format", "json").data == []


@pytest.mark.req("A5")
def test_saved_plans(run: Run, shop: str) -> None:
    run("environment", "create", shop)
    saved = run("environment", "plan", "shop", "--save")
    plan = run("environment", "plan", "shop", "--save", "--format", "json").data["id"]
    assert f"--plan {plan}" in saved.err
    assert (
        "there is no saved plan 'nonsense'" in run("environment", "deploy", "shop", "--plan", "nonsense", expect=4).err
    )
    run("environment", "clone", "shop", "shoes")
    assert "is one of environment 'shop'" in run("environment", "deploy", "shoes", "--plan", plan, expect=3).err
    run("environment", "edit", "shop", "-p", "count=2")
    assert "no longer holds" in run("environment", "deploy", "shop", "--plan", plan, expect=3).err
    assert run("machine", "list", "--format", "json").data == []


@pytest.mark.req("A16")
def test_a_role_that_cannot_be_found_is_named(run: Run, shop: str, tmp_path: Path) -> None:
    path = tmp_path / "roles.yml"
    path.write_text(SHOP.replace("component: web,", "roles: [{role: nowhere, ads_root: true}],"))
    run("environment", "create", str(path))
    for verb in (["plan"], ["deploy"], ["deploy", "--dry-run"]):
        err = run("environment", *verb, "shop", expect=2).err
        assert "services.web.roles: role 'nowhere' cannot be found" in err
    assert run("job", "list", "--format", "json").data == []
    (tmp_path / "roles" / "nowhere" / "tasks").mkdir(parents=True)
    run("environment", "plan", "shop")


def test_a_dry_run_of_a_deployment_shows_the_plan(run: Run, shop: str) -> None:
    run("environment", "create", shop)
    assert "1 to create, 1 to deploy" in run("environment", "deploy", "shop", "--dry-run").out
    assert run("environment", "deploy", "shop", "--dry-run", "--format", "json").data["counts"] == {
        "create": 1,
        "deploy": 1,
    }
    assert "undeploy would do: nothing new" in run("environment", "undeploy", "shop", "--dry-run").out
    assert run("environment", "show", "shop", "--format", "json").data["state"] == "not-deployed"


def test_no_colours_without_a_terminal(run: Run, shop: str) -> None:
    run("environment", "create", shop)
    for words in (["environment", "plan", "shop"], ["environment", "show", "shop"], ["environment", "list"]):
        assert "\x1b" not in run(*words).out


@pytest.mark.req("A2", "A5")
def test_all_that_is_wrong_with_one_need_is_told_at_once(run: Run, shop: str, tmp_path: Path) -> None:
    run("machine", "add", "web1", "--address", "10.0.0.5", "--size", "small", "--os", "debian-12")
    path = tmp_path / "needy.yml"
    wrong = "{size: huge, os: debain-12, gateway: nowhere}"
    path.write_text(Path(shop).read_text().replace("{size: small}", wrong))
    refused = run("environment", "create", str(path), expect=2).err
    for said in ("no size is called 'huge'", "gateway nowhere has no machines", "nothing here has or makes debain-12"):
        assert said in refused
    assert refused.count("needy.yml:") == refused.count("Error: ") == 2
