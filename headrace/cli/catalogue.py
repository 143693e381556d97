"""Commands about what the service holds: devices, models, datasets."""

from __future__ import annotations

from collections.abc import Sequence

import click

from headrace.cli.arguments import completed, id_argument, json_option, known, quiet_option, remote
from headrace.cli.exits import Exit
from headrace.cli.output import note, show_ids, show_json, show_table
from headrace.client import Client
from headrace.figures import short
from headrace.records import Record
from headrace.suggest import did_you_mean

_DEVICE_FIGURES = ("lut", "ff", "dsp", "bram_kb", "uram_kb", "off_chip_gb_per_s", "default_clock_mhz")


@click.command()
@click.argument("device", required=False, shell_complete=completed("devices"))
@quiet_option
@json_option
@remote
def devices(client: Client, device: str | None, quiet: bool, as_json: bool) -> int:
    """List the device catalogue, or show one device with the sources of its figures."""
    found = client.devices()
    names = [str(entry["name"]) for entry in found]
    if device is not None:
        found = [entry for entry in found if entry["name"] == device]
        if not found:
            note(f"there is no device {device}{did_you_mean(device, names)}")
            return Exit.NOT_FOUND
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
    """List uploaded models, or show one."""
    found = client.models() if model is None else [known(client, "models", model, client.model)]
    if quiet or as_json:
        return _documents(found, quiet, single=model is not None)
    rows = [(m.id, m.name, short(m.parameters), _shapes(m.inputs), _shapes(m.outputs)) for m in found]
    show_table(("model", "name", "parameters", "inputs", "outputs"), rows)
    return Exit.DONE


@click.command()
@quiet_option
@json_option
@remote
def datasets(client: Client, quiet: bool, as_json: bool) -> int:
    """List uploaded evaluation data."""
    found = client.datasets()
    if quiet or as_json:
        return _documents(found, quiet, single=False)
    show_table(("dataset", "name", "samples"), [(d.id, d["name"], short(d["samples"])) for d in found])
    return Exit.DONE


@click.command()
@click.argument("file", type=click.Path(exists=True))
@click.option("--dataset", is_flag=True, help="it is evaluation data (.npz), not a model")
@click.option("--name", help="what it is called; the file's name by default")
@json_option
@remote
def upload(client: Client, file: str, dataset: bool, name: str | None, as_json: bool) -> int:
    """Upload a model or evaluation data and print its id; the same bytes again give the same id."""
    stored: Record = client.upload_dataset(file, name=name) if dataset else client.upload_model(file, name=name)
    show_json(stored.document) if as_json else click.echo(stored.id)
    return Exit.DONE


def _documents(found: Sequence[Record], quiet: bool, single: bool) -> int:
    if quiet:
        show_ids(record.id for record in found)
    else:
        documents = [record.document for record in found]
        show_json(documents[0] if single else documents)
    return Exit.DONE


def _shapes(tensors: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {'×'.join(map(str, shape)) or 'scalar'}" for name, shape in tensors.items())
