"""Opening a store: where it may lie, whom it lets in, and what is said when it does not work."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from adapters.store.contest import FORK, LONGEST, all_at_once
from adslib.adapters.store import migrate, open_store, preload
from adslib.adapters.store.connecting import checked_url, shown
from adslib.adapters.store.location import filesystem_of, prepare_file, refuse_network
from adslib.domain.environment import Environment
from adslib.domain.errors import AdsError, Conflict, Failed, Invalid
from servers import plain

SECRET = "hush-hush"


@pytest.mark.req("A22")
def test_an_sqlite_store_is_made_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "new" / "deeper" / "ads.db"
        with open_store(f"sqlite:///{path}") as store, store.transaction() as tx:
            tx.environments.add(Environment("shop"))
            made = [path.parent.parent, path.parent, *path.parent.iterdir()]
    finally:
        os.umask(before)
    assert len(made) == 5, "the log and the index of it are there while a transaction is open"
    for place in made:
        assert not stat.S_IMODE(place.stat().st_mode) & 0o077 if place.exists() else True


@pytest.mark.req("A22")
@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_an_empty_store_stands_in_where_none_may_be_made(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "home" / "ads.db"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    before = set(tmp_path.rglob("*"))
    with open_store(f"sqlite:///{path}", create=False) as store, store.reading() as tx:
        stand_in = Path(store.url.removeprefix("sqlite:///"))
        assert stand_in.is_file()
        assert tx.environments.list() == []
    assert not stand_in.parent.exists()
    assert set(tmp_path.rglob("*")) == before
    migrate(f"sqlite:///{path}")
    with open_store(f"sqlite:///{path}", create=False) as store:
        assert store.url == f"sqlite:///{path}"


def test_what_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    path = tmp_path / "ads.db"
    path.touch()
    path.chmod(0o640)
    open_store(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_relative_path_is_kept_when_the_directory_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///ads.db") as store:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        with store.reading() as tx:
            assert tx.environments.list() == []
    assert (tmp_path / "ads.db").exists()


@pytest.mark.req("A22")
def test_sqlite_is_set_up_to_last(tmp_path: Path) -> None:
    path = tmp_path / "with space ü%41.db"
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"mysql://ads:{SECRET}@db/ads", "ads does not keep its store in 'mysql'"),
        (f"postgresql://ads:{SECRET}@db/ads", "does not keep its store in 'postgresql'.*postgresql\\+psycopg://"),
        (f"postgresql+psycopg2://ads:{SECRET}@db/ads", "in 'postgresql\\+psycopg2'"),
        (f"postgresql+psycopg://ads:{SECRET}@db", "names no database"),
        (f"postgresql+psycopg://ads:{SECRET}@db:port/ads", "what follows 'postgresql\\+psycopg://' is no URL"),
        (f"{SECRET}/ads.db", "a store is named by a URL.*sqlite:////absolute"),
        ("", "a store is named by a URL"),
        ("sqlite://", "a file, named without a host"),
        ("sqlite:///:memory:", "a file, named without a host"),
        (f"sqlite:///ads.db?key={SECRET}", "without options"),
        ("sqlite://ads.db", "without a host"),
        (f"sqlite://ads:{SECRET}@db/ads.db", "without a host"),
        ("sqlite+pysqlite:///ads.db", "in 'sqlite\\+pysqlite'"),
        ("sqlite:///~/ads.db", "'~' means nothing in a URL"),
    ],
)
def test_a_wrong_url_is_refused_and_never_shown_with_its_password(url: str, message: str) -> None:
    for act in (open_store, migrate, preload):
        with pytest.raises(Invalid, match=message) as caught:
            act(url)
        assert SECRET not in str(caught.value)


def test_a_url_is_shown_without_password_and_options() -> None:
    url = checked_url(f"postgresql+psycopg://ads:{SECRET}@db/ads?sslpassword={SECRET}")
    assert shown(url) == "postgresql+psycopg://ads:***@db/ads"
    assert shown(checked_url("sqlite:////var/lib/100%41.db")) == "sqlite:////var/lib/100%41.db"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=f"{tmp_path} is a directory. Name a file in it: sqlite:///{tmp_path}/ads.db"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_in_place_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match=rf"{tmp_path}/file/ads.db cannot be made: {tmp_path}/file is no directory"):
        open_store(f"sqlite:///{tmp_path}/file/ads.db")


@pytest.mark.parametrize("content", [b"no database at all\n" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(Failed, match=r"notes.txt: the store does not work: the file is (no SQLite database|damaged)"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == content


def as_nobody(act: Callable[[], None]) -> str:
    """What an act says that goes wrong, done by somebody who is not root."""
    here, there = FORK.Pipe(duplex=False)

    def run() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            act()
        except AdsError as error:
            there.send(f"{type(error).__name__}: {error}")
        else:
            there.send("")

    process = FORK.Process(target=run)
    process.start()
    there.close()
    with here:
        said = here.recv()
    process.join()
    return str(said)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that everybody can look into; pytest closes its own whenever another run of it begins."""
    with TemporaryDirectory(prefix="ads-open-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


def test_an_unwritable_directory_is_named(open_path: Path) -> None:
    locked = open_path / "locked"
    locked.mkdir(mode=0o555)
    said = as_nobody(lambda: open_store(f"sqlite:///{locked}/ads.db").close())
    assert said.startswith(f"Failed: the store {locked}/ads.db cannot be made: {locked}/ads.db: Permission denied")
    assert "ADS_HOME" in said


def test_an_unreadable_file_is_named(open_path: Path) -> None:
    path = open_path / "ads.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0)
    said = as_nobody(lambda: open_store(f"sqlite:///{path}").close())
    assert f"sqlite:///{path}: the store does not work: it cannot be opened" in said


def test_a_file_that_is_only_readable_is_named(open_path: Path) -> None:
    path = open_path / "ads.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0o444)

    def write() -> None:
        with open_store(f"sqlite:///{path}") as store, store.transaction() as tx:
            tx.environments.add(Environment("shop"))

    said = as_nobody(write)
    assert f"Failed: sqlite:///{path}: the store does not work: it cannot be" in said
    assert "yours to" in said


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw,vers=4.2
31 22 0:41 / /home/local\\040disk rw shared:7 master:3 - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/share rw - cifs //server/share rw
33 32 0:43 / /mnt/share rw - tmpfs tmpfs rw
34 22 0:44 / /srv/ssh rw - fuse.sshfs host:/ rw
broken line
"""


@pytest.mark.req("A22")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/ads", "ext4"),
        ("/home/ann", "nfs4"),
        ("/homely", "ext4"),
        ("/home/local disk/ann", "xfs"),
        ("/mnt/share/ads", "tmpfs"),
        ("/srv/ssh", "fuse.sshfs"),
    ],
)
def test_the_filesystem_of_a_path_is_that_of_the_nearest_mount(tmp_path: Path, path: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert filesystem_of(Path(path), mounts) == kind


@pytest.mark.req("A22")
def test_a_network_filesystem_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {tmp_path} rw - nfs4 server:/home rw\n")
    with pytest.raises(Invalid, match=r"network filesystem \(nfs4\), where SQLite loses data.*PostgreSQL"):
        prepare_file(tmp_path / "new" / "ads.db", mounts)
    assert not (tmp_path / "new").exists()
    (tmp_path / "link").symlink_to("/")
    refuse_network(tmp_path / "link", mounts)
    refuse_network(tmp_path, tmp_path / "no such file")


def test_this_machine_tells_its_filesystems() -> None:
    assert filesystem_of(Path("/proc")) == "proc"


@pytest.mark.req("A22")
def test_a_wrong_password_is_refused_without_showing_it(postgresql: str) -> None:
    host = postgresql.rpartition("@")[2]
    with pytest.raises(Failed, match=r"the server refuses this user or password.*ADS_DATABASE_URL") as caught:
        open_store(f"postgresql+psycopg://ads:{SECRET}@{host}/postgres")
    assert SECRET not in str(caught.value)
    assert f"postgresql+psycopg://ads:***@{host}/postgres" in str(caught.value)


@pytest.mark.req("A22")
def test_a_database_or_a_server_that_is_not_there_is_named(postgresql: str) -> None:
    with pytest.raises(Failed, match=r"no such database on the server.*createdb"):
        open_store(f"{postgresql}/nowhere")
    with pytest.raises(Failed, match=r"the server does not answer.*Check that it runs"):
        open_store(f"postgresql+psycopg://ads:{SECRET}@127.0.0.1:1/ads")


@pytest.mark.req("A22")
def test_a_lock_that_is_held_too_long_is_named(store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("adslib.adapters.store.connecting.LONGEST_WAIT", 1)
    with open_store(store_url) as store, open_store(store_url) as other:
        with store.transaction() as tx:
            tx.environments.add(Environment("shop"))
        with store.transaction() as tx:
            tx.environments.update(tx.environments.get("shop"))

            def wait() -> None:
                with other.transaction() as waiting:
                    waiting.environments.update(waiting.environments.get("shop"))

            with pytest.raises(Failed, match="somebody else has kept it locked"):
                wait()


@pytest.mark.req("A22", "A23")
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_store_goes_on_after_the_server_dropped_its_connections(store_url: str) -> None:
    # The server's own processes come and go there, too.
    ours = "application_name = 'ads' AND datname = current_database()"
    with open_store(store_url) as store:
        with store.reading() as tx:
            assert tx.environments.list() == []
        with psycopg.connect(plain(store_url), autocommit=True) as connection:
            ended = connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
            assert ended.fetchall() == [(True,)]
        with store.transaction() as tx:
            tx.environments.add(Environment("shop"))


@pytest.mark.req("A23")
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_connection_that_breaks_in_a_transaction_fails_it_and_no_other(store_url: str) -> None:
    def write() -> None:
        with store.transaction() as tx:
            tx.environments.add(Environment("half"))
            with psycopg.connect(plain(store_url), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ads'"
                    " AND datname = current_database()"
                )
            tx.environments.add(Environment("other half"))

    with open_store(store_url) as store:
        with pytest.raises(Failed, match=r"the store does not work: the server"):
            write()
        with store.reading() as tx:
            assert tx.environments.list() == []


@pytest.mark.req("A23")
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_two_changes_that_cross_end_in_a_conflict_for_one(store_url: str) -> None:
    both = FORK.Barrier(2)

    def act(url: str, number: int) -> str:
        mine, others = ("a", "b") if number else ("b", "a")
        try:
            with open_store(url) as store, store.transaction() as tx:
                tx.environments.update(tx.environments.get(mine))
                both.wait(LONGEST)
                tx.environments.update(tx.environments.get(others))
        except Conflict as error:
            return str(error)
        return "done"

    with open_store(store_url) as store, store.transaction() as tx:
        tx.environments.add(Environment("a"))
        tx.environments.add(Environment("b"))
    first, second = sorted(all_at_once(store_url, 2, act))
    assert first == "done"
    assert "two changes crossed" in second


def test_opening_a_ready_store_does_not_import_alembic(store_url: str) -> None:
    code = (
        "import sys; from adslib.adapters.store import open_store; open_store(sys.argv[1]).close();"
        "sys.exit('alembic' in sys.modules or 'sqlalchemy.orm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, store_url]).returncode == 0


def test_the_conflict_of_a_strange_database_says_which(tmp_path: Path) -> None:
    path = tmp_path / "strange.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(Conflict, match=r"strange.db: the file is a database of another program"):
        open_store(f"sqlite:///{path}")
