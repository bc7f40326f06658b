"""The tables of simulated clouds: beside those of the store, made on first use, no part of its migrations."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

# `serial` numbers what happens in a cloud; changing it comes first and so keeps writers to one cloud in line.
clouds = Table(
    "sim_clouds",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("serial", BigInteger, nullable=False),
)

machines = Table(
    "sim_machines",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("ref", String(40), primary_key=True),
    Column("id", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("power", Boolean, nullable=False),
    Column("boots", Boolean, nullable=False),
    Column("ready", Float, nullable=False),  # when it has booted, in seconds since 1970
    Column("size", String(63), nullable=False),
    Column("cpu", Float, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("disk", BigInteger, nullable=False),
    Column("os", String(255), nullable=False),
    Column("location", String(255), nullable=False),
    Column("image", String(255), nullable=False),
    Column("address", String(45), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("changed", BigInteger, nullable=False),
    UniqueConstraint("cloud", "id"),
    UniqueConstraint("cloud", "address"),
    Index("sim_machines_changed", "cloud", "changed"),
)

gone = Table(
    "sim_gone",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("ref", String(40), primary_key=True),
    Column("changed", BigInteger, nullable=False),
)

snapshots = Table(
    "sim_snapshots",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("ref", String(40), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("taken", String(40), nullable=False),
)

templates = Table(
    "sim_templates",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("os", String(255), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
)
