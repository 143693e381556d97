"""The schema. JSON columns hold plain JSON values; ids are opaque strings.

Times are seconds (double). Those that somebody reads are UTC epoch seconds; ``lease_until``, ``until``,
``published_at``, ``retry_at``, ``heard_at`` and ``worked_since`` are readings of the steady clock (``db.clock``).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite auto-increments only INTEGER primary keys; PostgreSQL wants the wide type.
_RowId = BigInteger().with_variant(Integer, "sqlite")

models = Table(
    "models",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("format", String(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("graph", JSON, nullable=False),
    Column("software", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_models_page", "created_at", "id"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("samples", BigInteger, nullable=False),
    Column("arrays", JSON, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_datasets_page", "created_at", "id"),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("items", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("model_id", String(80), nullable=False),
    Column("dataset_id", String(80)),
    Column("sweep_id", String(64), index=True),
    Column("spec", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    # The sequence number of the job's newest event; also the version behind the job's ETag.
    Column("seq", BigInteger, nullable=False, default=0),
    Column("next_number", Integer, nullable=False, default=0),
    Column("trials_total", Integer, nullable=False),
    Column("wall_seconds", Double, nullable=False),
    Column("parallel_trials", Integer, nullable=False),
    Column("hypervolume", Double),
    # How it grew, in few points: ``db.history``.
    Column("history", JSON, nullable=False, default=list),
    Column("best", JSON, nullable=False),
    Column("front", JSON, nullable=False),
    # Why a terminal job ended: an ``EndReason``.
    Column("end_reason", String(32)),
    Column("failure", JSON),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    # How long it was worked on, and since when it has been without a break: ``db.budget``.
    Column("worked_seconds", Double, nullable=False, default=0.0),
    Column("worked_since", Double),
    Column("deleted_at", Double),
    # When the driver's message was last handed to the broker: what the reconciler compares with.
    Column("published_at", Double, nullable=False),
    Column("lease_owner", String(128)),
    Column("lease_until", Double),
    Column("fence", BigInteger, nullable=False, default=0),
    Index("ix_jobs_page", "created_at", "id"),
    Index("ix_jobs_state", "state", "created_at"),
)

job_labels = Table(
    "job_labels",
    metadata,
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", String(512), nullable=False),
    Index("ix_job_labels_key_value", "key", "value"),
)

trials = Table(
    "trials",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("stage", String(64)),
    Column("candidate", JSON, nullable=False),
    Column("candidate_hash", String(80), nullable=False),
    Column("result", JSON),
    Column("cached_from", String(64)),
    # ``db.followups``: None (never asked for), queued, running, done, failed.
    Column("sign_off", String(16)),
    Column("sign_off_result", JSON),
    Column("routing", String(16)),
    Column("routing_result", JSON),
    # attempts counts starts; faults those that the evaluation itself ended, which decide about poison; setbacks those
    # that an outage ended, which delay the next start until retry_at.
    Column("attempts", Integer, nullable=False, default=0),
    Column("faults", Integer, nullable=False, default=0),
    Column("setbacks", Integer, nullable=False, default=0),
    Column("retry_at", Double),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("published_at", Double, nullable=False),
    Column("lease_owner", String(128)),
    Column("lease_until", Double),
    Column("fence", BigInteger, nullable=False, default=0),
    UniqueConstraint("job_id", "number"),
    Index("ix_trials_changes", "job_id", "seq"),
    Index("ix_trials_states", "job_id", "state"),
    Index("ix_trials_leases", "lease_until"),
    Index("ix_trials_retries", "retry_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("trial_id", String(64), ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    Column("fence", BigInteger, primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("worker", String(128), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("outcome", String(32)),
    Column("reason", Text),
)

events = Table(
    "events",
    metadata,
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("trial_id", String(64), nullable=False),
    Column("result", JSON, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("task", String(64), nullable=False),
    Column("target_id", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(256), primary_key=True),
    Column("fingerprint", String(80), nullable=False),
    Column("resource_id", String(64), nullable=False),
    Column("created_at", Double, nullable=False, index=True),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("queues", JSON, nullable=False),
    Column("info", JSON, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("heard_at", Double, nullable=False),
    Column("stopping", Boolean, nullable=False, default=False),
)

# Of SQLite alone: where each boot of the machine begins on the steady clock.
boots = Table(
    "boots",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("zero", Double, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("until", Double, nullable=False),
)
