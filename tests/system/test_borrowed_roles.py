"""Services that roles of others deploy, unchanged, on a container: roles of collections, and one from roles_path.

Real: the roles as they are in the Python package `ansible`, Debian's packages by apt from its mirror, systemd. Of that
package's roles most install from their vendors' servers; these two need nothing but Debian's own packages.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from containers import ROOT, NoHosts, call, one_at_a_time
from system.home import Home, get, wait_for
from system.test_containers import ads

PROJECT = Path(__file__).with_name("projects") / "borrowed"
LIST = ROOT / "requirements" / "community.txt"
BORROWED = (
    "community/zabbix",
    "community/sops",
    "ansible/posix",
    "ansible/utils",
    "ansible/windows",
    "community/windows",
)
KEPT = ROOT / "build" / "community"

pytestmark = pytest.mark.slow


def collections() -> Path:
    """A folder with the collections that are borrowed, as the package `ansible` has them; downloaded once.

    Raises:
        NoHosts: they cannot be had here.
    """
    place = KEPT / LIST.read_text().split()[-1]
    with one_at_a_time("community"):
        if not place.exists():
            shutil.rmtree(KEPT, ignore_errors=True)
            half = KEPT / "half"
            call(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(half), "-r", str(LIST))
            (wheel,) = half.glob("*.whl")
            wanted = tuple(f"ansible_collections/{name}/" for name in BORROWED)
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(half, [name for name in packed.namelist() if name.startswith(wanted)])
            wheel.unlink()
            half.rename(place)
    return place


@pytest.fixture
def lodge(home: Home, containers: Mapping[str, Any]) -> Home:
    """A home with the project; the collections are beside ours."""
    try:
        borrowed = collections()
    except NoHosts as reason:
        pytest.skip(str(reason))
    home.environ["ANSIBLE_COLLECTIONS_PATH"] = f"{os.environ['ADS_TEST_MEETING_PLACE']}:{borrowed}"
    shutil.copytree(PROJECT, home.project)
    return home


@pytest.mark.req("A9", "A16")
def test_roles_of_others_deploy_services(lodge: Home) -> None:
    """Facts, defaults, handlers, dependencies, templates, become and packages work as their authors know it."""
    name = lodge.define_file(lodge.project / "borrowed.yml")
    ads(lodge, "environment", "deploy", name)
    shown = lodge.show(name)
    assert (shown["state"], shown["tests"]["passed"]) == ("live", 5)
    site = lodge.instance(name, "west/site-1")
    url, machine = f"http://{site['address']}:8080", site["machine"]
    assert get(f"{url}/") == (200, f"<title>west/site-1</title>west/site-1 welcomes you to {machine}\n")
    assert get(f"{url}/name") == (200, machine)

    # What the user changes reaches the role, whose handlers reload nginx.
    (lodge.project / "group_vars").mkdir()
    (lodge.project / "group_vars" / "ads_service_site.yml").write_text("site_name: www.example.com\n")
    again = lodge.play("deploy", name, cwd=lodge.project)
    assert (again.code, again.changed) == (0, {machine}), again.output
    # Those of nginx's workers that still run with the old settings answer for a moment.
    wait_for(lambda: get(f"{url}/name") == (200, "www.example.com"))
    again = lodge.play("deploy", name, cwd=lodge.project)
    assert (again.code, again.changed) == (0, set()), again.output
