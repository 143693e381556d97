"""``reference/commands.md``: the help of ``headrace`` and of each of its commands."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator

from docs.generate.markdown import page
from headrace.cli import main

_COLUMNS = "100"


def write() -> str:
    """The page."""
    with _width():
        overview = _help()
        commands = re.findall(r"^ {2,4}([a-z]+) {2,}\S", overview, flags=re.MULTILINE)
        parts = [f"## headrace {name}\n\n{_block(_help(name))}" for name in commands]
    return page("Command line", "`headrace --help`", _block(overview), *parts)


def _help(*command: str) -> str:
    found = io.StringIO()
    with contextlib.redirect_stdout(found), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return found.getvalue().rstrip()


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


@contextlib.contextmanager
def _width() -> Iterator[None]:
    """Lines of the same width on every terminal."""
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ.update(COLUMNS=_COLUMNS, NO_COLOR="1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
