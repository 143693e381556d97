"""What needs a clock is called so: ``throughput_per_s`` and ``latency_ns``, beside ``clock_mhz`` and its source.

Stored jobs, results and events hold metric names as JSON keys and values. Results also gain the clock that they were
computed with, which was in their provenance. Cached evaluations are left alone: their keys name the code that made
them, so none of them is asked for again.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Document = dict[str, Any]
Rename = Callable[[str], str]
_NAMES = (("meas_throughput_per_s", "throughput_per_s"), ("meas_latency_ns", "latency_ns"))
_VIOLATED = "constraints violated:"
_BATCH = 500


def upgrade() -> None:
    _rewrite(_NAMES, _with_clock)


def downgrade() -> None:
    _rewrite(tuple((new, old) for old, new in _NAMES), _without_clock)


def _rewrite(names: tuple[tuple[str, str], ...], clock: Callable[[Document], Document]) -> None:
    rename = partial(_renamed, names)
    _each("jobs", ("id",), "spec", lambda spec: _renamed_spec(spec, rename))
    _each("jobs", ("id",), "best", lambda best: _renamed_keys(best, rename))
    _each("trials", ("id",), "result", lambda result: clock(_renamed_figures(result, rename)))
    _each("events", ("job_id", "seq"), "data", lambda data: _renamed_figures(data, rename))
    trials = sa.table("trials", sa.column("reason", sa.Text))
    for name, other in names:
        changed = trials.update().values(reason=sa.func.replace(trials.c.reason, name, other))
        op.execute(changed.where(trials.c.reason.startswith(_VIOLATED)))


def _renamed(names: tuple[tuple[str, str], ...], text: str) -> str:
    for name, other in names:
        text = text.replace(name, other)
    return text


def _each(table_name: str, keys: tuple[str, ...], column: str, change: Callable[[Document], Document]) -> None:
    """Change one JSON column of every row, a batch of keys at a time: the rows of a table may not fit into memory."""
    table = sa.table(table_name, *(sa.column(k) for k in keys), sa.column(column, sa.JSON))
    key_columns = [table.c[k] for k in keys]
    connection = op.get_bind()
    last: tuple[Any, ...] = ()
    while True:
        query = sa.select(*key_columns, table.c[column]).order_by(*key_columns).limit(_BATCH)
        if last:
            query = query.where(sa.tuple_(*key_columns) > sa.tuple_(*map(sa.literal, last)))
        rows = connection.execute(query).all()
        if not rows:
            return
        for row in rows:
            document = row[-1]
            if document is not None and (changed := change(document)) != document:
                where = [column == value for column, value in zip(key_columns, row, strict=False)]
                connection.execute(table.update().where(*where).values({column: changed}))
        last = tuple(rows[-1])[:-1]


def _renamed_spec(spec: Document, rename: Rename) -> Document:
    parts = {
        part: [{**entry, "metric": rename(entry["metric"])} for entry in spec[part]]
        for part in ("objectives", "constraints")
        if spec.get(part)
    }
    return {**spec, **parts}


def _renamed_figures(document: Document, rename: Rename) -> Document:
    """A result or an event: metrics, violations and best values by name, and the reason that quotes them."""
    parts: Document = {
        part: _renamed_keys(document[part], rename) for part in ("metrics", "constraints", "best") if document.get(part)
    }
    reason = document.get("reason")
    if reason and reason.startswith(_VIOLATED):
        parts["reason"] = rename(reason)
    return {**document, **parts}


def _renamed_keys(figures: Document, rename: Rename) -> Document:
    return {rename(name): value for name, value in figures.items()}


def _with_clock(result: Document) -> Document:
    clock = result.get("provenance", {}).get("clock_mhz")
    if clock is None or "est_lut" not in result.get("metrics", {}):
        return result
    return {**result, "metrics": {**result["metrics"], "clock_mhz": clock}, "clock_source": "requested"}


def _without_clock(result: Document) -> Document:
    metrics = {name: value for name, value in result.get("metrics", {}).items() if name != "clock_mhz"}
    return {name: value for name, value in {**result, "metrics": metrics}.items() if name != "clock_source"}
