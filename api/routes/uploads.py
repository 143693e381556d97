"""Models and datasets: uploads stored under their content's SHA-256, parsed in a subprocess."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Response, UploadFile
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from api.context import Context, ContextDep, Cursor, Limit, ResourceId, problems
from api.errors import Problem
from api.strictjson import StrictRoute, loads
from api.upload_views import DatasetView, ModelView
from api.views import PageView
from db.artefacts import content_id, fixed_id
from db.errors import NotFoundError

_FIXED_BYTES = 1_000_000
_FIXED: Mapping[str, TypeAdapter[Any]] = {
    "shapes": TypeAdapter(dict[str, list[Annotated[int, Field(ge=1, lt=2**31)]]], config=ConfigDict(strict=True)),
    "freeze": TypeAdapter(
        dict[str, Literal["ones", "zeros", "arange"] | int | float | list[Any]], config=ConfigDict(strict=True)
    ),
}
Fixed = Annotated[str | None, Form(max_length=_FIXED_BYTES)]
DisplayName = Annotated[str | None, Form(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def upload_model(
    context: ContextDep,
    response: Response,
    file: UploadFile,
    name: DisplayName = None,
    shapes: Fixed = None,
    freeze: Fixed = None,
) -> ModelView:
    """Upload a model: an ONNX file or a torch.export archive.

    The same bytes again answer 200 with the same id; with other `shapes` or `freeze` they are another model. A zip of a
    Hugging Face folder is recognised and refused: it cannot be imported yet.
    """
    fixed = _fixed(shapes=shapes, freeze=freeze)
    with context.artefacts.incoming() as path:
        size = _receive(file, path, context.settings.max_model_bytes)
        model_id = fixed_id(content_id(path), fixed)
        known = _known_model(context, model_id)
        if known is not None:
            response.status_code = 200
            return known
        with context.artefacts.incoming(".graph") as graph:
            parsed = context.parser.inspect_model(path, graph, fixed)
            context.artefacts.place(graph, context.artefacts.graph(model_id))
        context.artefacts.place(path, context.artefacts.blob(model_id))
    title = name or _display_name(file.filename, "model")
    row, created = context.store.models.add(
        model_id, title, parsed["format"], size, parsed["graph"], parsed.get("software", ())
    )
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"/v1/models/{model_id}"
    return ModelView.of(row)


def list_models(context: ContextDep, cursor: Cursor = None, limit: Limit = 50) -> PageView[ModelView]:
    """Models, newest first."""
    page = context.store.models.page(cursor, limit)
    return PageView(items=[ModelView.of(row) for row in page.items], next_cursor=page.next_cursor)


def get_model(context: ContextDep, model_id: ResourceId) -> ModelView:
    """One model."""
    return ModelView.of(context.store.models.get(model_id))


def delete_model(context: ContextDep, model_id: ResourceId) -> None:
    """Delete a model that no job uses, with its file."""
    with context.models:
        context.store.models.delete(model_id)
        for path in (context.artefacts.graph(model_id), context.artefacts.blob(model_id)):
            path.unlink(missing_ok=True)


def upload_dataset(context: ContextDep, response: Response, file: UploadFile, name: DisplayName = None) -> DatasetView:
    """Upload evaluation data: an ``.npz`` with ``inputs`` or ``input_<name>``, and ``targets`` or ``target_<output>``.

    The first dimension of every array counts the samples. The same bytes again answer 200 with the same id.
    """
    with context.artefacts.incoming(".npz") as path:
        size = _receive(file, path, context.settings.max_dataset_bytes)
        dataset_id = content_id(path)
        known = _known_dataset(context, dataset_id)
        if known is not None:
            response.status_code = 200
            return known
        parsed = context.parser.inspect_dataset(path)
        context.artefacts.place(path, context.artefacts.blob(dataset_id))
    title = name or _display_name(file.filename, "dataset")
    row, created = context.store.datasets.add(dataset_id, title, parsed["samples"], parsed["arrays"], size)
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"/v1/datasets/{dataset_id}"
    return DatasetView.of(row)


def list_datasets(context: ContextDep, cursor: Cursor = None, limit: Limit = 50) -> PageView[DatasetView]:
    """Datasets, newest first."""
    page = context.store.datasets.page(cursor, limit)
    return PageView(items=[DatasetView.of(row) for row in page.items], next_cursor=page.next_cursor)


def get_dataset(context: ContextDep, dataset_id: ResourceId) -> DatasetView:
    """One dataset."""
    return DatasetView.of(context.store.datasets.get(dataset_id))


def router(model_bytes: int, dataset_bytes: int) -> APIRouter:
    """The routes, with the caps on the whole request bodies of the two uploads."""
    routes = APIRouter(prefix="/v1", tags=["uploads"], route_class=StrictRoute)
    routes.post(
        "/models", operation_id="uploadModel", status_code=201, max_body_size=model_bytes,
        responses=problems(413) | {200: {"model": ModelView, "description": "known already"}},
    )(upload_model)  # fmt: skip
    routes.get("/models", operation_id="listModels", responses=problems())(list_models)
    routes.get("/models/{model_id}", operation_id="getModel", responses=problems(404))(get_model)
    routes.delete("/models/{model_id}", operation_id="deleteModel", status_code=204, responses=problems(404, 409))(
        delete_model
    )
    routes.post(
        "/datasets", operation_id="uploadDataset", status_code=201, max_body_size=dataset_bytes,
        responses=problems(413) | {200: {"model": DatasetView, "description": "known already"}},
    )(upload_dataset)  # fmt: skip
    routes.get("/datasets", operation_id="listDatasets", responses=problems())(list_datasets)
    routes.get("/datasets/{dataset_id}", operation_id="getDataset", responses=problems(404))(get_dataset)
    return routes


def _fixed(**texts: str | None) -> dict[str, Any]:
    """What a request fixes of a model, by the name of the field; empty objects fix nothing."""
    found = {name: _read(name, text) for name, text in texts.items() if text is not None}
    return {name: value for name, value in found.items() if value}


def _read(field: str, text: str) -> Any:
    """The JSON object of a form field."""
    try:
        return _FIXED[field].validate_python(loads(text.encode()))
    except (json.JSONDecodeError, ValidationError) as error:
        detail = error.msg if isinstance(error, json.JSONDecodeError) else str(error.errors()[0]["msg"])
        problem = {"pointer": f"/{field}", "detail": detail}
        raise Problem("invalid-body", f"/{field}: {detail}", errors=[problem]) from error


def _receive(file: UploadFile, path: Path, limit: int) -> int:
    """Move the spooled upload to ``path``; its size in bytes."""
    # The route's body limit counts the multipart framing too; this one counts the file.
    if file.size is not None and file.size > limit:
        raise Problem("too-large", f"The file has {file.size} bytes; this server takes at most {limit}.")
    if file.size == 0:
        raise Problem("invalid-body", "/file: the file is empty", errors=[{"pointer": "/file", "detail": "empty"}])
    with path.open("wb") as out:
        shutil.copyfileobj(file.file, out, 1024 * 1024)
    return path.stat().st_size


def _known_model(context: Context, model_id: str) -> ModelView | None:
    """The registered model, when its graph is there and whole; another is parsed again."""
    if not context.artefacts.graph(model_id).is_file():
        return None
    try:
        row = context.store.models.get(model_id)
    except NotFoundError:
        return None
    # An earlier release did not keep what runs in software behind the graph's outputs.
    return ModelView.of(row) if all("output" in step for step in row.software) else None


def _known_dataset(context: Context, dataset_id: str) -> DatasetView | None:
    """The registered dataset, when its file is still there."""
    if not context.artefacts.blob(dataset_id).is_file():
        return None
    try:
        return DatasetView.of(context.store.datasets.get(dataset_id))
    except NotFoundError:
        return None


def _display_name(filename: str | None, fallback: str) -> str:
    """The last part of what the sender called the file, printable; it is only ever shown, never opened."""
    name = (filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in name if c.isprintable())[:200].encode("utf-8", "ignore").decode() or fallback
