"""The tables. Generations and constraints here have the last word on who holds what.

Columns stand in the order of the record's fields, so that a row becomes a record without a search for names.
A change to this file needs a new version under migrations/, and SCHEMA its number; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from adslib.adapters.store.columns import Document, Labels, Serial, UtcTime, Word, generation, one_of, where, word
from adslib.domain.job import JobKind
from adslib.domain.lifecycle import ACTIVE_JOB_STATES, EnvironmentState, JobState, MachineState

SCHEMA = "0007"
"""The number of the newest version under migrations/."""

VERSION_TABLE = "ads_version"
"""Where the number of a database's version stands; a name of our own, since others may live in the same database."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _environment(*, primary_key: bool = False, on_delete: str) -> Column[str]:
    return Column(
        "environment",
        Word,
        ForeignKey("environments.name", ondelete=on_delete),
        primary_key=primary_key,
        nullable=False,
    )


environments = Table(
    "environments",
    metadata,
    Column("name", Word, primary_key=True),
    word("state"),
    Column("revision", Integer, nullable=False),
    Column("deployed", Integer, nullable=False),
    Column("project", Text, nullable=False),
    Column("tests", Document),
    Column("live_despite", Text, nullable=False),
    word("tenant"),
    Column("created", UtcTime),
    generation(),
    CheckConstraint(one_of("state", EnvironmentState), name="state"),
)

revisions = Table(
    "revisions",
    metadata,
    _environment(primary_key=True, on_delete="CASCADE"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("tree", Document, nullable=False),
    Column("rendered", Document, nullable=False),
    Column("parameters", Document, nullable=False),
    Column("origin", Document, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),
    word("template"),
    Column("comment", Text, nullable=False),
    CheckConstraint("number > 0", name="number"),
)

templates = Table(
    "templates",
    metadata,
    Column("name", Word, primary_key=True),
    Column("tree", Document, nullable=False),
    Column("open", Document, nullable=False),
    Column("description", Text, nullable=False),
    Column("origin", Document, nullable=False),
    Column("created", UtcTime),
    Column("created_by", Text, nullable=False),
    word("tenant"),
    generation(),
)

machines = Table(
    "machines",
    metadata,
    Column("id", Word, primary_key=True),
    word("name"),
    word("gateway"),
    word("ref"),
    word("state"),
    word("kind"),
    word("size"),
    Column("cpu", Double, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("disk", BigInteger, nullable=False),
    word("os"),
    word("location"),
    word("image"),
    Column("reach", Document, nullable=False),
    Column("capabilities", Labels, nullable=False),
    Column("labels", Labels, nullable=False),
    Column("made", Boolean, nullable=False),
    Column("holder", Word, ForeignKey("environments.name", ondelete="RESTRICT")),
    Column("reason", Text, nullable=False),
    word("tenant"),
    generation(),
    Column("on_request", Boolean, nullable=False, server_default=text("false")),
    Column("idle_since", UtcTime),
    UniqueConstraint("name"),
    CheckConstraint(one_of("state", MachineState), name="state"),
    # Two records of one real machine would let two environments hold it.
    Index("uq_machines_gateway_ref", "gateway", "ref", unique=True, **where("ref <> ''")),
    Index(None, "holder"),
    Index(None, "location"),
)

machine_locks = Table(
    "machine_locks",
    metadata,
    Column("machine_id", Word, ForeignKey("machines.id", ondelete="CASCADE"), primary_key=True),
    word("id"),
    Column("doing", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("owner", Document, nullable=False),
    Column("lease", UtcTime, nullable=False),
)

standings = Table(
    "standings",
    metadata,
    _environment(primary_key=True, on_delete="RESTRICT"),
    Column("instance", Word, primary_key=True),
    word("service"),
    Column("machine_id", Word, ForeignKey("machines.id", ondelete="RESTRICT"), nullable=False),
    word("version"),
    word("digest"),
    Column("failed", Boolean, nullable=False),
    Column("deployed_at", UtcTime),
    Column("detail", Document, nullable=False),
    Index(None, "machine_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Word, primary_key=True),
    # No foreign key: what was done stays known when the environment is deleted.
    word("environment"),
    word("kind"),
    word("state"),
    Column("plan", Document, nullable=False),
    Column("options", Document, nullable=False),
    Column("step", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", Document),
    Column("lease", UtcTime),
    Column("request_key", Word),
    Column("artifacts", Text, nullable=False),
    Column("result", Document, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created", UtcTime),
    Column("finished", UtcTime),
    word("tenant"),
    generation(),
    UniqueConstraint("request_key"),
    CheckConstraint(one_of("kind", JobKind), name="kind"),
    CheckConstraint(one_of("state", JobState), name="state"),
    Index(None, "environment"),
    Index("uq_jobs_active", "environment", unique=True, **where(one_of("state", ACTIVE_JOB_STATES))),
)

plans = Table(
    "plans",
    metadata,
    Column("id", Word, primary_key=True),
    _environment(on_delete="CASCADE"),
    Column("plan", Document, nullable=False),
    Column("created", UtcTime, nullable=False),
    Index(None, "environment"),
)

gateways = Table(
    "gateways",
    metadata,
    Column("name", Word, primary_key=True),
    word("kind"),
    Column("options", Document, nullable=False),
    Column("created", UtcTime),
)

# How far a gateway was read. No foreign key: gateways that are always there have no row.
refreshes = Table(
    "refreshes",
    metadata,
    Column("gateway", Word, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("failure", Text, nullable=False),
)

pool_rules = Table(
    "pool_rules",
    metadata,
    Column("name", Word, primary_key=True),
    word("size"),
    Column("ceiling", Integer, nullable=False),
    word("gateway"),
    word("os"),
    word("location"),
    Column("spare", Integer, nullable=False),
    Column("grow_at", Integer, nullable=False),
    Column("floor", Integer, nullable=False),
    Column("shrink_after", BigInteger, nullable=False),
    Column("cooldown", BigInteger, nullable=False),
    word("tenant"),
    Column("acted", UtcTime),
)

# The log outlives what it speaks of: no foreign keys.
events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("level", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    # The sentence without case: neither database folds all letters by itself in every locale.
    Column("folded", Text, nullable=False),
    word("environment"),
    word("machine"),
    word("job"),
    Column("data", Document, nullable=False),
    word("tenant"),
    Index("ix_events_environment", "environment", **where("environment <> ''")),
    Index(None, "at"),
)
