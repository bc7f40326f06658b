"""A definition from files: what is loaded, what a document carries, and how its mistakes are told (A2)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adapters.documents.effort import at_most
from adslib.adapters import documents
from adslib.adapters.documents import Place, dump_xml, dump_yaml, load, loads_tree, read_tree, renamed, restored
from adslib.domain.errors import Invalid, NotFound
from adslib.domain.reading import read

TELEPHONY = Path(__file__).parents[3] / "examples" / "telephony"


def written(folder: Path, text: str, name: str = "shop.yml") -> Path:
    """A file with this text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def told(path: Path, parameters: dict[str, Any] | None = None) -> str:
    """Why a file is refused, without the folder it lies in."""
    with pytest.raises(Invalid) as caught:
        load(path, parameters)
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.req("A1", "A2")
def test_the_example_is_loaded_with_its_parameters() -> None:
    document = load(TELEPHONY / "telephony.yml", {"media_count": "3"})
    definition = document.definition
    assert definition.environment == "telephony"
    assert definition.services["media"].instances == 3
    process = definition.components["media"].process
    assert process is not None
    assert process.command.startswith("{{ ads_python }} {{ ads_root }}/opt/media")
    assert [place.name for place in definition.places] == ["us-west", "us-east"]
    assert [unit.path for pod in definition.nodes for unit in pod.children][:2] == ["pod-1/us-west", "pod-1/us-east"]
    assert document.parameters == {"media_count": 3}
    assert "include" not in document.tree
    assert document.tree["services"]["media"]["instances"] == "{{ media_count }}"
    place = document.sources["services", "media", "ports"]
    assert place == Place(str(TELEPHONY / "services/media.yml"), place.line)
    assert "ports" in (TELEPHONY / "services/media.yml").read_text().splitlines()[place.line - 1]


@pytest.mark.req("A2")
def test_yaml_xml_and_json_load_to_the_same_definition(tmp_path: Path) -> None:
    shutil.copytree(TELEPHONY, tmp_path, dirs_exist_ok=True)
    expected = load(tmp_path / "telephony.yml")
    top = read_tree(tmp_path / "telephony.yml")
    for fragment in (tmp_path / "services").glob("*.yml"):
        written(tmp_path, dump_xml(read_tree(fragment)), f"parts/{fragment.stem}.xml")
    in_xml = written(tmp_path, dump_xml({**top, "include": ["parts/*.xml"]}), "telephony.xml")
    loaded = load(in_xml)
    assert loaded.definition == expected.definition
    assert loaded.tree == expected.tree
    assert load(written(tmp_path, dump_yaml(loaded.tree), "whole.yaml")).definition == expected.definition


