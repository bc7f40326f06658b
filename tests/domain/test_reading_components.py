"""Components from a rendered tree: all that they may hold, and how each mistake is told (A1, A16)."""

from __future__ import annotations

from typing import Any

import pytest

from adslib.domain.definition import Archive, File, Folder, Git, Process
from adslib.domain.reading import read
from domain.documents import told, tree

SHA = "ab" * 32


@pytest.mark.req("A1")
def test_everything_of_a_component_is_read() -> None:
    component = {
        "version": "2",
        "packages": ["a", {"name": "b", "version": "1.2"}],
        "archive": {"url": "https://h/x.tgz", "sha256": SHA.upper(), "strip": 1},
        "git": {"url": "https://h/x.git", "commit": "0" * 40},
        "folder": {"path": "web", "directory": "/srv/web"},
        "files": [{"path": "/etc/x", "template": "x.j2", "mode": "640"}],
        "process": {"command": "run", "environment": {"A": "1", "B": {"secret": "key"}}},
    }
    web = read(tree(components={"web": component})).components["web"]
    assert [(package.name, package.version) for package in web.packages] == [("a", ""), ("b", "1.2")]
    assert web.archive == Archive("https://h/x.tgz", SHA, "/opt/web", 1)
    assert web.git == Git("https://h/x.git", "0" * 40, "/opt/web")
    assert web.folder == Folder("web", "/srv/web")
    assert web.files == (File("/etc/x", template="x.j2", mode="0640"),)
    assert web.process == Process("run", environment={"A": "1", "B": {"secret": "key"}})  # type: ignore[dict-item]


COMPONENT_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"version": ""}, "components.web.version: 'version' is empty"),
    ({"version": 1.0}, "components.web.version: expected text, got a number. Quote it"),
    ({"archive": {"url": "http://a/x.tgz"}}, "components.web.archive: 'sha256' is missing"),
    ({"archive": {"url": "x.tgz", "sha256": "abc"}}, "'abc' is no SHA-256. Give the 64 digits that sha256sum prints"),
    ({"archive": {"url": "../x.tgz", "sha256": SHA}}, "'../x.tgz' leads out of the project"),
    ({"archive": {"url": "x.tgz", "sha256": SHA, "directory": "opt"}}, "'opt' is no absolute path on the machine"),
    ({"git": {"url": "u", "commit": "main"}}, "components.web.git.commit: 'main' is no full commit"),
    ({"git": {"url": "u", "commit": "abc1234"}}, "'abc1234' is no full commit"),
    ({"folder": {"path": "/etc"}}, "components.web.folder.path: '/etc' is absolute"),
    ({"files": [{"path": "etc/x", "content": ""}]}, "'etc/x' is no absolute path on the machine"),
    ({"files": [{"path": "/etc/../x", "content": ""}]}, "'/etc/../x' leads upwards"),
    ({"files": [{"path": "/x"}]}, "a file has one of content, template, source; this has none"),
    ({"files": [{"path": "/x", "content": "", "source": "y"}]}, "this has content and source"),
    ({"files": [{"path": "/x", "content": "", "mode": "rw"}]}, "'rw' is no octal mode"),
    ({"files": [{"path": "/x", "content": ""}, {"path": "/x", "content": ""}]}, "the file '/x' is given twice"),
    ({"packages": ["nginx=1.2"]}, "'nginx=1.2' is no name of a package"),
    ({"process": {}}, "components.web.process: 'command' is missing"),
    ({"process": {"command": "x", "environment": {"A": 1}}}, "expected text, got a whole number. Quote it"),
    ({"process": {"command": "x", "environment": {"A": {"b": "c"}}}}, "text or {secret: name}"),
]


@pytest.mark.req("A1")
@pytest.mark.parametrize(("change", "message"), COMPONENT_MISTAKES)
def test_mistakes_in_a_component(change: dict[str, Any], message: str) -> None:
    assert message in told(tree(components={"web": {"version": "1", **change}}))
