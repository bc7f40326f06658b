"""What every test can ask for, and the rule that a test names the requirement it proves.

Fixtures: `store_url` (a migrated, empty store; on SQLite and on PostgreSQL; `empty_again` empties it),
`bare_store_url` (the same without any table), `postgresql` and `bind` (the servers alone), `collections_path` (where
Ansible finds ads.deploy).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, flock
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from adslib.adapters.store import migrate
from adslib.adapters.store.schema import VERSION_TABLE, metadata
from name_servers import Bind
from servers import LONGEST_START, OnDemand, plain, session_folder

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MEETING_PLACE = "ADS_TEST_MEETING_PLACE"
SERVER = pytest.StashKey[OnDemand]()

settings.register_profile(
    "ads",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ads")


# The ids of the requirements there are.
KNOWN = {line.split()[0] for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")}


# ── the session ──────────────────────────────────────────────────────────────────────────────────────


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that picks a sample of the selected tests."""
    parser.addoption("--sample", type=int, metavar="N", help="run only N of the selected tests, spread evenly")
    parser.addoption(
        "--once-more", action="store_true", help="another run, on another Python: leave out what is the same"
    )


def pytest_configure(config: pytest.Config) -> None:
    """In the process that outlives all tests, stand ready to start servers; workers find it by the environment."""
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        place = session_folder("tests")
        os.environ[MEETING_PLACE] = str(place)
        # What a test starts keeps what it compiled: or each ansible-playbook would compile all of Ansible again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        # The programs of this virtual environment come first for whatever a test starts.
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        lay_collection(place)
    server = OnDemand(Path(os.environ[MEETING_PLACE]))
    config.stash[SERVER] = server
    if not is_worker:
        server.watcher.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers; this runs after Ctrl-C too."""
    server = config.stash.get(SERVER, None)
    if server and not hasattr(config, "workerinput"):
        server.end()
        shutil.rmtree(os.environ.pop(MEETING_PLACE), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse a requirement that does not exist, as an error of the file that names it."""
    report = yield
    for item in report.result:
        for marker in item.iter_markers("req") if isinstance(item, pytest.Item) else ():
            unknown = [name for name in marker.args if name not in KNOWN]
            if unknown or not marker.args:
                given = ", ".join(map(repr, unknown)) or "no id at all"
                report.outcome = "failed"
                report.longrepr = f"{item.name}: req marker with {given}; the ids stand in tests/{REQUIREMENTS.name}"
                return report
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a run on another Python would prove twice, and keep a sample if one is asked for."""
    if config.getoption("once_more"):
        same = [item for item in items if item.get_closest_marker("once") or _on_postgresql(item)]
        config.hook.pytest_deselected(items=same)
        items[:] = [item for item in items if item not in set(same)]
    wanted = config.getoption("sample")
    if wanted is not None and wanted < len(items):
        kept = {number * len(items) // wanted for number in range(wanted)}
        config.hook.pytest_deselected(items=[item for number, item in enumerate(items) if number not in kept])
        items[:] = [item for number, item in enumerate(items) if number in kept]


def _on_postgresql(item: pytest.Item) -> bool:
    """Whether a test is that on PostgreSQL, of those that run on each database."""
    given = getattr(item, "callspec", None)
    return given is not None and "postgresql" in {given.params.get("store_url"), given.params.get("bare_store_url")}


def lay_collection(place: Path) -> None:
    """Make ads.deploy findable for Ansible as it stands in the tree, without a copy."""
    namespace = place / "ansible_collections" / "ads"
    namespace.mkdir(parents=True)
    (namespace / "deploy").symlink_to(ROOT / "ads_collection")


# ── every test ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own ads or Ansible: homes of its own, nothing else set."""
    for name in list(os.environ):
        if name.startswith(("ADS_", "ANSIBLE_")) and not name.startswith("ADS_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ADS_HOME", str(tmp_path / "ads-home"))
    # Ansible keeps sockets under its home, so that path must be short.
    monkeypatch.setenv("ANSIBLE_HOME", str(Path(os.environ[MEETING_PLACE]) / worker))
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", os.environ[MEETING_PLACE])


