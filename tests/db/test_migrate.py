"""Migrations: the schema they build is the schema the code uses, and they can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, select

from db import migrate
from db.engine import make_unpooled_engine
from db.errors import StaleSchemaError
from db.tables import metadata


def test_migrations_build_the_declared_tables(database_url: str) -> None:
    with make_unpooled_engine(database_url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrate.require_current(database_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema, of each kind that is supported."""
    is_file = request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'x.db'}" if is_file else request.getfixturevalue("postgres").new_database()


def test_down_and_up_again(bare_url: str) -> None:
    migrate.upgrade(bare_url)
    migrate.downgrade(bare_url, "base")
    assert set(inspect(make_unpooled_engine(bare_url)).get_table_names()) == {"alembic_version"}
    with pytest.raises(StaleSchemaError):
        migrate.require_current(bare_url)
    migrate.upgrade(bare_url)
    migrate.require_current(bare_url)


OLD_SPEC = {
    "model": "sha256:m",
    "platform": {"link": {"latency_ns": 500.0}},
    "objectives": [{"metric": "accuracy", "direction": "maximize"},
                   {"metric": "meas_throughput_per_s", "direction": "maximize"}],
    "constraints": [{"metric": "meas_latency_ns", "min": None, "max": 5.0}],
    "labels": {"note": "meas_latency_ns"},
}  # fmt: skip
OLD_REASON = "constraints violated: meas_latency_ns by 5"
OLD_RESULT = {
    "state": "infeasible",
    "reason": OLD_REASON,
    "metrics": {"est_lut": 10.0, "meas_latency_cycles": 1.0, "meas_latency_ns": 10.0, "meas_throughput_per_s": 1e6},
    "constraints": {"meas_latency_ns": 5.0, "meas_latency_ns_2": 1.0},
    "provenance": {"clock_mhz": 100.0},
}
OLD_BEST = {"meas_throughput_per_s": {"value": 1e6, "trial_id": "t0", "number": 0}}
OLD_EVENTS = [
    {"state": "infeasible", "reason": OLD_REASON, "metrics": OLD_RESULT["metrics"]},
    {"hypervolume": 0.5, "best": OLD_BEST},
    {"state": "failed", "reason": "the operator of meas_latency_ns did not build"},
]
# An illegal candidate met no clock, and a queued one has no result.
TRIALS = [(OLD_REASON, OLD_RESULT), ("no legal design", {"state": "infeasible", "metrics": {}}), (None, None)]


def contents(url: str) -> dict[str, list[tuple]]:
    """The columns that hold metric names, read without the code that uses them now."""
    engine, found = make_unpooled_engine(url), MetaData()
    found.reflect(engine)
    wanted = {"jobs": ("id", "spec", "best"), "trials": ("id", "reason", "result"), "events": ("seq", "data")}
    with engine.connect() as connection:
        return {
            name: [
                tuple(row)
                for row in connection.execute(select(*(found.tables[name].c[c] for c in columns)).order_by(columns[0]))
            ]
            for name, columns in wanted.items()
        }


def fill(engine: Engine, jobs: int) -> None:
    """Rows as the first release wrote them."""
    found = MetaData()
    found.reflect(engine)
    job = {"state": "running", "model_id": "sha256:m", "spec": OLD_SPEC, "labels": {}, "seq": 3, "next_number": 3,
           "trials_total": 9, "wall_seconds": 9.0, "parallel_trials": 1, "best": OLD_BEST, "front": ["t0"],
           "created_at": 1.0, "paused_seconds": 0.0, "published_at": 1.0, "fence": 1}  # fmt: skip
    trial = {"job_id": "j0000", "seq": 1, "state": "infeasible", "candidate": {}, "candidate_hash": "h", "attempts": 1,
             "faults": 0, "created_at": 1.0, "published_at": 1.0, "fence": 1}  # fmt: skip
    event = {"job_id": "j0000", "type": "trial", "created_at": 1.0}
    with engine.begin() as connection:
        connection.execute(found.tables["jobs"].insert(), [job | {"id": f"j{n:04}"} for n in range(jobs)])
        for number, (reason, result) in enumerate(TRIALS):
            row = (
                trial
                | {"id": f"t{number}", "number": number, "reason": reason}
                | ({"result": result} if result else {})
            )
            connection.execute(found.tables["trials"].insert().values(row))
        for seq, data in enumerate(OLD_EVENTS, start=1):
            connection.execute(found.tables["events"].insert().values(event | {"seq": seq, "data": data}))


def test_what_needs_a_clock_is_renamed_in_stored_rows_and_back(bare_url: str) -> None:
    migrate.upgrade(bare_url, "0001")
    fill(make_unpooled_engine(bare_url), jobs=3)
    before = contents(bare_url)
    migrate.upgrade(bare_url, "0005")
    after = contents(bare_url)

    _, spec, best = after["jobs"][0]
    assert [o["metric"] for o in spec["objectives"]] == ["accuracy", "throughput_per_s"]
    assert spec["constraints"] == [{"metric": "latency_ns", "min": None, "max": 5.0}]
    assert spec["platform"] == OLD_SPEC["platform"] and spec["labels"] == OLD_SPEC["labels"]
    assert best == {"throughput_per_s": {"value": 1e6, "trial_id": "t0", "number": 0}}
    (_, reason, result), illegal, queued = after["trials"]
    assert reason == result["reason"] == "constraints violated: latency_ns by 5"
    assert result["metrics"] == {"est_lut": 10.0, "meas_latency_cycles": 1.0, "clock_mhz": 100.0, "latency_ns": 10.0,
                                 "throughput_per_s": 1e6}  # fmt: skip
    assert result["clock_source"] == "requested" and result["constraints"] == {"latency_ns": 5.0, "latency_ns_2": 1.0}
    assert [illegal, queued] == before["trials"][1:]
    trial, progress, failed = (data for _, data in after["events"])
    assert trial["reason"] == reason and "throughput_per_s" in trial["metrics"]
    assert progress == {"hypervolume": 0.5, "best": best}
    assert failed == OLD_EVENTS[2]

    migrate.downgrade(bare_url, "0001")
    assert contents(bare_url) == before


def test_more_rows_than_one_batch_are_renamed(bare_url: str) -> None:
    migrate.upgrade(bare_url, "0001")
    fill(make_unpooled_engine(bare_url), jobs=1201)
    migrate.upgrade(bare_url, "0005")
    assert {spec["constraints"][0]["metric"] for _, spec, _ in contents(bare_url)["jobs"]} == {"latency_ns"}
