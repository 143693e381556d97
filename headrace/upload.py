"""What a caller may hand in as model or dataset, turned into file bytes for the upload."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.errors import HeadraceError
from headrace.optional import need


def model_bytes(model: Any, example: Any) -> tuple[str, bytes]:
    """File name and contents of a model.

    Args:
        model: path of an ``.onnx`` file (weights beside it in ``PATH.data`` are taken in), of a ``.pt2`` file, or of a
            Hugging Face folder (which no service imports yet); the bytes of a file; or a live ``torch.nn.Module`` in
            evaluation or training mode (exported in evaluation mode, mode restored).
        example: for a module, one input batch (tensor, array or tuple of them) that fixes the input shapes.

    Raises:
        HeadraceError: the argument is none of these, or the export failed.
    """
    if isinstance(model, bytes):
        return "model.onnx", model
    if isinstance(model, str | Path):
        path = Path(model)
        if path.is_dir():
            return path.name + ".zip", _zip_folder(path)
        if not path.is_file():
            raise HeadraceError(f"there is no model file {path}")
        return path.name, _in_one(path) if path.with_name(f"{path.name}.data").is_file() else path.read_bytes()
    # A live module means torch is loaded already; the client itself never imports it.
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        from headrace.export import export

        return type(model).__name__ + ".onnx", export(model, example)
    raise HeadraceError(f"cannot submit a {type(model).__name__}: give a file, a folder or a torch.nn.Module")


def dataset_bytes(dataset: Any) -> tuple[str, bytes]:
    """File name and contents of a dataset.

    Args:
        dataset: path of an ``.npz``, a mapping of arrays (``inputs`` or ``input_<name>``, and ``targets``), or a pair
            ``(inputs, targets)`` with the sample index first.

    Raises:
        HeadraceError: the argument is none of these.
    """
    if isinstance(dataset, str | Path):
        path = Path(dataset)
        if not path.is_file():
            raise HeadraceError(f"there is no dataset file {path}")
        return path.name, path.read_bytes()
    if isinstance(dataset, Sequence) and len(dataset) == 2:
        dataset = {"inputs": dataset[0], "targets": dataset[1]}
    if not isinstance(dataset, Mapping):
        raise HeadraceError("a dataset is a path of an .npz, a mapping of arrays, or a pair (inputs, targets)")
    np = need("numpy", "to write a dataset")
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(values) for name, values in dataset.items()}
    np.savez(buffer, **arrays)
    return "dataset.npz", buffer.getvalue()


def first_sample(dataset: Any) -> Any:
    """Inputs of the first sample as a batch of one, to export a module with; None when they cannot be told."""
    np = need("numpy", "to read a dataset")
    _, data = dataset_bytes(dataset)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        names = [n for n in arrays.files if n == "inputs" or n.startswith("input_")]
        return tuple(arrays[n][:1] for n in names) or None


def _in_one(path: Path) -> bytes:
    """An ONNX file with the weights that exporters write beside it (``PATH.data``): the service reads one file."""
    onnx = need("onnx", f"to put the weights of {path}.data into the model")
    try:
        return bytes(onnx.load(path).SerializeToString(deterministic=True))
    except Exception as error:  # of onnx, of protobuf or of the system
        raise HeadraceError(f"the weights of {path}.data cannot be put into the model: {error}") from error


def _zip_folder(folder: Path) -> bytes:
    if not (folder / "config.json").is_file():
        raise HeadraceError(f"the folder {folder} has no config.json: give a Hugging Face folder, or a model file")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            if path.name == "config.json" or path.suffix == ".safetensors" or path.name.endswith(".index.json"):
                # No times: the same folder is the same upload.
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())
    return buffer.getvalue()
