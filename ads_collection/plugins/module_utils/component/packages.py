# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages of the operating system: looked up at once, installed only where they are missing or of another version."""

from __future__ import annotations

import os

from .file_system import Refused

PATIENCE = 300
DEBIAN = {"debian", "ubuntu"}
RPM = {"fedora", "rhel", "centos", "suse"}


class Packages:
    """Debian or RPM packages, whichever the machine has.

    Args:
        run: runs a command with extra environment and returns (code, output, errors).
    """

    def __init__(self, run):
        self._run = run
        self._debian = is_debian()

    def missing(self, wanted):
        """Return those of the wanted packages that are not installed, or not in the wanted version."""
        found = self._installed([package["name"] for package in wanted])
        return [package for package in wanted if not _satisfied(package, found.get(package["name"], []))]

    def install(self, wanted):
        """Install packages.

        Raises:
            Refused: the package tool failed; its last words are in the text.
        """
        if self._debian:
            names = [p["name"] + ("=" + p["version"] if p.get("version") else "") for p in wanted]
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            call = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--allow-downgrades"]
            call += ["-o", "DPkg::Lock::Timeout=%d" % PATIENCE, "-o", "Dpkg::Options::=--force-confold", "--"]
            code, output, errors = self._run(call + names, quiet)
            if code != 0:
                self._run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=%d" % PATIENCE], quiet)
                code, output, errors = self._run(call + names, quiet)
        else:
            names = [p["name"] + ("-" + p["version"] if p.get("version") else "") for p in wanted]
            tool = "dnf" if os.path.exists("/usr/bin/dnf") else "yum"
            code, output, errors = self._run([tool, "install", "-y", "-q", *names], {})
        if code != 0:
            words = "\n".join((errors or output).strip().splitlines()[-10:])
            raise Refused("packages %s cannot be installed: %s" % (", ".join(names), words))

    def _installed(self, names):
        if self._debian:
            fields = "${binary:Package}\\t${Version}\\t${db:Status-Status}\\n"
            call = ["dpkg-query", "--show", "--showformat", fields, "--"]
            _code, output, _errors = self._run(call + names, {})
        else:
            _code, output, _errors = self._run(
                ["rpm", "--query", "--queryformat", "%{NAME}\\t%{VERSION}-%{RELEASE}\\tinstalled\\n", *names], {}
            )
        found = {}
        for line in output.splitlines():
            fields = line.split("\t")
            if len(fields) == 3 and fields[2] == "installed":
                found.setdefault(fields[0].split(":")[0], []).append(fields[1])
        return found


def is_debian():
    """Tell whether dpkg manages this system; rpm may be installed on Debian, and dpkg on Fedora, as mere tools."""
    try:
        with open("/etc/os-release", encoding="utf-8") as told:
            fields = dict(line.strip().split("=", 1) for line in told if "=" in line)
    except OSError:
        fields = {}
    # Its own name, then those of the systems it is like, the nearest first.
    for family in (fields.get("ID", "") + " " + fields.get("ID_LIKE", "")).replace('"', "").replace("'", "").split():
        if family in DEBIAN or family in RPM:
            return family in DEBIAN
    try:
        return os.path.getsize("/var/lib/dpkg/status") > 0
    except OSError:
        return False


def _satisfied(package, versions):
    wanted = package.get("version")
    if not wanted:
        return bool(versions)
    # RPM versions are often written without the release.
    return any(version == wanted or version.startswith(wanted + "-") for version in versions)
