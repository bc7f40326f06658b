"""The first version: environments, their revisions and jobs, machines, and the log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# Written out here, since what the code means by them may change and this version may not.
WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
DOCUMENT: Any = sa.JSON()
LABELS: Any = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make all tables, those that others refer to first."""
    _environments()
    _revisions()
    _templates()
    _machines()
    _standings()
    _jobs()
    _plans()
    _gateways()
    _events()


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _environments() -> None:
    op.create_table(
        "environments",
        sa.Column("name", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deployed", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("tests", DOCUMENT),
        sa.Column("live_despite", sa.Text(), nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("created", TIME),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('deploying', 'incomplete', 'live', 'not-deployed', 'ready', 'retesting', 'starting', 'stopped', "
            "'stopping', 'testing', 'undeploying', 'updating')",
            name=op.f("ck_environments_state"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_environments")),
    )


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("environment", WORD, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tree", DOCUMENT, nullable=False),
        sa.Column("rendered", DOCUMENT, nullable=False),
        sa.Column("parameters", DOCUMENT, nullable=False),
        sa.Column("origin", DOCUMENT, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("template", WORD, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_revisions_number")),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.name"], name=op.f("fk_revisions_environment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("environment", "number", name=op.f("pk_revisions")),
    )


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("name", WORD, nullable=False),
        sa.Column("tree", DOCUMENT, nullable=False),
        sa.Column("open", DOCUMENT, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("origin", DOCUMENT, nullable=False),
        sa.Column("created", TIME),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_templates")),
    )


def _machines() -> None:
    op.create_table(
        "machines",
        sa.Column("id", WORD, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("gateway", WORD, nullable=False),
        sa.Column("ref", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("size", WORD, nullable=False),
        sa.Column("cpu", sa.Double(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("disk", sa.BigInteger(), nullable=False),
        sa.Column("os", WORD, nullable=False),
        sa.Column("location", WORD, nullable=False),
        sa.Column("image", WORD, nullable=False),
        sa.Column("reach", DOCUMENT, nullable=False),
        sa.Column("capabilities", LABELS, nullable=False),
        sa.Column("labels", LABELS, nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("holder", WORD),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('creating', 'deleting', 'failed', 'running', 'stopped', 'unknown')",
            name=op.f("ck_machines_state"),
        ),
        sa.ForeignKeyConstraint(
            ["holder"], ["environments.name"], name=op.f("fk_machines_holder"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machines")),
        sa.UniqueConstraint("name", name=op.f("uq_machines_name")),
    )
    op.create_index(op.f("ix_machines_holder"), "machines", ["holder"])
    op.create_index(op.f("ix_machines_location"), "machines", ["location"])
    op.create_index("uq_machines_gateway_ref", "machines", ["gateway", "ref"], unique=True, **_where("ref <> ''"))


def _standings() -> None:
    op.create_table(
        "standings",
        sa.Column("environment", WORD, nullable=False),
        sa.Column("instance", WORD, nullable=False),
        sa.Column("service", WORD, nullable=False),
        sa.Column("machine_id", WORD, nullable=False),
        sa.Column("version", WORD, nullable=False),
        sa.Column("digest", WORD, nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("deployed_at", TIME),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.name"], name=op.f("fk_standings_environment"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_standings_machine_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("environment", "instance", name=op.f("pk_standings")),
    )
    op.create_index(op.f("ix_standings_machine_id"), "standings", ["machine_id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", WORD, nullable=False),
        sa.Column("environment", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("plan", DOCUMENT, nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", DOCUMENT),
        sa.Column("lease", TIME),
        sa.Column("request_key", WORD),
        sa.Column("artifacts", sa.Text(), nullable=False),
        sa.Column("result", DOCUMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created", TIME),
        sa.Column("finished", TIME),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('deploy', 'start', 'stop', 'test', 'undeploy')", name=op.f("ck_jobs_kind")),
        sa.CheckConstraint(
            "state IN ('cancelled', 'failed', 'interrupted', 'queued', 'running', 'succeeded')",
            name=op.f("ck_jobs_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("request_key", name=op.f("uq_jobs_request_key")),
    )
    op.create_index(op.f("ix_jobs_environment"), "jobs", ["environment"])
    op.create_index("uq_jobs_active", "jobs", ["environment"], unique=True, **_where("state IN ('queued', 'running')"))


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", WORD, nullable=False),
        sa.Column("environment", WORD, nullable=False),
        sa.Column("plan", DOCUMENT, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.name"], name=op.f("fk_plans_environment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_environment"), "plans", ["environment"])


def _gateways() -> None:
    op.create_table(
        "gateways",
        sa.Column("name", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("created", TIME),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gateways")),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("environment", WORD, nullable=False),
        sa.Column("machine", WORD, nullable=False),
        sa.Column("job", WORD, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_at"), "events", ["at"])
    op.create_index(op.f("ix_events_environment"), "events", ["environment"])
