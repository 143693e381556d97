"""Every ``headrace`` line in a document is a command with options that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from headrace.cli import cli
from tests.docs.markdown import ROOT, blocks, files

_LINE = re.compile(r"(?:^|[\s(`])headrace ([a-z]+)\b([^\n|;`)#]*)", re.M)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
GLOBAL = {"--help", "--version"}


def written(path: Path) -> Iterator[tuple[str, str]]:
    """Commands with what follows them, in blocks of a shell and in code within a line."""
    shell = [block.text for block in blocks(path) if block.language in ("", "bash", "sh")]
    inline = re.findall(r"`(headrace [^`\n]+)`", path.read_text("utf-8"))
    for text in (*shell, *inline):
        yield from _LINE.findall(text.replace("\\\n", " "))


def options(command: click.Command) -> set[str]:
    return GLOBAL | {name for parameter in command.params for name in parameter.opts}


def unknown(lines: Iterator[tuple[str, str]]) -> list[str]:
    """What is no command, or not an option of its command."""
    return [
        f"{name}{rest}"
        for name, rest in lines
        if name not in cli.commands or not set(_OPTION.findall(rest)) <= options(cli.commands[name])
    ]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(path: Path) -> None:
    if path.name != "CHANGELOG.md":  # it tells of what is gone
        assert unknown(written(path)) == []


def test_a_wrong_one_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`headrace sumbit x`\n```\nheadrace status --json\nheadrace status --jsn | headrace cancel -\n```\n"
    )
    assert unknown(written(page)) == ["status --jsn ", "sumbit x"]


def test_the_table_of_commands_names_their_options() -> None:
    rows = re.findall(r"^\| (`[^|]+) \| (.+) \|$", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.M)
    for first, text in rows:
        names = re.findall(r"`([a-z]+)", first)
        known = set().union(*(options(cli.commands[name]) for name in names))
        assert names and set(_OPTION.findall(text)) <= known, first
    assert {name for first, _ in rows for name in re.findall(r"`([a-z]+)", first)} == set(cli.commands)
