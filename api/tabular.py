"""Trials as rows of a table: the columns are those that the job's trials have something in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from db.rows import TrialRow

_FIRST = ("id", "number", "state", "reason", "attempts", "created_at", "started_at", "finished_at", "clock_source")
_BATCH = 65_536

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table's header; ``columns`` in the order they are written in."""

    columns: Sequence[str]

    @classmethod
    def of(cls, trials: Iterable[TrialRow]) -> Self:
        """The header that fits all of these trials."""
        return cls([*_FIRST, *dict.fromkeys(name for trial in trials for name in _figures(trial))])

    def csv(self, trials: Iterable[TrialRow]) -> Iterator[str]:
        """The header and a row for each trial, in pieces. What a trial has in no column (it came later) is left out."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for trial in trials:
            writer.writerow(_scalars(trial) | dict(_figures(trial)))
            if text.tell() > _BATCH:
                yield _taken(text)
        yield _taken(text)


def _taken(text: io.StringIO) -> str:
    content = text.getvalue()
    text.seek(0)
    text.truncate()
    return content


def _scalars(trial: TrialRow) -> dict[str, Any]:
    times = {name: getattr(trial, name) for name in ("created_at", "started_at", "finished_at")}
    return {
        **{name: getattr(trial, name) for name in ("id", "number", "state", "reason", "attempts")},
        **{name: time and time.isoformat() for name, time in times.items()},
        "clock_source": (trial.result or {}).get("clock_source"),
    }


def _figures(trial: TrialRow) -> Row:
    """Metrics by name, violations as ``violation:NAME``, decisions as ``weight:NODE`` and so on."""
    result, plan = trial.result or {}, trial.candidate
    row = dict(result.get("metrics", {}))
    row |= {f"violation:{name}": value for name, value in result.get("constraints", {}).items()}
    for node, formats in plan["quantization"].items():
        row |= {f"{role}:{node}": text for role, text in formats.items() if text is not None}
    for node, lanes in plan["parallelism"].items():
        row |= {f"{side}:{node}": number for side, number in lanes.items()}
    return row | {f"device:{node}": place for node, place in plan["partition"].items()}
