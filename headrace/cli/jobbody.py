"""The body of a job from a file and from options."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from headrace.cli.arguments import chosen
from headrace.client import Client
from headrace.errors import HeadraceError

_BOUND = re.compile(r"([a-z0-9_]+)\s*(>=|<=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?)")


def job_body(
    client: Client, body: str | None, device: str | None, devices: int | None, constraint: Sequence[str],
    label: Sequence[str], **limits: Any,
) -> dict[str, Any]:  # fmt: skip
    """The job body of the file, with what the options say added; the model is an argument of its own."""
    made = read_json(body) if body else {}
    if devices is not None and device is None:
        raise click.UsageError("--devices says how many of --device there are: give both")
    if device:
        name = chosen("device", device, [known["name"] for known in client.devices()])
        entry = {"device": name, "count": 1 if devices is None else devices}
        made["platform"] = _part(made, "platform", {}) | {"devices": [entry]}
    made["search"] = _part(made, "search", {}) | {k: v for k, v in limits.items() if v is not None}
    made["constraints"] = _part(made, "constraints", []) + [_constraint(text) for text in constraint]
    made["labels"] = _part(made, "labels", {}) | dict(map(_label, label))
    made.pop("model", None)
    return made


def read_json(place: str) -> dict[str, Any]:
    """A JSON object from a file, or from standard input for ``-``."""
    try:
        document = json.loads(sys.stdin.read() if place == "-" else Path(place).read_text("utf-8"))
    except ValueError as error:
        raise HeadraceError(f"{place} is no JSON file: {error}") from error
    if not isinstance(document, dict):
        raise HeadraceError(f'{place} holds no JSON object: a job body looks like {{"search": {{"trials": 100}}}}')
    return document


def _part(body: Mapping[str, Any], name: str, empty: Any) -> Any:
    """A member that options add to; absent or null it is ``empty``."""
    value = body.get(name)
    if value is None:
        return empty
    if type(value) is not type(empty):
        raise HeadraceError(f"{name} of the job body must be {'a list' if isinstance(empty, list) else 'an object'}")
    return value


def _constraint(text: str) -> dict[str, Any]:
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise click.UsageError(f"cannot read the constraint {text!r}: write metric>=value or metric<=value")
    return {"metric": match[1], "min" if match[2] == ">=" else "max": float(match[3])}


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"cannot read the label {text!r}: write key=value")
    return key, value
