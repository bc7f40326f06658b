"""Gates over the Ansible collection; each works on a copy of its own under build/, where collections must live.

Usage: collection.py sanity | lint | importer | molecule | molecule-lxc | copy FOLDER

sanity    ansible-test sanity --local
lint      ansible-lint, production profile, offline
importer  ansible-galaxy collection build, then galaxy-importer on the tarball
molecule  molecule test, every scenario of every role, on a local machine; molecule-lxc: on a system container
copy      lay the collection at FOLDER/ansible_collections/ads/deploy
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "ads_collection"
BUILD = ROOT / "build"
BIN = Path(sys.executable).parent
PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# Tests of things that this collection does not have: PowerShell and shell scripts.
SKIPPED_SANITY = ["pslint", "shellcheck"]

BOOTSTRAP = '''\
"""Stands in for the script that ansible-test would download: runs the pip wheel beside it, from the registry."""
import runpy
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
wanted = [word for word in sys.argv[1:] if not word.startswith("--no-")]
sys.argv = ["pip", "install", "--no-index", "--find-links", str(here), *wanted]
sys.path.insert(0, str(next(here.glob("pip-{version}-*.whl"))))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def lay_copy(folder: Path) -> Path:
    """Copy the collection to the path that Ansible's tools insist on; they refuse a symlink."""
    target = folder / "ansible_collections" / "ads" / "deploy"
    shutil.rmtree(target, ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", "output", ".ansible", "*.tar.gz")
    shutil.copytree(SOURCE, target, symlinks=True, ignore=left_out)
    # The tools ask git what there is; the repository around build/ would answer that all of it is ignored.
    subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    return target


def environment(**more: str) -> dict[str, str]:
    """This process's environment with our programs first, and nothing in the user's Ansible settings having a say."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "ADS_"))}
    return {**kept, "PATH": f"{BIN}:{os.environ.get('PATH', os.defpath)}", "NO_COLOR": "1", **more}


def seed_pip(home: Path) -> None:
    """Put the pip that ansible-test wants where it looks before it downloads: its own source may be out of reach."""
    from ansible_test._internal.python_requirements import get_venv_packages

    version = get_venv_packages(SimpleNamespace(version=PYTHON_VERSION))["pip"]
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"pip-{version}-*.whl")):
        download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), f"pip=={version}"]
        subprocess.run([sys.executable, *download], check=True)
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    script.write_text(BOOTSTRAP.replace("{version}", version))


def pip_settings() -> dict[str, str]:
    """The user's pip settings and cache, named outright: with another HOME pip would not find them."""
    cache = {"PIP_CACHE_DIR": str(Path.home() / ".cache" / "pip")}
    for settings in (Path.home() / ".config" / "pip" / "pip.conf", Path.home() / ".pip" / "pip.conf"):
        if settings.exists():
            return {**cache, "PIP_CONFIG_FILE": str(settings)}
    return cache


def sanity() -> int:
    """Run ansible-test sanity with a home of its own, so that the user's stays as it is."""
    place = BUILD / "sanity"
    home = place / "home"
    seed_pip(home)
    copy = lay_copy(place)
    skipped = [word for name in SKIPPED_SANITY for word in ("--skip-test", name)]
    command = [str(BIN / "ansible-test"), "sanity", "--local", "--python", PYTHON_VERSION, "--color", "no", *skipped]
    own = environment(HOME=str(home), **pip_settings())
    code = 0
    with subprocess.Popen(
        command, cwd=copy, env=own, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            # It calls a run that looked at no file a success.
            code |= int("All targets skipped" in line)
    return running.returncode or code


def lint() -> int:
    """Run ansible-lint over the collection with its strictest profile."""
    place = BUILD / "lint"
    copy = lay_copy(place)
    command = [str(BIN / "ansible-lint"), "--offline", "--strict", "--profile", "production", "--nocolor", "-q"]
    own = environment(ANSIBLE_COLLECTIONS_PATH=str(place), ANSIBLE_HOME=str(place / "ansible"))
    return subprocess.run(command, cwd=copy, env=own).returncode


def importer() -> int:
    """Build the tarball as for a release and let Galaxy's importer judge it."""
    place = BUILD / "importer"
    copy = lay_copy(place)
    own = environment(ANSIBLE_HOME=str(place / "ansible"), GALAXY_IMPORTER_CONFIG=str(ROOT / "tools" / "galaxy.cfg"))
    build = [str(BIN / "ansible-galaxy"), "collection", "build", "--force", "--output-path", str(place), str(copy)]
    if subprocess.run(build, env=own).returncode:
        return 1
    tarball = max(place.glob("ads-deploy-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    done = subprocess.run(
        [sys.executable, "-m", "galaxy_importer.main", str(tarball)], cwd=place, env=own, capture_output=True, text=True
    )
    report = done.stdout + done.stderr
    print(report)
    return done.returncode or int("ERROR" in report or "WARNING" in report)


def molecule(**machine: str) -> int:
    """Run the molecule scenarios, wherever in the collection they stand; all of them, also after one failed.

    Args:
        machine: variables that choose the machines; without any they are local ones.
    """
    place = BUILD / "molecule"
    copy = lay_copy(place)
    folders = sorted({path.parent.parent.parent for path in copy.rglob("molecule/*/molecule.yml")})
    home = place / "ansible"
    # What a run that was cut off noted there would have molecule think that machines are there.
    shutil.rmtree(home, ignore_errors=True)
    own = environment(ANSIBLE_COLLECTIONS_PATH=str(place), ANSIBLE_HOME=str(home), **machine)
    # A scenario without its machine proves nothing.
    own["ANSIBLE_HOST_PATTERN_MISMATCH"] = "error"
    failed = []
    for folder in folders:
        print(f"molecule: {folder.relative_to(copy)}", flush=True)
        if subprocess.run([str(BIN / "molecule"), "test", "--all"], cwd=folder, env=own).returncode:
            failed.append(str(folder.relative_to(copy)))
    print(f"molecule: {len(folders)} with scenarios; failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


def molecule_on_containers() -> int:
    """The same on containers, in a home of ads of its own; what they stand on is kept for the next time."""
    home = BUILD / "molecule" / "home"
    return_machines(home)
    look = [str(BIN / "ads"), "gateway", "add", "molecule", "--kind", "lxc", "--dry-run"]
    try:
        if code := subprocess.run(look, env=environment(ADS_HOME=str(home))).returncode:
            return code
        return molecule(MACHINE="container", MACHINE_CACHE=str(BUILD / "hosts"), ADS_HOME=str(home))
    finally:
        return_machines(home)


def return_machines(home: Path) -> None:
    """Delete the machines that a scenario which was cut off left, and then their home."""
    if (home / "ads.db").exists():
        own = environment(ADS_HOME=str(home))
        command = [str(BIN / "ads"), "machine"]
        listed = subprocess.run([*command, "list", "--format", "json"], env=own, check=True, capture_output=True)
        for machine in json.loads(listed.stdout):
            subprocess.run([*command, "remove", machine["name"]], env=own, check=True)
    shutil.rmtree(home, ignore_errors=True)


def main(words: list[str]) -> int:
    """Run the gate that is asked for."""
    match words:
        case ["sanity"]:
            return sanity()
        case ["lint"]:
            return lint()
        case ["importer"]:
            return importer()
        case ["molecule"]:
            return molecule()
        case ["molecule-lxc"]:
            return molecule_on_containers()
        case ["copy", folder]:
            print(lay_copy(Path(folder)))
            return 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
