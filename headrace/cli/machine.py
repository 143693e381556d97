"""Commands about this machine and about the service itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from headrace import service
from headrace.cli.arguments import json_option, remote
from headrace.cli.exits import Exit
from headrace.cli.jobbody import read_json
from headrace.cli.output import show_json, show_table
from headrace.client import Client

SHELLS = {
    "bash": 'eval "$(headrace completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(headrace completion zsh)"   # in ~/.zshrc, after compinit',
    "fish": "headrace completion fish > ~/.config/fish/completions/headrace.fish",
}


@click.command()
@click.option("--host", help="address to bind; 127.0.0.1 by default, others need HEADRACE_TOKEN")
@click.option("--port", type=int, help="port to bind; 8765 by default, 0 takes a free one")
@click.option("--slots", type=int, help="evaluations at a time; one per core by default")
def serve(**given: Any) -> None:
    """Run the service on this machine: API and workers."""
    # The command becomes the supervisor, so signals reach it directly.
    arguments = [text for name, value in given.items() if value is not None for text in (f"--{name}", str(value))]
    command, environment = service.command("workers.serve", *arguments)
    os.execve(command[0], command, environment)


@click.command()
@click.option("--output", default="demo_output", show_default=True, help="folder for plot, bundle and data")
@click.option("--trials", type=int, default=140, show_default=True, help="candidates to evaluate")
@click.option("--wall-seconds", type=float, default=240.0, show_default=True, help="end the search after this time")
def demo(output: str, trials: int, wall_seconds: float) -> int:
    """Train, submit, search, simulate: the whole path in minutes."""
    from headrace.demo import run_demo

    return run_demo(Path(output), trials=trials, wall_seconds=wall_seconds)


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Say what is missing on this machine, and how to get it."""
    from headrace.doctor import run_doctor

    return run_doctor(as_json)


@click.command("service")
@json_option
@remote
def about_service(client: Client, as_json: bool) -> int:
    """Say whether jobs run now, and the versions of the service and its tools."""
    document = {"url": client.url, **client.ready(), **client.version()}
    if as_json:
        show_json(document)
    else:
        for name, value in document.items():
            click.echo(f"{name:<16} {value if isinstance(value, str | bool) else json.dumps(value)}")
    return Exit.DONE if document["ready"] else Exit.UNREACHABLE


@click.command()
@click.option("--metrics", is_flag=True, help="the Prometheus metrics instead, as text")
@json_option
@remote
def health(client: Client, metrics: bool, as_json: bool) -> int:
    """Show workers, queue, answers of caches, and why trials came to nothing."""
    if metrics:
        if as_json:
            raise click.UsageError("--metrics prints the text that Prometheus reads: leave out --json")
        click.echo(client.metrics(), nl=False)
        return Exit.DONE
    found = client.health()
    if as_json:
        show_json(found)
    else:
        show_table(("what", "of", "is"), _health_rows(found))
    return Exit.DONE if found["ready"]["ready"] else Exit.UNREACHABLE


def _health_rows(health: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What there is to say of the service, line by line."""
    queue, cache = health["queue"], health["cache"]
    rates = {"all rungs": cache["hit_rate"]} | {n: s["hits"] / s["ran"] for n, s in cache["stages"].items() if s["ran"]}
    return [
        *[("ready", part, str(text)) for part, text in health["ready"].items()],
        *[("worker", w["id"], f"{', '.join(w['queues'])}; heard {w['heard_at']}") for w in health["workers"]],
        *[("jobs", state, str(count)) for state, count in queue["jobs"].items()],
        *[("queue", name.replace("_", " "), str(count)) for name, count in queue.items() if name != "jobs"],
        *[("cache", rung, "–" if rate is None else f"{rate:.0%}") for rung, rate in rates.items()],
        *[(each["state"], f"{each['count']} trials", each["reason"]) for each in health["reasons"]],
    ]


@click.command()
@click.argument("method", type=click.Choice(("GET", "POST", "PATCH", "DELETE"), case_sensitive=False))
@click.argument("path")
@click.option("--body", metavar="FILE", help="JSON file to send; - is standard input")
@click.option("--param", multiple=True, metavar="NAME=VALUE", help="parameter of the query")
@remote
def api(client: Client, method: str, path: str, body: str | None, param: tuple[str, ...]) -> int:
    """Send any request and print the answer, such as: headrace api GET /v1/jobs."""
    pairs = [text.partition("=") for text in param]
    if not all(equals for _, equals, _ in pairs):
        raise click.UsageError("write --param NAME=VALUE")
    params = {name: value for name, _, value in pairs}
    answer = client.call(method, path, body=read_json(body) if body else None, params=params)
    if answer is not None:
        show_json(answer)
    return Exit.DONE


@click.command(epilog="\b\n" + "\n".join(f"{shell}: {text}" for shell, text in SHELLS.items()))
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that completes commands, options, ids and device names in a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "headrace", "_HEADRACE_COMPLETE").source())
    return Exit.DONE
