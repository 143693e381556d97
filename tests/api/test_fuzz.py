"""Whatever is sent, the answer is a document of the contract and never a 5xx."""

import json
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.harness import Server

FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
FIELDS = [
    "model", "dataset", "metric", "platform", "devices", "device", "count", "link", "topology", "clock_mhz", "space",
    "formats", "weight_bits", "max_lanes", "objectives", "direction", "constraints", "min", "max", "search", "sampler",
    "trials", "wall_seconds", "simulation", "samples", "labels", "jobs", "base", "matrix", "/search/seed", "name",
]  # fmt: skip
VALUES = st.recursive(
    SCALARS | st.sampled_from(["sha256:" + "0" * 64, "u250", "accuracy", "maximize", "int", "tpe"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


def check(answer) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].startswith("urn:headrace:problem:")


@FUZZ
@given(st.sampled_from(["/v1/jobs", "/v1/sweeps"]), VALUES)
def test_bodies(server: Server, path: str, body: object) -> None:
    content = json.dumps(body).encode()
    check(server.http.post(path, content=content, headers={"Content-Type": "application/json"}))


@FUZZ
@given(st.dictionaries(st.sampled_from(["search", "space", "platform", "simulation", "constraints", "labels"]), VALUES))
def test_nearly_right_bodies(server: Server, changes: dict) -> None:
    content = json.dumps({"model": "sha256:" + "0" * 64, **changes}).encode()
    check(server.http.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"}))


@FUZZ
@given(st.binary(max_size=200))
def test_bytes(server: Server, content: bytes) -> None:
    check(server.http.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"}))
    check(server.http.post("/v1/models", content=content, headers={"Content-Type": "multipart/form-data; boundary=x"}))


@FUZZ
@given(
    st.sampled_from(["jobs", "models", "datasets", "trials", "sweeps", "devices"]),
    st.text(max_size=30),
    st.dictionaries(
        st.sampled_from(["cursor", "limit", "state", "label", "since_seq", "detail"]), st.text(max_size=30)
    ),
)
def test_paths_and_queries(server: Server, resource: str, name: str, query: dict) -> None:
    check(server.http.get(f"/v1/{resource}", params=query))
    path = f"/v1/{resource}/{quote(name, safe='')}"
    check(server.http.get(path, params=query))
    check(server.http.get(path + "/trials", params=query))
