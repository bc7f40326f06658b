"""Instance templates come from anywhere: nothing in one reaches outside the machine that is made from it (A8)."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gateways.subjects import Subject, order
from adslib.adapters.gateways.directories import archives
from adslib.domain.errors import Invalid

pytestmark = pytest.mark.req("A8")

FILE, LINK, HARD, DEVICE, FOLDER = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE
Member = tuple[str, bytes, str]


def write(path: Path, members: list[Member], mode: int = 0o755) -> Path:
    """Write a tar file of members that no honest tar would write."""
    with tarfile.open(path, "w") as archive:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, target, mode
            data = b"content" if kind == FILE else b""
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([("../up", FILE, "")], "'../up' lies outside"),
        ([("/etc/passwd", FILE, "")], "'/etc/passwd' lies outside"),
        ([("a/../../up", FILE, "")], "lies outside"),
        ([("a", LINK, "/etc")], "'a' is a link to '/etc', outside"),
        ([("a/b", LINK, "../../etc")], "is a link to '../../etc', outside"),
        ([("a", LINK, "."), ("a/b", FILE, "")], "'a/b' is reached through a link"),
        ([("a/b", FILE, ""), ("a", LINK, ".")], "'a/b' is reached through a link"),
        ([("a/b/x", LINK, "../.."), ("y", LINK, "a/b/x/..")], "'y' is a link to 'a/b/x/..', outside"),
        ([("y", LINK, "a/b/x/.."), ("a/b/x", LINK, "../..")], "'y' is a link to 'a/b/x/..', outside"),
        ([("a", LINK, "b"), ("b", LINK, "a")], "outside"),
        ([("a", HARD, "/etc/passwd")], "is a hard link to '/etc/passwd', which is no file before it"),
        ([("a", HARD, "../up")], "is no file before it"),
        ([("l", LINK, "f"), ("f", FILE, ""), ("h", HARD, "l")], "is no file before it"),
        ([("a", LINK, "b"), ("b", FILE, ""), ("a", FILE, "")], "'a' appears twice"),
        ([("a", FILE, ""), ("a/b", FILE, "")], "'a/b' lies in what is no directory"),
        ([(".", FILE, "")], "would take the place of the whole machine"),
        ([("null", DEVICE, "")], "'null' is a device or something unknown"),
    ],
)
def test_a_template_that_reaches_outside_is_refused(
    local: Subject, tmp_path: Path, members: list[Member], why: str
) -> None:
    gateway = local.open()
    with pytest.raises(Invalid) as refused:
        gateway.upload_template("evil", str(write(tmp_path / "evil.tar", members)))
    assert why in str(refused.value)
    assert [template.name for template in gateway.templates()] == ["minimal"]


def test_all_that_is_wrong_is_told_at_once(local: Subject, tmp_path: Path) -> None:
    file = write(tmp_path / "evil.tar", [("../a", FILE, ""), ("good", FILE, ""), ("b", LINK, "/")])
    with pytest.raises(Invalid) as refused:
        local.open().upload_template("evil", str(file))
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("content", [b"", b"no tar file at all", b"\x1f\x8b\x08" + bytes(99)])
def test_what_is_no_tar_file_is_refused(local: Subject, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(Invalid, match="it is no tar file"):
        local.open().upload_template("mine", str(tmp_path / "x.tar"))


def test_honest_links_are_kept_and_nobody_becomes_another_user(local: Subject, tmp_path: Path) -> None:
    members = [
        ("opt", FOLDER, ""),
        ("opt/app-1/tool", FILE, ""),
        ("opt/app", LINK, "app-1"),
        ("bin", LINK, "./opt/app"),
        ("same", HARD, "opt/app-1/tool"),
    ]
    gateway = local.open()
    gateway.upload_template("mine", str(write(tmp_path / "t.tar", members, mode=0o6755)))
    root = Path(gateway.create(order(image="mine")).reach.root)
    assert (root / "bin/tool").read_bytes() == b"content"
    assert (root / "same").samefile(root / "opt/app/tool")
    status = (root / "opt/app-1/tool").stat()
    assert (status.st_mode & 0o7777, status.st_uid) == (0o755, os.geteuid())


PARTS = st.sampled_from(["a", "b", "c", ".", "..", ""])
PATHS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
MEMBERS = st.lists(st.tuples(PATHS, st.sampled_from([FILE, LINK, HARD, FOLDER]), PATHS), min_size=1, max_size=7)


@given(MEMBERS)
def test_whatever_is_accepted_stays_inside(members: list[Member]) -> None:
    with tempfile.TemporaryDirectory() as place:
        top = Path(place).resolve()
        root = top / "deep" / "root"
        root.parent.mkdir()
        file = write(top / "t.tar", members)
        try:
            archives.check(file)
        except Invalid:
            return
        archives.unpack(file, root, own=False)
        assert {path.name for path in top.iterdir()} == {"deep", "t.tar"}
        assert [path.name for path in root.parent.iterdir()] == ["root"]
        for path in root.rglob("*"):
            end = Path(os.path.realpath(path))
            assert end == root or root in end.parents
