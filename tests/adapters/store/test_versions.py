"""Versions of the schema and the way between them, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, delete, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from adapters.store.contest import all_at_once
from adapters.store.records import NOON
from adslib.adapters.store import migrate, open_store, schema, store
from adslib.adapters.store.address_schema import dns_published
from adslib.adapters.store.connecting import checked_url
from adslib.adapters.store.database import Database
from adslib.adapters.store.schema import SCHEMA, VERSION_TABLE, metadata
from adslib.domain.environment import Environment, Revision, Standing, Template
from adslib.domain.errors import Conflict, Failed
from adslib.domain.event import Event, EventFilter, EventLevel
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.job import Job
from adslib.domain.machine import Machine


@pytest.fixture
def bare(bare_store_url: str) -> Iterator[Engine]:
    """An engine of one's own on a database without any table."""
    engine = create_engine(bare_store_url)
    yield engine
    engine.dispose()


def described(connection: Connection) -> dict[str, Any]:
    """Everything that a database knows of its tables, without the table of versions."""
    inspector = inspect(connection)
    tables = set(inspector.get_table_names()) - {VERSION_TABLE}
    return {
        table: {
            "columns": [
                (c["name"], c["type"].compile(connection.dialect), c["nullable"], c["default"], c.get("autoincrement"))
                for c in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(inspector.get_foreign_keys(table), key=repr),
            "unique": sorted(inspector.get_unique_constraints(table), key=repr),
            "checks": sorted(inspector.get_check_constraints(table), key=repr),
            "indexes": sorted((plain_index(index) for index in inspector.get_indexes(table)), key=repr),
        }
        for table in sorted(tables)
    }


def alembic_config() -> Config:
    """Where Alembic finds our migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).with_name("migrations")))
    return config


def plain_index(index: Any) -> tuple[Any, ...]:
    """An index in a form that compares: SQLAlchemy keeps its condition as an object."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return index["name"], index["column_names"], bool(index["unique"]), options


@pytest.mark.req("A22")
def test_an_empty_database_comes_to_the_newest_version(bare_store_url: str) -> None:
    migrate(bare_store_url)
    with open_store(bare_store_url) as opened:
        assert opened.schema_version() == (SCHEMA, SCHEMA)
        with opened.transaction() as tx:
            tx.environments.add(Environment("shop"))
    migrate(bare_store_url)
    with open_store(bare_store_url) as opened, opened.reading() as tx:
        assert tx.environments.find("shop")


@pytest.mark.req("A22")
def test_the_tables_are_what_the_migrations_make(bare_store_url: str, bare: Engine) -> None:
    migrate(bare_store_url)
    with bare.connect() as connection:
        # What `alembic check` looks at.
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        made = described(connection)
    with bare.begin() as connection:
        metadata.drop_all(connection)
        assert described(connection) == {}
        metadata.create_all(connection)
        # And what it does not look at: checks, conditions of indexes, collations.
        assert made == described(connection)


def test_the_number_in_the_code_is_that_of_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_heads() == [SCHEMA]
    assert [script.revision for script in scripts.walk_revisions()] == [
        f"{number:04}" for number in range(int(SCHEMA), 0, -1)
    ]


@pytest.mark.parametrize(
    ("table", "record"),
    [
        (schema.environments, Environment),
        (schema.revisions, Revision),
        (schema.templates, Template),
        (schema.standings, Standing),
        (schema.jobs, Job),
        (schema.gateways, GatewaySetting),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_columns_stand_in_the_order_of_the_fields(table: Any, record: Any) -> None:
    assert [column.name for column in table.columns] == [field.name for field in fields(record)]


@pytest.mark.parametrize(
    ("table", "record", "beside"),
    [(schema.machines, Machine, {"cpu", "memory", "disk"}), (schema.events, Event, {"folded"})],
    ids=["machines", "events"],
)
def test_every_field_has_a_column(table: Any, record: Any, beside: set[str]) -> None:
    assert {column.name for column in table.columns} == {field.name for field in fields(record)} | beside


@pytest.mark.req("A22")
def test_processes_that_migrate_at_once_wait_for_each_other(bare_store_url: str) -> None:
    def act(url: str, number: int) -> tuple[str, str]:
        if number % 2 or url.startswith("postgresql"):
            migrate(url)
        with open_store(url) as opened:
            return opened.schema_version()

    assert all_at_once(bare_store_url, 6, act) == [(SCHEMA, SCHEMA)] * 6


def set_version(bare: Engine, number: str) -> None:
    """Let a database claim another version."""
    with bare.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :number"), {"number": number})


@pytest.mark.req("A22")
def test_an_older_schema_is_refused_with_the_way_forward(bare_store_url: str, bare: Engine) -> None:
    migrate(bare_store_url)
    set_version(bare, "0000")
    with pytest.raises(Conflict, match=rf"schema 0000, this ads needs {SCHEMA}.*ads doctor --migrate") as caught:
        open_store(bare_store_url)
    assert "***" in str(caught.value) or bare_store_url.startswith("sqlite")
    with open_store(bare_store_url, check=False) as opened:
        assert opened.schema_version() == ("0000", SCHEMA)


@pytest.mark.req("A22")
@pytest.mark.parametrize("act", [open_store, migrate])
def test_a_newer_schema_is_refused_with_the_way_forward(bare_store_url: str, bare: Engine, act: Any) -> None:
    migrate(bare_store_url)
    set_version(bare, "9999")
    with pytest.raises(Conflict, match=rf"schema 9999, which is newer than the {SCHEMA} .* Install the newer adslib"):
        act(bare_store_url)


@pytest.mark.req("A22")
def test_only_an_empty_sqlite_file_is_made_ready_by_itself(bare_store_url: str) -> None:
    if bare_store_url.startswith("sqlite"):
        with open_store(bare_store_url) as opened:
            assert opened.schema_version() == (SCHEMA, SCHEMA)
    else:
        with pytest.raises(Conflict, match=rf"no schema yet, this ads needs {SCHEMA}.*ads doctor --migrate"):
            open_store(bare_store_url)
        with open_store(bare_store_url, check=False) as opened:
            assert opened.schema_version() == ("", SCHEMA)


def test_the_tables_of_others_are_left_alone(bare_store_url: str, bare: Engine) -> None:
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (a INTEGER)"))
    if bare_store_url.startswith("sqlite"):
        for act in (open_store, migrate):
            with pytest.raises(Conflict, match="database of another program: it has a table 'theirs'"):
                act(bare_store_url)
        assert inspect(bare).get_table_names() == ["theirs"]
    else:
        # A PostgreSQL database may well be shared.
        migrate(bare_store_url)
        assert {"theirs", "machines"} <= set(inspect(bare).get_table_names())


def test_a_migration_that_fails_leaves_nothing(bare_store_url: str, bare: Engine) -> None:
    with bare.begin() as connection:
        connection.execute(text("CREATE VIEW events AS SELECT 1 AS a"))
    with pytest.raises(Failed, match="events"):
        migrate(bare_store_url)
    assert inspect(bare).get_table_names() == []


# As the rows were in that version, whatever the code makes of them now.
NETWORK: dict[str, Any] = dict.fromkeys(("lan", "datacenter", "owner", "zone", "pattern"), "")
NETWORK |= {"id": "n", "name": "blue", "space": "default", "version": 4, "first": bytes(16), "last": b"\1" * 16}
NETWORK |= {"length": 8, "role": "container", "tenant": "default", "resolvers": [], "held": [], "tags": {}}
NETWORK |= dict.fromkeys(("position", "cooldown", "generation"), 0)
ADDRESS: dict[str, Any] = dict.fromkeys(("stem", "link", "service", "environment", "machine"), "")
ADDRESS |= {"id": "a", "network": "n", "space": "default", "version": 4, "number": bytes(16), "zone": "west"}
ADDRESS |= {"label": "web", "place": 2**62, "why": "%s", "tenant": "default", "given": NOON, "actor": "ann"}


@pytest.mark.req("A22", "I2")
def test_addresses_stay_and_keep_their_keys_as_names_get_an_index_of_their_own(bare_store_url: str) -> None:
    database, config, tables = Database(checked_url(bare_store_url)), alembic_config(), MetaData()
    unnamed = [{**ADDRESS, "id": str(number), "number": bytes([number] * 16), "label": None} for number in range(1, 99)]
    with database.transaction(writable=True) as (connection, _):
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        tables.reflect(connection)
        networks, addresses = tables.tables["networks"], tables.tables["addresses"]
        connection.execute(insert(networks), NETWORK)
        connection.execute(insert(addresses), [ADDRESS, {**ADDRESS, "id": "b", "label": "only", "number": None}])
        connection.execute(insert(addresses), unnamed)
        before = {connection.execute(select(addresses).where(addresses.c.id == id)).one() for id in "a1"}
    with database.transaction(writable=True) as (connection, _):
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        found = connection.execute(select(addresses)).all()
        assert len(found) == 100
        assert before < set(found)
        for refused in (
            insert(addresses).values({**ADDRESS, "id": "c", "label": None}),
            insert(addresses).values({**ADDRESS, "id": "c", "number": None}),
            insert(addresses).values({**ADDRESS, "id": "c", "number": None, "label": None, "network": "nowhere"}),
            delete(networks),
        ):
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(refused)
    database.close()


@pytest.mark.req("A22", "A21")
def test_the_log_keeps_its_lines_and_their_order_as_it_becomes_lighter(bare_store_url: str) -> None:
    database, config, tables = Database(checked_url(bare_store_url)), alembic_config(), MetaData()
    old: dict[str, Any] = dict.fromkeys(("actor", "text", "folded", "environment", "machine", "job", "tenant"), "shop")
    old |= {"at": NOON.replace(tzinfo=None), "level": 20, "data": {"%s": [1.0, True]}}
    with database.transaction(writable=True) as (connection, _):
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        tables.reflect(connection)
        connection.execute(insert(tables.tables["events"]), [{**old, "text": text} for text in ("one", "two")])
    database.close()
    migrate(bare_store_url)
    with open_store(bare_store_url) as opened:
        with opened.transaction() as tx:
            tx.events.add(Event(NOON, EventLevel.INFO, "ann", "three", environment="shop"))
        with opened.reading() as tx:
            found = tx.events.list(EventFilter(environment="shop"))
    assert [(line.id, line.text, line.data) for line in found] == [
        (3, "three", {}), (2, "two", old["data"]), (1, "one", old["data"]),
    ]  # fmt: skip


@pytest.mark.req("A22", "I4")
def test_names_that_were_published_before_are_known_and_those_that_wait_are_not(bare_store_url: str) -> None:
    database, config, tables = Database(checked_url(bare_store_url)), alembic_config(), MetaData()
    zone: dict[str, Any] = dict.fromkeys(("server", "key_name", "algorithm", "secret", "tenant", "failure"), "")
    zone |= {"name": "west", "port": 53, "reverse": ["0.10.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"], "ttl": 300}

    def named(label: str | None, number: int | None, **other: Any) -> dict[str, Any]:
        place = None if number is None else number.to_bytes(16, "big")
        return {**ADDRESS, "id": f"{label}{number}", "label": label, "number": place, **other}

    far, six = 0x0A010001, 0x20010DB8 << 96 | 7
    given = [named("web", 0x0A000001), named("late", 0x0A000002), named(None, 0x0A000003), named("alone", None)]
    given += [named("web", 0x0A000004, zone="unpublished"), named("twin", 0x0A000001, space="b"), named("far", far)]
    given += [named("six", six, version=6)]
    with database.transaction(writable=True) as (connection, _):
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        tables.reflect(connection)
        connection.execute(insert(tables.tables["zones"]), zone)
        for each in given:
            connection.execute(insert(tables.tables["addresses"]), each)
        waiting = [{"zone": "west", "name": name, "at": NOON} for name in ("late.west.", "2.0.0.10.in-addr.arpa.")]
        connection.execute(insert(tables.tables["dns_changes"]), waiting)
    migrate(bare_store_url)
    pointer = f"7.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa."
    with database.transaction(writable=False) as (connection, _):
        found = connection.execute(select(dns_published).order_by(dns_published.c.name)).all()
    database.close()
    names = ["1.0.0.10.in-addr.arpa.", pointer, "far.west.", "six.west.", "twin.west.", "web.west."]
    assert [tuple(row) for row in found] == [("west", name) for name in names]