@pytest.mark.req("A2")
def test_all_mistakes_are_told_at_once_with_file_line_and_path(tmp_path: Path) -> None:
    written(tmp_path, "services:\n  web:\n    component: wep\n    sesions: none\n", "parts/web.yml")
    path = written(
        tmp_path,
        "environment: shop\ninclude: [parts/*.yml]\nparameters:\n  n: {type: int, default: x}\n"
        "components:\n  web: {version: 1.0}\npods:\n  p:\n    services: [web, other]\n    vlan: [1]\n",
    )
    assert told(path).splitlines() == [
        'shop.yml:4 parameters.n.default: expected a whole number, got "x"',
        'shop.yml:6 components.web.version: expected text, got 1.0. Quote it: "1.0"',
        "shop.yml:9 pods.p.services[1]: there is no service 'other'. Define it under 'services'",
        "shop.yml:10 pods.p.vlan: expected a whole number, got a list",
        "parts/web.yml:3 services.web.component: there is no component 'wep'. Did you mean 'web'?",
        "parts/web.yml:4 services.web.sesions: unknown key 'sesions'. Did you mean 'sessions'?",
    ]


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: {}", "'environment' is missing"),
        ("environment: x\nservices: []", "shop.yml:2 services: expected a map, got a list"),
        ("environment: x\nservices: {a: {roles: r}}", 'expected a list, got "r". Write [r]'),
        ("environment: x\nservices: {a: {roles: [r], instances: '3'}}", "Write the number without quotes"),
        ("environment: x\nallow_host_changes: 'true'", "Write true or false without quotes"),
        ("environment: x\nservices: {a: {roles: [r], tests: [{tcp: 0}]}}", "0 is less than 1"),
        ("environment: x\nservices: {a: {roles: [r], tests: [{tcp: 9, timeout: 0}]}}", "timeout: 0 is not more than 0"),
        ("environment: x\nservices: {a: {roles: [r], tests: [{tcp: 9, timeout: 4e3}]}}", "4000.0 is more than 3600"),
        ("environment: x\nservices: {a: {roles: [r], tests: [{tcp: 9, timeout: soon}]}}", "expected a number"),
        ("environment: x\nservices: {a: {roles: ['']}}", "services.a.roles[0]: this is empty"),
        ("environment: x\nparameters: {a: {type: str, default: a, choices: []}}", "choices: this is empty"),
        ("environment: x\nservices: {a: null}", "services.a: expected a map, got nothing"),
        ("environment: x\ninclude: services/*.yml", "'include' is a list of file patterns"),
        ("environment: x\nsequence: ['{{ 1 }}']", "sequence[0]: expected a list, got 1"),
    ],
)
def test_what_the_schema_refuses(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(written(tmp_path, text))


@pytest.mark.req("A2", "A12")
def test_the_timeout_of_a_test_may_be_an_expression_in_yaml_and_xml(tmp_path: Path) -> None:
    source = written(
        tmp_path,
        "environment: x\nparameters: {patience: {type: int, default: 90}}\n"
        "services: {a: {roles: [r], tests: [{command: 'true', timeout: '{{ patience }}'}]}}\n",
    )
    in_xml = written(tmp_path, dump_xml(read_tree(source)), "same.xml")
    assert [load(path).definition.services["a"].tests[0].timeout for path in (source, in_xml)] == [90, 90]


@pytest.mark.req("A3")
def test_only_the_levels_of_the_document_are_keys(tmp_path: Path) -> None:
    path = written(tmp_path, "environment: x\nlevels: {cell: {}}\ncells: {a: {}}\npods: {b: {}}\n")
    assert "shop.yml:4 pods: unknown key 'pods'" in told(path)


@pytest.mark.req("A2")
def test_parameters_are_checked_before_anything_is_rendered(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "environment: x\nparameters: {n: {type: int, default: 1, maximum: 3}}\n"
        "services: {a: {roles: [r], instances: '{{ n }}'}}\n",
    )
    assert "parameter 'n': 9 is more than the maximum 3" in told(path, {"n": 9})
    assert "there is no parameter 'm'. Known are: n" in told(path, {"m": 1})
    assert load(path, {"n": "2"}).definition.services["a"].instances == 2


@pytest.mark.req("A2")
def test_a_stored_revision_is_loaded_again() -> None:
    document = load(TELEPHONY / "telephony.yml", {"media_count": 2})
    again = restored(document.tree, document.parameters, document.origin)
    assert (again.definition, again.rendered) == (document.definition, document.rendered)
    quick = restored(document.tree, document.parameters, document.origin, document.rendered)
    assert quick == again
    rendered, definition = loads_tree(document.tree, document.parameters)
    assert read(rendered) == definition == document.definition


@pytest.mark.req("A2")
def test_a_stored_tree_that_no_longer_fits_is_told_by_path() -> None:
    with pytest.raises(Invalid, match=r"^services\.a\.rols: unknown key 'rols'\. Did you mean 'roles'\?"):
        loads_tree({"environment": "x", "services": {"a": {"rols": []}}})


@pytest.mark.req("A4")
def test_a_document_under_another_name_is_what_loading_it_gives() -> None:
    document = load(TELEPHONY / "telephony.yml")
    other = renamed(document, "telephony-2")
    assert other.definition == loads_tree(other.tree)[1]
    assert other.definition.environment == other.rendered["environment"] == "telephony-2"
    assert document.tree["environment"] == "telephony"
    with pytest.raises(Invalid, match="no name for an environment"):
        renamed(document, "No Name")


@pytest.mark.req("A4")
def test_a_template_is_collected_without_being_checked(tmp_path: Path) -> None:
    written(tmp_path, "services: {web: {instances: null}}", "parts/web.yml")
    draft = documents.collect(written(tmp_path, "include: [parts/*.yml]\npods:\n"))
    assert draft.tree == {"pods": None, "services": {"web": {"instances": None}}}


@pytest.mark.req("A2")
def test_secrets_stay_names(tmp_path: Path) -> None:
    text = (
        "environment: x\n"
        "services: {a: {component: c, vars: {key: {secret: api}}}}\n"
        "configurations: {s: {settings: {password: {secret: db}}}}\n"
        "components: {c: {version: '1', process: {command: run, environment: {TOKEN: {secret: token}}}}}\n"
    )
    definition = load(written(tmp_path, text)).definition
    assert definition.services["a"].vars == {"key": {"secret": "api"}}
    assert definition.configurations["s"].settings == {"password": {"secret": "db"}}
    process = definition.components["c"].process
    assert process is not None
    assert process.environment == {"TOKEN": {"secret": "token"}}
    wrong = text.replace("{secret: token}", "{secret: [1]}").replace("{secret: db}", "{secret: ''}")
    assert "configurations.s.settings.password: a secret is given by its name" in told(written(tmp_path, wrong))
    assert "process.environment.TOKEN.secret: expected text, got a list" in told(written(tmp_path, wrong))


@pytest.mark.req("A2")
def test_files_that_are_not_there_or_no_definitions(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        load(tmp_path / "none.yml")
    assert "'.toml' is no kind of definition" in told(written(tmp_path, "a = 1", "shop.toml"))
    (tmp_path / "folder.yml").mkdir()
    assert "this is no file" in told(tmp_path / "folder.yml")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *settings, "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.req("A2")
def test_the_origin_is_the_commit_and_whether_it_was_clean(tmp_path: Path) -> None:
    path = written(tmp_path, "environment: shop\n", "envs/shop.yml")
    outside = load(path).origin
    assert (outside.path, outside.repository, outside.commit, outside.clean) == (str(path.resolve()), "", "", None)
    git(tmp_path, "init", "-q", "-b", "main")
    unborn = load(path).origin
    assert (unborn.repository, unborn.commit, unborn.clean) == (str(tmp_path.resolve()), "", False)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    clean = load(path).origin
    assert (clean.commit, clean.clean) == (git(tmp_path, "rev-parse", "HEAD"), True)
    written(tmp_path, "x", "roles/new.yml")
    assert load(path).origin.clean is False
    git(tmp_path, "remote", "add", "origin", "https://ann:token@example.org/envs.git")
    assert load(path).origin.repository == "https://example.org/envs.git"


@pytest.mark.req("A2")
def test_git_that_cannot_be_run_is_no_work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert load(written(tmp_path, "environment: shop")).origin.commit == ""


def large(size: int) -> dict[str, Any]:
    """A tree of about so many values."""
    count = size // 26
    return {
        "environment": "large",
        "components": {
            f"c{n}": {"version": "1", "process": {"command": "{{ ads_root }}/run"}, "vars": {"a": [1, 2, 3]}}
            for n in range(count)
        },
        "services": {
            f"s{n}": {
                "component": f"c{n}",
                "ports": {"http": 80},
                "tests": [{"http": "/"}],
                "machine": {"size": "small"},
            }
            for n in range(count)
        },
        "datacenters": {"d": {}},
        "pods": {f"p{n}": {"units": {"d": {"services": [f"s{n}"], "vars": {"x": n, "y": [n]}}}} for n in range(count)},
    }


@pytest.mark.req("A2")
@pytest.mark.parametrize("suffix", [".yml", ".xml"])
def test_ten_thousand_values_load_in_a_few_seconds(tmp_path: Path, suffix: str) -> None:
    tree = large(10_000)
    path = written(tmp_path, dump_xml(tree) if suffix == ".xml" else dump_yaml(tree), f"large{suffix}")
    with at_most(8):
        document = load(path)
    assert len(document.sources) > 9_000
    assert document.tree == tree
