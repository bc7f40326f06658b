"""Strings of a definition are data: whatever they look like, nothing of them ever runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adslib import AdsError
from system import home as homes
from system.home import Home

OLDEST = Path(__file__).parents[2] / "build" / "core217"
TRAP = Path(__file__).with_name("projects") / "trap"
MARK = "{MARK}"
STRINGS = [
    "{{ lookup('pipe', 'touch {MARK}') }}",
    "{{ cycler.__init__.__globals__.os.popen('touch {MARK}').read() }}",
    "{% set x = cycler.__init__.__globals__.os.system('touch {MARK}') %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ lookup('ansible.builtin.file', '/etc/passwd') }}",
    "$(touch {MARK})`touch {MARK}`;touch${IFS}{MARK}",
    "one\ntwo: {{ lookup('pipe', 'touch {MARK}') }}\n- three",
    "!unsafe !!python/object/apply:os.system ['touch {MARK}']",
    "'\"\\' || touch {MARK} #",
    "{{{{ 7 * 7 }}}} {{ 7 * 7 }}",
    "%(here)s %% \\x00 \t tab",
]
TAME = [text for text in STRINGS if "{{" not in text and "{%" not in text]


def written(text: str, mark: Path) -> str:
    return json.dumps(text.replace(MARK, str(mark)))


def definition(mark: Path, texts: list[str]) -> str:
    """Every string as a variable, as a setting, as the value of a process's environment and as a file's content."""
    names = [f"text{number}" for number in range(len(texts))]
    pairs = "".join(f"\n      {name}: {written(text, mark)}" for name, text in zip(names, texts, strict=True))
    files = "".join(
        f"\n      - {{path: /srv/{name}.txt, content: {written(text, mark)}}}"
        for name, text in zip(names, texts, strict=True)
    )
    return f"""
environment: trap
description: {written(texts[0], mark)}
components:
  bait:
    version: {written("1.0 $(touch {MARK})", mark)}
    files:
      - {{path: /srv/settings.json, template: settings.j2}}{files}
    process:
      command: "{{{{ ads_python }}}} -m http.server --bind {{{{ self.address }}}} 8080"
      environment:{pairs.replace("      ", "        ")}
configurations:
  words:
    settings:{pairs}
services:
  bait:
    component: bait
    roles:
      - ads.deploy.component
      - role: echo
        ads_root: true
        vars:
          echo_words: {{{", ".join(f"{name}: {written(text, mark)}" for name, text in zip(names, texts, strict=True))}}}
    requires: [{{configuration: words}}]
    ports: {{http: 8080}}
    vars:{pairs}
    tests: [{{command: "test -e $ADS_ROOT/srv/settings.json", retries: 0}}]
"""


@pytest.mark.req("A2", "A16")
@pytest.mark.parametrize("text", STRINGS)
def test_expressions_are_refused_or_kept_as_they_are(home: Home, text: str) -> None:
    """Where expressions may stand, a hostile one is refused with its place; nothing runs, nothing is written."""
    mark = home.folder / "ran"
    if text in TAME:
        home.define(definition(mark, [text]))
        with home.ads() as ads:
            assert ads.environments.plan("trap").actions
    else:
        with pytest.raises(AdsError, match=r"trap\.yml:"):
            home.define(definition(mark, [text]))
    assert not mark.exists()


@pytest.mark.req("A2", "A16")
@pytest.mark.parametrize("text", [text for text in STRINGS if text not in TAME])
def test_values_of_parameters_are_data(home: Home, text: str) -> None:
    """A value given at load is never an expression itself: it is kept as it is, or refused."""
    mark = home.folder / "ran"
    given = text.replace(MARK, str(mark))
    document = definition(mark, ["tame"]).replace('"tame"', '"{{ words }}"')
    shutil.copytree(TRAP, home.project)
    try:
        home.define(f"{document}\nparameters: {{words: {{type: str}}}}\n", words=given)
    except AdsError as error:
        refused = str(error)
        assert "words" in refused or "trap.yml:" in refused
        return
    with home.ads() as ads:
        assert ads.environments.document("trap").definition.configurations["words"].settings == {"text0": given}
    checked = home.play("deploy", "trap", "--check", cwd=home.project)
    assert "Traceback" not in checked.output
    assert not mark.exists()


def deployed_values(home: Home, mark: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What reached the machine: the settings as its template saw them, and the variables of its process."""
    settings = json.loads(home.file("trap", "bait-1", "/srv/settings.json").read_text())
    lines = Path(f"/proc/{home.pid('trap', 'bait-1')}/environ").read_bytes().decode().split("\0")
    return settings, dict(line.split("=", 1) for line in lines if "=" in line)


def expect_data(home: Home, mark: Path) -> None:
    assert not mark.exists()
    settings, environment = deployed_values(home, mark)
    assert json.loads(home.file("trap", "bait-1", "/srv/echo.json").read_text()) == settings
    for number, text in enumerate(TAME):
        whole = text.replace(MARK, str(mark))
        assert settings[f"text{number}"] == whole
        assert environment[f"text{number}"] == whole
        assert home.file("trap", "bait-1", f"/srv/text{number}.txt").read_text() == whole


@pytest.mark.req("A16")
def test_hostile_strings_reach_the_machine_as_data(home: Home) -> None:
    """As a job, then by hand with the inventory plugin, then on whatever a later play makes of the host's variables."""
    mark = home.folder / "ran"
    shutil.copytree(TRAP, home.project)
    home.define(definition(mark, TAME))
    done = home.carry("deploy", "trap")
    assert done.code == 0, done
    expect_data(home, mark)
    again = home.play("deploy", "trap", "-i", "ads.yml", "-v", cwd=home.project)
    assert (again.code, again.changed) == (0, set()), again.output
    expect_data(home, mark)


@pytest.mark.slow
@pytest.mark.req("A16")
def test_hostile_strings_on_the_oldest_core(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every string is a template unless it is marked: the same, by hand with and without the inventory plugin."""
    monkeypatch.setattr(homes, "ANSIBLE", oldest_core() / "bin" / "ansible-playbook")
    mark = home.folder / "ran"
    shutil.copytree(TRAP, home.project)
    home.define(definition(mark, TAME))
    first = home.play("deploy", "trap", cwd=home.project)
    assert first.code == 0, first.output
    expect_data(home, mark)
    again = home.play("deploy", "trap", "-i", "ads.yml", "-v", cwd=home.project)
    assert (again.code, again.changed) == (0, set()), again.output
    expect_data(home, mark)


def oldest_core() -> Path:
    """A virtual environment with the oldest ansible-core that is supported, and this library; made once."""
    if not (OLDEST / "made").exists():
        shutil.rmtree(OLDEST, ignore_errors=True)
        subprocess.run(["python3.11", "-m", "venv", str(OLDEST)], check=True, env=dict(os.environ))
        pip = [str(OLDEST / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, "ansible-core>=2.17,<2.18", "-e", str(OLDEST.parents[1])], check=True)
        (OLDEST / "made").touch()
    return OLDEST
