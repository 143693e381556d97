"""A job's trials as a Parquet file: ``python -m api.parquet JOB_ID PATH``, which prints {"ok": true}.

A program of its own because pyarrow brings numpy along, which the process of the API does without. It reads the
database that ``HEADRACE_DATABASE_URL`` names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from api.design_views import unit
from api.tabular import Kind, Row, Table, points
from db.store import Store

_ROWS = 5000
_TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "time": pa.timestamp("us", tz="UTC"),
    "devices": pa.list_(pa.int64()),
}


def write(store: Store, job_id: str, path: Path) -> None:
    """Write the file. Raises NotFoundError or GoneError."""
    table = Table.of(points(store, job_id))
    schema = pa.schema([_field(name, kind) for name, kind in table.columns.items()])
    lists = [name for name, kind in table.columns.items() if kind == "devices"]
    with ParquetWriter(path, schema, compression="zstd") as writer:
        rows = (_whole(row, lists) for row in table.rows(points(store, job_id)))
        while batch := list(islice(rows, _ROWS)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))


def _field(name: str, kind: Kind) -> pa.Field:
    """A column; ``unit`` of its metadata is that of the metric, or of the metric whose violation it is."""
    found = unit(name.removeprefix("violation:"))
    return pa.field(name, _TYPES[kind], metadata={"unit": found} if found else None)


def _whole(row: Row, lists: list[str]) -> Row:
    """The row with one device as a list of one, in columns where some trial has several."""
    single = {name: [row[name]] for name in lists if isinstance(row.get(name), int)}
    return {**row, **single}


def main() -> int:
    """Write it and say so; 2 for a usage error."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    store = Store(os.environ["HEADRACE_DATABASE_URL"])
    try:
        write(store, sys.argv[1], Path(sys.argv[2]))
    finally:
        store.close()
    print(json.dumps({"ok": True}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
