"""Tiny packages of one program, and folders that a host's package tool takes for a repository: no network is needed."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

CONTROL = """\
Package: {name}
Version: {version}-1
Architecture: all
Maintainer: Tests <tests@example.com>
Description: a program for tests
"""
ADD_USER = "getent passwd {name} >/dev/null || useradd --system --no-create-home {name}"
SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: A program for tests
License: Apache-2.0
BuildArch: noarch
AutoReqProv: no
%description
A program for tests.
%pre -p <lua>
os.execute("{add_user}")
%install
install -D -m 755 {program} %{{buildroot}}/usr/bin/{name}
%files
/usr/bin/{name}
"""


def apt_repository(place: Path, program: Path, versions: Iterable[str]) -> None:
    """Make a repository of Debian packages, one a version, each with the program and a user of its name."""
    name, index = program.stem, ""
    for version in versions:
        tree = place / "tree"
        write(tree / "usr" / "bin" / name, program.read_text(), 0o755)
        write(tree / "DEBIAN" / "control", CONTROL.format(name=name, version=version))
        write(tree / "DEBIAN" / "postinst", f"#!/bin/sh -e\n{ADD_USER.format(name=name)}\n", 0o755)
        made = place / f"{name}_{version}-1_all.deb"
        run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(made))
        about = {"Filename": f"./{made.name}", "Size": made.stat().st_size}
        about["SHA256"] = hashlib.sha256(made.read_bytes()).hexdigest()
        index += CONTROL.format(name=name, version=version) + "".join(f"{k}: {v}\n" for k, v in about.items()) + "\n"
    write(place / "Packages", index)


def rpm_repository(place: Path, program: Path, versions: Iterable[str]) -> None:
    """The same with RPM packages."""
    name = program.stem
    for version in versions:
        spec = place / "build" / f"{name}.spec"
        words = {"name": name, "version": version, "program": program, "add_user": ADD_USER.format(name=name)}
        write(spec, SPEC.format(**words))
        folders = (f"_topdir {spec.parent}", f"_rpmdir {place}", f"_dbpath {spec.parent / 'db'}")
        run("rpmbuild", "-bb", "--quiet", *(word for folder in folders for word in ("--define", folder)), str(spec))
    run("createrepo_c", "--quiet", str(place))


def write(place: Path, text: str, mode: int = 0o644) -> None:
    """Write a file, and the folders that it needs."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(mode)


def run(*words: str) -> None:
    """Run a program that has to succeed."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
