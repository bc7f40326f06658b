# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machine is told: a component with every expression resolved and every file known by its content."""

from __future__ import annotations

import os
import posixpath
import re

from ansible_collections.ads.deploy.plugins.plugin_utils.component.expressions import Unresolved
from ansible_collections.ads.deploy.plugins.plugin_utils.component.project import Missing

SIGNAL = re.compile(r"(SIG)?[A-Z][A-Z0-9]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MODE = re.compile(r"[0-7]{3,4}")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Preparation:
    """Prepares one component for one machine.

    Args:
        arguments: of the module, validated, as plain data.
        expressions: resolve what is written in it. project: has its files. supply: takes their content.
        secrets: those that were revealed for it; what holds one is marked.
    """

    def __init__(self, arguments, expressions, project, supply, secrets):
        self._arguments = arguments
        self._component = arguments["component"]
        self._expressions = expressions
        self._project = project
        self._supply = supply
        self._secrets = secrets

    def wanted(self):
        """Return what is wanted of the machine.

        Raises:
            Unresolved: an expression cannot be resolved, or a value has not the form it needs.
            Missing: a file of the project is not there.
        """
        component, instance = self._component, self._arguments["instance"]
        process = self._process(component["process"]) if component.get("process") else None
        return {
            "instance": instance["id"],
            "name": instance["name"],
            "service": instance.get("service") or instance["name"],
            "component": component["name"],
            "version": component["version"],
            "state": self._arguments["state"],
            "packages": component.get("packages") or [],
            "files": self._files(process),
            "archive": self._archive(component["archive"]) if component.get("archive") else None,
            "git": self._git(component["git"]) if component.get("git") else None,
            "process": process,
        }

    def _files(self, process):
        files = self._folder(self._component["folder"]) if self._component.get("folder") else []
        files += [self._file(file, process) for file in self._component.get("files") or []]
        seen = set()
        for file in files:
            if file["path"] in seen:
                raise Unresolved("files: %s is given twice: give one of them another path" % file["path"])
            seen.add(file["path"])
        return files

    def _folder(self, folder):
        place = self._project.find(folder["path"], "folder")
        if not os.path.isdir(place):
            raise Missing("folder %s is a file: give the folder that it is in" % folder["path"])
        directory = self._expressions.text(folder["directory"], "folder.directory")
        files = []
        for name, path in self._project.listing(place):
            file = {"path": posixpath.join(directory, name), "on_change": "restart"}
            if os.path.islink(path):
                file["link"] = os.readlink(path)
            else:
                file["digest"] = self._supply.add_file(path)
                file["mode"] = 0o755 if os.stat(path).st_mode & 0o100 else 0o644
            files.append(file)
        if not files:
            raise Missing("folder %s is empty: put the component's files there" % folder["path"])
        return files

    def _file(self, file, process):
        place = "files[%s]" % file["path"]
        text = self._expressions.text
        if not MODE.fullmatch(file["mode"]):
            raise Unresolved("%s: mode %r is not octal: write it like '0640'" % (place, file["mode"]))
        on_change = file["on_change"]
        if on_change == "auto":
            on_change = "reload" if process and process.get("reload") else "restart"
        digest = self._content(file, place)
        return {
            "path": text(file["path"], place),
            "digest": digest,
            "mode": int(file["mode"], 8),
            "owner": file.get("owner") or "",
            "group": file.get("group") or "",
            "secret": file["secret"] or self._secrets.holds(self._supply.text(digest)),
            "validate": self._expressions.words(file.get("validate") or "", place + ".validate"),
            "on_change": on_change,
            "reload": self._expressions.words(file.get("reload") or "", place + ".reload"),
        }

    def _content(self, file, place):
        if file.get("source"):
            path = self._project.find(file["source"], "file", "files")
            if os.path.isdir(path):
                raise Missing("%s: %s is a folder: use folder for it" % (place, file["source"]))
            return self._supply.add_file(path)
        if file.get("template"):
            path = self._project.find(file["template"], "template", "templates")
            try:
                with open(path, encoding="utf-8", newline="") as stream:
                    content = stream.read()
            except UnicodeDecodeError:
                raise Missing("template %s is not UTF-8 text: use source for it" % file["template"])
            return self._supply.add_text(self._expressions.template(path, content, "template " + file["template"]))
        return self._supply.add_text(self._expressions.text(file["content"], place + ".content"))

    def _archive(self, archive):
        url, digest = archive["url"], archive["sha256"].lower()
        wanted = {
            "url": url,
            "sha256": digest,
            "directory": self._expressions.text(archive["directory"], "archive.directory"),
            "strip": archive["strip"],
        }
        if url.split(":")[0] in ("http", "https"):
            return wanted
        if url.startswith("file://"):
            path = url[len("file://") :]
            if not os.path.isfile(path):
                raise Missing("archive %s is not there on the controller" % url)
        else:
            path = self._project.find(url, "archive", "files")
        found = self._supply.add_file(path)
        if found != digest:
            raise Missing(
                "archive %s has the SHA-256 %s, the definition says %s: correct one of them" % (url, found, digest)
            )
        return dict(wanted, local=True)

    def _git(self, git):
        if not COMMIT.fullmatch(git["commit"]):
            raise Unresolved("git.commit: %r is no full commit: give all 40 digits" % git["commit"])
        return dict(git, directory=self._expressions.text(git["directory"], "git.directory"))

    def _process(self, process):
        words, text = self._expressions.words, self._expressions.text
        command = words(process["command"], "process.command")
        if not command:
            raise Unresolved("process.command is empty")
        environment = {}
        for name, value in process["environment"].items():
            place = "process.environment.%s" % name
            if not VARIABLE.fullmatch(name):
                raise Unresolved("%s is no name for a variable: use letters, digits and _" % place)
            environment[name] = text(str(value), place)
        reload = process.get("reload") or ""
        return {
            "command": command,
            "name": process.get("name") or "",
            "user": process.get("user") or "",
            "directory": text(process.get("directory") or "", "process.directory"),
            "environment": environment,
            "leaves": [text(path, "process.leaves") for path in process["leaves"]],
            "reload": reload if not reload or SIGNAL.fullmatch(reload) else words(reload, "process.reload"),
            "secret": process["secret"] or self._secrets.holds("\n".join([*command, *environment.values()])),
        }