@pytest.fixture(scope="session")
def worker() -> str:
    """The name of the process that runs this test: gw0, gw1, …, or main."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def collections_path() -> Path:
    """The folder to name in ANSIBLE_COLLECTIONS_PATH (every test has it set already)."""
    return Path(os.environ[MEETING_PLACE])


@pytest.fixture(scope="session")
def bind() -> Iterator[Bind]:
    """A BIND of this worker's own; it runs from the first `carry`."""
    server = Bind()
    yield server
    server.end()


# ── stores ───────────────────────────────────────────────────────────────────────────────────────────


def made_once(name: str, make: Callable[[], None]) -> None:
    """Do something once in a test session, whichever worker comes first; the others wait until it is done."""
    place = Path(os.environ[MEETING_PLACE])
    with (place / f"{name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (place / f"{name}.made").exists():
            make()
            (place / f"{name}.made").touch()


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """An SQLite store, migrated and empty, to copy."""
    path = Path(os.environ[MEETING_PLACE]) / "template.db"

    def make() -> None:
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    made_once("sqlite-template", make)
    return path


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> str:
    """The URL of this session's PostgreSQL, without a database; its user may make databases."""
    return request.config.stash[SERVER].ask()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str) -> str:
    """The name of a PostgreSQL database, migrated and empty, to copy."""
    name = "ads_template"

    def make() -> None:
        run_sql(postgresql, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(f"{postgresql}/{name}")

    made_once("postgresql-template", make)
    return name


def run_sql(server: str, statement: sql.Composed) -> None:
    """Run one statement as the server's superuser, outside any transaction."""
    with psycopg.connect(f"{plain(server)}/postgres", autocommit=True) as connection:
        connection.execute(statement)


def run_alone(server: str, statement: sql.Composed) -> None:
    """Run one statement that needs a database for itself, as soon as nobody is in it.

    Who has left it, or was sent away, is there until its process has ended. PostgreSQL itself waits five seconds for
    that, which is little where the host is very busy.
    """
    until = time.monotonic() + LONGEST_START
    while True:
        try:
            run_sql(server, statement)
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > until:
                raise
        else:
            return


@contextmanager
def own_database(server: str, template: str) -> Iterator[str]:
    """A copy of a template database, dropped afterwards with whoever is still connected; gives its URL."""
    name = f"ads_{uuid4().hex}"
    words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    run_alone(server, words.format(sql.Identifier(name), sql.Identifier(template)))
    yield f"{server}/{name}"
    run_alone(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgresql_database(postgresql: str, postgresql_template: str) -> Iterator[str]:
    """The URL of a migrated database of this process; whoever uses it empties it."""
    with own_database(postgresql, postgresql_template) as url:
        yield url


def empty(url: str) -> None:
    """Make a database as it was when it was copied: nobody else in it, no row, no further table.

    A new copy for each test costs forty times as much.
    """
    others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(f"{others} AND pid <> pg_backend_pid()")
        connection.execute("SET session_replication_role = replica")
        for (table,) in connection.execute("SELECT relname FROM pg_stat_user_tables").fetchall():
            if table in metadata.tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            elif table != VERSION_TABLE:
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))
        for (sequence,) in connection.execute("SELECT sequencename FROM pg_sequences").fetchall():
            connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence)))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store of this test's own: migrated and empty, once on each database."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copyfile(request.getfixturevalue('sqlite_template'), tmp_path / 'store.db')}"
    else:
        url = request.getfixturevalue("postgresql_database")
        yield url
        empty(url)


@pytest.fixture
def empty_again(store_url: str, sqlite_template: Path) -> Callable[[], object]:
    """What makes `store_url` as empty as it was at first, for tests that begin anew many times."""
    if store_url.startswith("postgresql"):
        return partial(empty, store_url)
    return partial(shutil.copyfile, sqlite_template, store_url.removeprefix("sqlite:///"))


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of this test's own without any table, for tests of the migrations themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
    else:
        with own_database(request.getfixturevalue("postgresql"), "template1") as url:
            yield url
