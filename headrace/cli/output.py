"""What commands print: JSON for programs, tables for people, ids for pipes. Nothing is ever cut in a pipe."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from headrace.optional import need


def show_json(document: Any) -> None:
    """One JSON document, indented."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def show_line(document: Any) -> None:
    """One JSON document on one line."""
    click.echo(json.dumps(document, ensure_ascii=False))


def show_ids(ids: Iterable[str]) -> None:
    """One id per line, for another command's ``-``."""
    for ident in ids:
        click.echo(ident)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table."""
    need("rich", "for tables (--json needs nothing)")
    from headrace import tables

    tables.console().print(tables.plain_table(columns, rows))


def show_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Comma-separated values under the names that occur in any row."""
    out = csv.DictWriter(sys.stdout, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    out.writeheader()
    out.writerows(rows)


def note(text: str) -> None:
    """A remark for people, out of the way of what is piped."""
    click.echo(f"headrace: {text}", err=True)
