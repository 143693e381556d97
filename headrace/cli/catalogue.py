"""Commands about what the service holds: devices, models, datasets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from headrace.cli.arguments import completed, id_argument, json_option, known, quiet_option, remote
from headrace.cli.exits import Exit
from headrace.cli.output import show_ids, show_json, show_table
from headrace.client import Client
from headrace.figures import short
from headrace.records import Model, Record

_NAMED_VALUES = ("ones", "zeros", "arange")
_DEVICE_FIGURES = ("lut", "ff", "dsp", "bram_kb", "uram_kb", "off_chip_gb_per_s", "default_clock_mhz")


@click.command()
@click.argument("device", required=False, shell_complete=completed("devices"))
@quiet_option
@json_option
@remote
def devices(client: Client, device: str | None, quiet: bool, as_json: bool) -> int:
    """List the device catalogue, or show one device with the sources of its figures."""
    found = client.devices() if device is None else [known(client, "devices", device, client.device)]
    if quiet:
        show_ids(str(entry["name"]) for entry in found)
    elif as_json:
        show_json(found if device is None else found[0])
    else:
        rows = [[entry["name"], entry["family"], *(short(entry[f]) for f in _DEVICE_FIGURES)] for entry in found]
        show_table(("device", "family", "LUT", "FF", "DSP", "BRAM Kbit", "URAM Kbit", "GB/s", "MHz"), rows)
    return Exit.DONE


@click.command()
@id_argument("models", required=False)
@quiet_option
@json_option
@remote
def models(client: Client, model: str | None, quiet: bool, as_json: bool) -> int:
    """List uploaded models, or report on one: tensors, operators, what stays in software."""
    found = client.models() if model is None else [known(client, "models", model, client.model)]
    if quiet or as_json:
        return _documents(found, quiet, single=model is not None)
    if model is not None:
        show_table(("model", found[0].id), _report(found[0]))
        return Exit.DONE
    rows = [(m.id, m.name, short(m.parameters), _shapes(m.inputs), _shapes(m.outputs)) for m in found]
    show_table(("model", "name", "parameters", "inputs", "outputs"), rows)
    return Exit.DONE


@click.command()
@id_argument("datasets", required=False)
@quiet_option
@json_option
@remote
def datasets(client: Client, dataset: str | None, quiet: bool, as_json: bool) -> int:
    """List uploaded evaluation data, or show one with its arrays."""
    found = client.datasets() if dataset is None else [known(client, "datasets", dataset, client.dataset)]
    if quiet or as_json:
        return _documents(found, quiet, single=dataset is not None)
    rows = [(d.id, d["name"], short(d["samples"]), _arrays(d)) for d in found]
    show_table(("dataset", "name", "samples", "arrays"), rows)
    return Exit.DONE


@click.command()
@click.argument("file", type=click.Path(exists=True))
@click.option("--dataset", is_flag=True, help="it is evaluation data (.npz), not a model")
@click.option("--name", help="what it is called; the file's name by default")
@click.option("--shape", multiple=True, metavar="INPUT=N,…", help="a model's input with open axes: its whole shape")
@click.option("--freeze", multiple=True, metavar="INPUT=VALUE", help="a constant input: JSON, ones, zeros or arange")
@json_option
@remote
def upload(
    client: Client, file: str, dataset: bool, name: str | None, shape: Sequence[str], freeze: Sequence[str],
    as_json: bool,
) -> int:  # fmt: skip
    """Upload a model or evaluation data and print its id; the same again gives the same id."""
    shapes, constants = dict(map(_shape, shape)), dict(map(_constant, freeze))
    if not dataset:
        stored: Record = client.upload_model(file, name=name, shapes=shapes or None, freeze=constants or None)
    elif shapes or constants:
        raise click.UsageError("--shape and --freeze are about a model's inputs")
    else:
        stored = client.upload_dataset(file, name=name)
    show_json(stored.document) if as_json else click.echo(stored.id)
    return Exit.DONE


def _shape(text: str) -> tuple[str, list[int]]:
    name, _, sizes = text.rpartition("=")
    if not name or not all(size.strip().isdecimal() for size in sizes.split(",")):
        raise click.UsageError(f"cannot read the shape {text!r}: write input=1,3,32,32")
    return name, [int(size) for size in sizes.split(",")]


def _constant(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, value if value in _NAMED_VALUES else json.loads(value)
    except ValueError as error:
        named = ", ".join(_NAMED_VALUES)
        raise click.UsageError(f"cannot read {text!r}: write input=VALUE, VALUE in JSON or one of {named}") from error


def _documents(found: Sequence[Record], quiet: bool, single: bool) -> int:
    if quiet:
        show_ids(record.id for record in found)
    else:
        documents = [record.document for record in found]
        show_json(documents[0] if single else documents)
    return Exit.DONE


def _report(model: Model) -> list[tuple[str, str]]:
    """What there is to say of a model, line by line."""
    return [
        ("name", model.name),
        ("format", str(model["format"])),
        ("parameters", f"{model.parameters:,}"),
        ("MAC per inference", f"{model['graph']['macs_per_inference']:,}"),
        ("inputs", _shapes(model.inputs)),
        ("outputs", _shapes(model.outputs)),
        *[(f"operator {kind}", str(count)) for kind, count in model.operators.items()],
        *[(f"in software: {step['node']}", f"{step['operator']}: {step['reason']}") for step in model["software"]],
    ]


def _arrays(dataset: Record) -> str:
    return ", ".join(f"{n} {'×'.join(map(str, a['shape']))} {a['dtype']}" for n, a in dataset["arrays"].items())


def _shapes(tensors: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {'×'.join(map(str, shape)) or 'scalar'}" for name, shape in tensors.items())
