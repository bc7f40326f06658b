"""Components, their files and sources, and configurations (A1, A6, A16)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adslib.domain.definition import Archive, Component, Configuration, File, Folder, Git, Package, Process
from adslib.domain.reading.findings import Part

MODE = re.compile(r"[0-7]{3,4}")
SHA256 = re.compile(r"[0-9a-fA-F]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
COMPONENT_KEYS = ("version", "package", "packages", "archive", "git", "folder", "files", "process", "vars")


def read_components(top: Part) -> Mapping[str, Component]:
    """The components of a document; what is wrong is noted."""
    return {name: read_component(name, part) for name, part in top.children("components")}


def read_component(name: str, part: Part) -> Component:
    """One component."""
    part.findings.name(name, "a component", part.path)
    part.only(COMPONENT_KEYS)
    directory = f"/opt/{name}"
    archive, git, folder, process = (part.get(key) for key in ("archive", "git", "folder", "process"))
    return Component(
        name=name,
        version=part.text("version", required=True),
        packages=read_packages(part),
        archive=read_archive(archive, directory) if archive is not None else None,
        git=read_git(git, directory) if git is not None else None,
        folder=read_folder(folder, directory) if folder is not None else None,
        files=read_files(part),
        process=read_process(process) if process is not None else None,
        vars=part.vars("vars"),
    )


def read_packages(part: Part) -> tuple[Package, ...]:
    """``package: nginx``, or ``packages`` as a list of names or of {name, version}."""
    packages = [Package(part.text("package", required=True))] if part.get("package") is not None else []
    for item in part.each("packages"):
        if not item.expect(str, dict):
            continue
        if isinstance(item.value, dict):
            item.only(("name", "version"))
            packages.append(Package(item.text("name", required=True), item.text("version")))
        elif not item.value.strip():
            item.wrong("the name of the package is empty")
        else:
            packages.append(Package(item.value))
    for package in packages:
        if "=" in package.name:
            part.wrong(f"'{package.name}' is no name of a package", "write {name: …, version: …}")
    return tuple(packages)


def absolute(part: Part, key: str, default: str = "", *, required: bool = False) -> str:
    """An absolute path on the machine, without ``..``."""
    path = part.text(key, default, required=required)
    below = (*part.path, key)
    if path and not path.startswith("/"):
        part.findings.add(below, f"'{path}' is no absolute path on the machine", "begin it with '/'")
    elif ".." in path.split("/"):
        part.findings.add(below, f"'{path}' leads upwards", "leave out '..'")
    return path


def within_project(part: Part, key: str, *, required: bool = False) -> str:
    """A path relative to the project, without ``..``."""
    path = part.text(key, required=required)
    below = (*part.path, key)
    if path.startswith("/"):
        part.findings.add(below, f"'{path}' is absolute", "give a path relative to the project")
    elif ".." in path.split("/"):
        part.findings.add(below, f"'{path}' leads out of the project", "leave out '..'")
    return path


def read_archive(part: Part, directory: str) -> Archive:
    """An archive by URL or project path; its SHA-256 is not optional."""
    part.only(("url", "sha256", "directory", "strip"))
    url = part.text("url", required=True) if "://" in str(part.mapping().get("url", "")) else None
    sha256 = part.text("sha256", required=True)
    if sha256.strip() and not SHA256.fullmatch(sha256):
        part.findings.add(
            (*part.path, "sha256"), f"'{sha256}' is no SHA-256", "give the 64 digits that sha256sum prints"
        )
    return Archive(
        url=url if url is not None else within_project(part, "url", required=True),
        sha256=sha256.lower(),
        directory=absolute(part, "directory", directory),
        strip=part.whole("strip", 0, least=0, most=32),
    )


def read_git(part: Part, directory: str) -> Git:
    """A repository at one full commit: a branch or tag may move."""
    part.only(("url", "commit", "directory"))
    commit = part.text("commit", required=True)
    if commit.strip() and not COMMIT.fullmatch(commit):
        remedy = "give all 40 digits that 'git rev-parse' prints; branches and tags may move"
        part.findings.add((*part.path, "commit"), f"'{commit}' is no full commit", remedy)
    return Git(part.text("url", required=True), commit, absolute(part, "directory", directory))


def read_folder(part: Part, directory: str) -> Folder:
    """A folder of the project."""
    part.only(("path", "directory"))
    return Folder(within_project(part, "path", required=True), absolute(part, "directory", directory))


def read_files(part: Part) -> tuple[File, ...]:
    """The files of a component or configuration; no path twice."""
    files: list[File] = []
    for item in part.each("files"):
        if not item.expect(dict):
            continue
        file = read_file(item)
        if file.path and any(other.path == file.path for other in files):
            item.wrong(f"the file '{file.path}' is given twice")
        files.append(file)
    return tuple(files)


def read_file(part: Part) -> File:
    """One file: exactly one of content, template, source."""
    part.only(("path", "content", "template", "source", "owner", "group", "mode"))
    given = [key for key in ("content", "template", "source") if part.get(key) is not None]
    if len(given) != 1:
        part.wrong(f"a file has one of content, template, source; this has {' and '.join(given) or 'none'}")
    mode = part.text("mode", "0644")
    if not MODE.fullmatch(mode):
        part.findings.add(
            (*part.path, "mode"), f"'{mode}' is no octal mode", 'write four digits in quotes, like "0640"'
        )
    return File(
        path=absolute(part, "path", required=True),
        content=part.text("content") if "content" in given else None,
        template=within_project(part, "template", required=True) if "template" in given else None,
        source=within_project(part, "source", required=True) if "source" in given else None,
        owner=part.text("owner"),
        group=part.text("group"),
        mode=mode.zfill(4),
    )


def read_process(part: Part) -> Process:
    """What runs; values of its environment are text, or name a secret."""
    part.only(("command", "user", "directory", "environment", "reload"))
    for _name, value in part.children("environment"):
        if not isinstance(value.value, dict):
            value.expect(str)
        elif list(value.value) != ["secret"]:
            value.wrong("a value of the environment is text or {secret: name}")
    return Process(
        command=part.text("command", required=True),
        user=part.text("user"),
        directory=part.text("directory"),
        environment=part.vars("environment"),
        reload=part.text("reload"),
    )


def read_configurations(top: Part) -> Mapping[str, Configuration]:
    """The configurations of a document; what is wrong is noted."""
    return {name: read_configuration(name, part) for name, part in top.children("configurations")}


def read_configuration(name: str, part: Part) -> Configuration:
    """One configuration; ``path`` beside ``settings`` is the setting of that name."""
    part.findings.name(name, "a configuration", part.path)
    part.only(("settings", "files", "requires", "path"))
    settings = dict(part.vars("settings"))
    path = part.get("path")
    if path is not None and path.expect(str):
        if "path" in settings:
            path.wrong("'path' is also given in settings", "leave one of the two out")
        settings["path"] = path.value
    return Configuration(
        name=name,
        settings=settings,
        files=read_files(part),
        requires=tuple(item.value for item in part.each("requires") if item.expect(str)),
    )
