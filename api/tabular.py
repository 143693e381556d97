"""Trials as rows of a table: the columns are those that the job's trials have something in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Literal, Self

from db.rows import PointRow
from db.store import Store

# What every value of a column is; `devices`: indices of devices, several for a node that is split.
Kind = Literal["text", "integer", "number", "time", "devices"]

_FIRST: Mapping[str, Kind] = {
    "id": "text",
    "number": "integer",
    "state": "text",
    "reason": "text",
    "attempts": "integer",
    "created_at": "time",
    "started_at": "time",
    "finished_at": "time",
    "clock_source": "text",
}
# Of a column `ROLE:NODE`; the others are metrics.
_ROLES: Mapping[str, Kind] = {
    "violation": "number",
    "weight": "text",
    "activation": "text",
    "in_lanes": "integer",
    "out_lanes": "integer",
    "device": "integer",
}
_BATCH = 65_536
_PAGE = 5000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table's header: ``columns`` in the order they are written in, and the ``last`` number of its trials."""

    columns: Mapping[str, Kind]
    last: int

    @classmethod
    def of(cls, trials: Iterable[PointRow]) -> Self:
        """The header that fits all of these trials, which come by number."""
        columns, last = dict(_FIRST), -1
        for trial in trials:
            last = trial.number
            for name, value in _figures(trial).items():
                columns[name] = "devices" if isinstance(value, list) else columns.get(name, _kind(name))
        return cls(columns, last)

    def rows(self, trials: Iterable[PointRow]) -> Iterator[Row]:
        """What each trial has, by column. Trials and figures that came after the header are left out."""
        for trial in takewhile(lambda each: each.number <= self.last, trials):
            yield {name: value for name, value in _row(trial).items() if name in self.columns}

    def csv(self, trials: Iterable[PointRow]) -> Iterator[str]:
        """The header and a row for each trial, in pieces."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        for row in self.rows(trials):
            writer.writerow({name: _written(value) for name, value in row.items()})
            if text.tell() > _BATCH:
                yield _taken(text)
        yield _taken(text)


def points(store: Store, job_id: str) -> Iterator[PointRow]:
    """The trials of a job by number, a page at a time: they may be more than memory holds.

    Raises:
        NotFoundError: there is no such job.
        GoneError: the job was deleted.
    """
    last = -1
    while page := store.points.numbered(job_id, last, _PAGE):
        yield from page
        last = page[-1].number


def metrics(trial: PointRow) -> dict[str, float]:
    """The metrics of a trial; a routed clock lies over what the search compared."""
    return {**json.loads(trial.metrics or "{}"), **json.loads(trial.routed_metrics or "{}")}


def clock_source(trial: PointRow) -> str | None:
    """Where the clock of its metrics comes from."""
    return "routed" if json.loads(trial.routed_metrics or "{}") else trial.clock_source


def _taken(text: io.StringIO) -> str:
    content = text.getvalue()
    text.seek(0)
    text.truncate()
    return content


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _kind(name: str) -> Kind:
    role, colon, _ = name.partition(":")
    return _ROLES[role] if colon else "number"


def _row(trial: PointRow) -> Row:
    times = {name: getattr(trial, name) for name in ("created_at", "started_at", "finished_at")}
    return {
        **{name: getattr(trial, name) for name in ("id", "number", "state", "reason", "attempts")},
        **{name: None if time is None else datetime.fromtimestamp(time, UTC) for name, time in times.items()},
        "clock_source": clock_source(trial),
        **_figures(trial),
    }


def _figures(trial: PointRow) -> Row:
    """Metrics by name, violations as ``violation:NAME``, decisions as ``weight:NODE`` and so on."""
    plan = json.loads(trial.candidate)
    row: dict[str, Any] = metrics(trial)
    row |= {f"violation:{name}": value for name, value in json.loads(trial.constraints or "{}").items()}
    for node, formats in plan["quantization"].items():
        row |= {f"{role}:{node}": text for role, text in formats.items() if text is not None}
    for node, lanes in plan["parallelism"].items():
        row |= {f"{side}:{node}": number for side, number in lanes.items()}
    return row | {f"device:{node}": place for node, place in plan["partition"].items()}
