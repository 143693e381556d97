"""Arguments that commands share, how ids are read and completed, and what is said about those that are unknown."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
import httpx
from click.shell_completion import CompletionItem

from headrace.client import Client, connect, service_url
from headrace.embedded import DEFAULT_URL
from headrace.errors import Gone, NotFound
from headrace.suggest import did_you_mean

ResultT = TypeVar("ResultT")
Command = Callable[..., Any]
_COMPLETION_SECONDS = 1.0
_RECENT = 100
JOB_STATES = ("queued", "running", "paused", "stopping", "cancelling", "succeeded", "failed", "cancelled")
TRIAL_STATES = ("queued", "running", "complete", "infeasible", "failed", "cancelled")


def remote(command: Command) -> Command:
    """Give a command a connected client as its first argument, and ``--url``."""

    @click.option("--url", help=f"the service; HEADRACE_URL or {DEFAULT_URL} by default", metavar="URL")
    @functools.wraps(command)
    def run(*arguments: Any, url: str | None, **options: Any) -> Any:
        # A service started here would end with the command, before the job is done.
        with connect(url, start=False) as client:
            return command(client, *arguments, **options)

    return run


json_option = click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="print only ids, one a line")


def completed(noun: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completion of the ids (or names) of a kind of resource, asked of the service; nothing when it is slow."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        items = _recent(service_url(context.params.get("url"), start=False), noun)
        word = _word(noun)
        return [CompletionItem(i[word], help=_about(i)) for i in items if str(i[word]).startswith(incomplete)]

    return complete


def id_argument(noun: str, *, required: bool = True) -> Callable[[Command], Command]:
    """An id of a resource."""
    return click.argument(noun.removesuffix("s"), required=required, shell_complete=completed(noun))


def ids_argument(noun: str) -> Callable[[Command], Command]:
    """Ids of resources; ``-`` reads them from standard input."""
    return click.argument("ids", nargs=-1, required=True, metavar=f"{noun.upper()}...", shell_complete=completed(noun))


def read_ids(given: Sequence[str]) -> list[str]:
    """The ids given, those of standard input in the place of ``-``."""
    return [ident for word in given for ident in (sys.stdin.read().split() if word == "-" else [word])]


def known(client: Client, noun: str, ident: str, find: Callable[[str], ResultT]) -> ResultT:
    """What ``find`` finds.

    Raises:
        NotFound: there is no such resource; the message names those with nearly this id.
    """
    try:
        return find(ident)
    except Gone:
        raise
    except NotFound as error:
        ids = [str(item[_word(noun)]) for item in _recent(client.url, noun)]
        error.add_hint(f"there is no {noun.removesuffix('s')} {ident}{did_you_mean(ident, ids)}")
        raise


def chosen(noun: str, word: str, names: Iterable[str]) -> str:
    """``word`` where it is one of the names; else a usage error that says which is meant.

    Raises:
        click.UsageError: it is none of them.
    """
    listed = list(names)
    if word not in listed:
        raise click.UsageError(f"there is no {noun} {word}{did_you_mean(word, listed)}")
    return word


def _word(noun: str) -> str:
    """The member by which a resource is asked for."""
    return "name" if noun == "devices" else "id"


def _recent(url: str, noun: str) -> list[dict[str, Any]]:
    """Resources for a suggestion: one short request, and none is no error."""
    token = os.environ.get("HEADRACE_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    params = {} if noun == "devices" else {"limit": _RECENT}
    try:
        answer = httpx.get(
            f"{url}/v1/{noun}", params=params, headers=headers, timeout=_COMPLETION_SECONDS, trust_env=False
        )
        return list(answer.json()["items"]) if answer.is_success else []
    except (httpx.HTTPError, ValueError):
        return []


def _about(item: dict[str, Any]) -> str:
    return str(item.get("state") or item.get("name") or item.get("created_at") or "")
