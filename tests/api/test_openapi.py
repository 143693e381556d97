"""openapi.json as generators of clients read it: everything described and typed; and a client that one generates."""

import importlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest

from tests.api.harness import Server

# Objects whose keys nobody can know, each described where it stands.
FREE_MAPS = {"/components/schemas/SweepBody/properties/base"}


def walk(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    yield place, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from walk(value, f"{place}/{key}")


@pytest.fixture(scope="module")
def document(server: Server) -> dict:
    return server.http.get("/openapi.json").json()


def properties(document: dict) -> Iterator[tuple[str, dict]]:
    for place, node in walk(document):
        if isinstance(node, dict) and isinstance(node.get("properties"), dict) and not place.endswith("/properties"):
            for name, schema in node["properties"].items():
                yield f"{place}/properties/{name}", schema


def test_every_property_is_described(document: dict) -> None:
    found = dict(properties(document))
    assert len(found) > 300
    assert [place for place, schema in found.items() if not schema.get("description")] == []


def test_every_object_is_typed(document: dict) -> None:
    """A property of type object has properties, or typed values; what is free is in the list above."""
    bare = []
    for place, schema in walk(document):
        known = {"properties", "patternProperties"}
        if isinstance(schema, dict) and schema.get("type") == "object" and not known & set(schema):
            values = schema.get("additionalProperties")
            if not isinstance(values, dict) or values == {}:
                bare.append(place.removesuffix("/anyOf/0"))
    assert set(bare) == FREE_MAPS


def test_every_parameter_and_schema_is_described(document: dict) -> None:
    for place, node in walk(document):
        if place.startswith("/paths") and isinstance(node, dict) and "in" in node and node["in"] != "path":
            assert node.get("description"), place
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or name.startswith(("Body_", "PageView_")), name


def test_files_are_binary(document: dict) -> None:
    for name in ("Body_uploadModel", "Body_uploadDataset"):
        schema = document["components"]["schemas"][name]["properties"]["file"]
        assert (schema["type"], schema["format"]) == ("string", "binary")
    answer = document["paths"]["/v1/trials/{trial_id}/rtl"]["get"]["responses"]["200"]["content"]
    assert list(answer) == ["application/zip", "application/octet-stream"]
    assert all(media == {"schema": {"type": "string", "format": "binary"}} for media in answer.values())


def test_bodies_are_referred_to(document: dict) -> None:
    schemas = document["components"]["schemas"]
    body = "#/components/schemas/JobBody"
    assert schemas["JobView"]["properties"]["spec"]["$ref"] == body
    (jobs, _) = schemas["SweepBody"]["properties"]["jobs"]["anyOf"]
    assert jobs["items"]["$ref"] == body
    references = {node["$ref"] for _, node in walk(document) if isinstance(node, dict) and "$ref" in node}
    assert {reference.rsplit("/", 1)[1] for reference in references} <= set(schemas)


def test_no_two_schemas_share_a_name(document: dict) -> None:
    """Of two, both get the path of their module, and generators make neither."""
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


@pytest.fixture(scope="module")
def generated(document: dict, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that openapi-python-client makes of the document, imported."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document))
    arguments = ["generate", "--path", "openapi.json", "--meta", "none", "--output-path", "made_client"]
    done = subprocess.run(
        [sys.executable, "-c", "from openapi_python_client.cli import app; app()", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Warning" not in done.stdout, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("made_client")
    sys.path.remove(str(folder))


def call(module: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{module.__name__}.api.{name}").sync_detailed


def test_a_generated_client_uploads_submits_follows_and_downloads(server: Server, generated: ModuleType) -> None:
    models, types = importlib.import_module("made_client.models"), importlib.import_module("made_client.types")
    client = generated.Client(base_url=server.url)
    file = types.File(payload=BytesIO(b"good model of a generated client"), file_name="net.onnx")
    body = models.BodyUploadModel(file=file, name="generated")
    uploaded = call(generated, "uploads.upload_model")(client=client, body=body)
    assert uploaded.status_code == 201 and uploaded.parsed.name == "generated"
    assert uploaded.parsed.graph.macs_per_inference == 160

    wanted = models.JobBody(model=uploaded.parsed.id, search=models.Search(trials=7))
    job = call(generated, "jobs.submit_job")(client=client, body=wanted, idempotency_key="generated-1").parsed
    again = call(generated, "jobs.submit_job")(client=client, body=wanted, idempotency_key="generated-1").parsed
    assert job.id == again.id and job.state == "queued" and job.spec.search.trials == 7

    trial = server.run(job.id, trials=2)[1]
    job = call(generated, "jobs.get_job")(job.id, client=client).parsed
    assert job.state == "succeeded" and job.progress.trials_done == 2 and job.end_reason == "budget_trials"
    assert job.hypervolume_history[-1].hypervolume == 1.5
    front = call(generated, "jobs.get_pareto")(job.id, client=client).parsed.items
    assert [each.id for each in front][1] == trial.id
    assert front[1].metrics.accuracy == 0.89 and front[1].exact.mismatched_words == 0
    assert front[1].candidate.quantization["fc"].weight == "int3"
    detailed = call(generated, "trials.get_trial")(trial.id, client=client, detail="operators").parsed
    assert detailed.metrics.operators[0].est_lut == 812.0

    bundle = call(generated, "trials.get_bundle")(trial.id, client=client).parsed
    assert zipfile.ZipFile(BytesIO(bundle.payload.read())).namelist() == []
    refused = call(generated, "jobs.get_job")("none", client=client)
    assert refused.status_code == 404 and refused.parsed.type_ == "urn:headrace:problem:not-found"
