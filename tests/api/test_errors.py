import errno
import json
import socket

import pytest

from api.errors import PROBLEMS
from api.settings import Settings, SettingsError, from_environment
from tests.api.harness import Server, problem, serving

MODEL = "sha256:" + "0" * 64
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"", b"nul", b"\xff\xfe", b'{"model": NaN}', b'{"model": -Infinity}', b'{"model": 1, "model": 2}',
        b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"model": "\\ud800"}', b'{"model": "a\\u0000b"}',
        b'{"model": ' + b"9" * 5_000 + b"}",
    ],
    ids=["open", "empty", "word", "not-utf8", "nan", "infinity", "twice", "deep-list", "deep-dict", "surrogate", "nul",
         "long-number"],
)  # fmt: skip
def test_json_that_is_refused(server: Server, content: bytes) -> None:
    answer = server.http.post("/v1/jobs", content=content, headers=JSON)
    problem(answer, 422, "invalid-body" if content == b"" else "invalid-json")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"model": "../../etc/passwd"}, "/model"),
        ({"surprise": 1}, "/surprise"),
        ({"search": {"trials": 0}}, "/search/trials"),
        ({"search": {"trials": 1.5}}, "/search/trials"),
        ({"search": {"trials": "10"}}, "/search/trials"),
        ({"search": {"trials": True}}, "/search/trials"),
        ({"search": {"wall_seconds": 1e309}}, "/search/wall_seconds"),
        ({"search": {"seed": 10**30}}, "/search/seed"),
        ({"search": {"sampler": "tpe'; DROP"}}, "/search/sampler"),
        ({"space": {"weight_bits": []}}, "/space/weight_bits"),
        ({"space": {"weight_bits": [17]}}, "/space/weight_bits/0"),
        ({"space": {"weight_bits": [4, 4]}}, "/space"),
        ({"objectives": [{"metric": "accuracy", "direction": "up"}]}, "/objectives/0/direction"),
        ({"objectives": [{"metric": "accuracy", "direction": "maximize"}] * 2}, ""),
        ({"objectives": [{"metric": "accuracy", "direction": "maximize"}] * 1000}, "/objectives"),
        ({"constraints": [{"metric": "accuracy"}]}, "/constraints/0"),
        ({"constraints": [{"metric": "accuracy", "min": 2, "max": 1}]}, "/constraints/0"),
        ({"constraints": [{"metric": "__class__", "min": 2}]}, "/constraints/0/metric"),
        ({"labels": {"a b": "c"}}, "/labels/a b"),
        ({"labels": {"a/b~c": 1}}, "/labels/a~1b~0c"),
        ({"platform": {"devices": []}}, "/platform/devices"),
        ({"platform": {"devices": [{"device": {"name": "mine"}}]}}, "/platform/devices/0/device/lut"),
        ({"platform": {"devices": [{"device": 3}]}}, "/platform/devices/0/device"),
        ({"platform": {"link": {"bandwidth_gbps": 0}}}, "/platform/link/bandwidth_gbps"),
        ({"simulation": {"samples": -0}}, "/simulation/samples"),
        ({"simulation": {"backpressure": None}}, "/simulation/backpressure"),
    ],
)
def test_bodies_that_are_refused_with_a_pointer(server: Server, change: dict, pointer: str) -> None:
    body = {"model": MODEL, **change}
    content = json.dumps(body).replace("Infinity", "1e309")
    document = problem(server.http.post("/v1/jobs", content=content, headers=JSON), 422, "invalid-body")
    assert pointer in [error["pointer"] for error in document["errors"]], document


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/v1", 404, "not-found"),
        ("GET", "/static/../main.py", 404, "not-found"),
        ("GET", "/static/%2e%2e/main.py", 404, "not-found"),
        ("PUT", "/v1/jobs", 405, "method-not-allowed"),
        ("DELETE", "/v1/models/x", 405, "method-not-allowed"),
        ("GET", "/v1/models/x", 404, "not-found"),
        ("GET", "/v1/datasets/x", 404, "not-found"),
        ("GET", "/v1/sweeps/x", 404, "not-found"),
        ("GET", "/v1/devices/x", 404, "not-found"),
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/readyz", 503, "not-ready"),
    ],
)
def test_every_error_is_a_problem_document(server: Server, method: str, path: str, status: int, slug: str) -> None:
    problem(server.http.request(method, path), status, slug)


def test_too_large(server: Server, tmp_path_factory) -> None:
    problem(server.http.post("/v1/jobs", content=b" " * 2_000_000, headers=JSON), 413, "too-large")
    chunks = (b" " * 100_000 for _ in range(20))
    problem(server.http.post("/v1/jobs", content=chunks, headers=JSON), 413, "too-large")
    with serving(tmp_path_factory.mktemp("small"), max_model_bytes=1000) as small:
        for size in (1001, 500_000):
            answer = small.http.post("/v1/models", files={"file": ("m.onnx", b"good" + b"x" * size)})
            problem(answer, 413, "too-large")
        assert list((small.home / "incoming").iterdir()) == [] and list((small.home / "blobs").iterdir()) == []


def test_database_away_is_503(tmp_path_factory) -> None:
    with serving(tmp_path_factory.mktemp("gone")) as broken:
        broken.store.database.engine.dispose()
        for name in ("headrace.db", "headrace.db-wal", "headrace.db-shm"):
            (broken.home / name).unlink(missing_ok=True)
        (broken.home / "headrace.db").mkdir()
        document = problem(broken.http.get("/v1/jobs"), 503, "unavailable")
        assert str(broken.home) not in document["detail"]
        assert problem(broken.http.get("/readyz"), 503, "not-ready")["database"] != "ok"
        assert broken.http.get("/healthz").json() == {"status": "ok"}


def test_unexpected_errors_hide_their_text(tmp_path_factory, monkeypatch) -> None:
    with serving(tmp_path_factory.mktemp("bug")) as broken:

        def fail(*_: object) -> None:
            raise RuntimeError("secret /path")

        monkeypatch.setattr(broken.store.models, "get", fail)
        document = problem(broken.http.get("/v1/models/x"), 500, "internal")
        assert "secret" not in str(document)


def test_full_disk_is_507(tmp_path_factory, monkeypatch) -> None:
    with serving(tmp_path_factory.mktemp("full")) as full:

        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("api.routes.uploads.shutil.copyfileobj", fail)
        answer = full.http.post("/v1/models", files={"file": ("m.onnx", b"good")})
        problem(answer, 507, "out-of-space")
        assert list((full.home / "incoming").iterdir()) == []


def test_nul_never_reaches_the_database(server: Server) -> None:
    for path in ("/v1/models/a%00b", "/v1/jobs/%00", "/v1/trials/%00/rtl"):
        document = problem(server.http.get(path), 404, "not-found")
        assert "NUL" in document["detail"]
    for query in ("sweep=%00", "label=a%3D%00", "cursor=%00", "%00=1"):
        problem(server.http.get(f"/v1/jobs?{query}"), 400, "bad-request")


def test_hosts_and_origins(server: Server) -> None:
    problem(server.http.get("/v1/jobs", headers={"Host": "evil.example"}), 400, "unknown-host")
    problem(server.http.get("/v1/jobs", headers={"Host": "[bad"}), 400, "unknown-host")
    problem(server.http.post("/v1/jobs", headers={"Origin": "http://evil.example"}), 403, "cross-origin")
    problem(server.http.post("/v1/jobs", headers={"Sec-Fetch-Site": "cross-site"}), 403, "cross-origin")
    assert server.http.get("/v1/jobs", headers={"Host": "localhost:1"}).status_code == 200
    assert server.http.get("/v1/jobs").headers["x-content-type-options"] == "nosniff"


def test_token(tmp_path_factory) -> None:
    token = "a-secret-of-enough-length"
    with serving(tmp_path_factory.mktemp("token"), token=token) as guarded:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": token}, {"Authorization": "Basic !"}):
            answer = guarded.http.get("/v1/jobs", headers=headers)
            problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert guarded.http.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert guarded.http.get("/v1/jobs", auth=("any", token)).status_code == 401
        # The dashboard's page and scripts hold no data: the page itself asks for the token.
        for path in ("/", "/jobs/x", "/static/dashboard/index.html", "/favicon.ico"):
            assert guarded.http.get(path).status_code == 200
        assert guarded.http.get("/openapi.json").status_code == 401
        assert guarded.http.get("/metrics").status_code == 401
        assert guarded.http.get("/healthz").status_code == 200


def test_settings_refuse_an_open_server(tmp_path) -> None:
    environment = {"HEADRACE_HOME": str(tmp_path), "HEADRACE_HOST": "0.0.0.0"}
    with pytest.raises(SettingsError, match="HEADRACE_TOKEN"):
        from_environment(environment)
    with pytest.raises(SettingsError, match="16 characters"):
        from_environment(environment | {"HEADRACE_TOKEN": "short"})
    assert from_environment(environment | {"HEADRACE_TOKEN": "x" * 16}).token
    with pytest.raises(SettingsError, match="HEADRACE_MAX_MODEL_BYTES"):
        from_environment({"HEADRACE_HOME": str(tmp_path), "HEADRACE_MAX_MODEL_BYTES": "-1"})
    with pytest.raises(SettingsError):
        Settings(tmp_path, "sqlite://", "redis://", host="192.0.2.1")


def test_refusals_say_what_to_do(server: Server) -> None:
    for body, words in (
        ({"surprise": 1}, "/surprise: there is no such field"),
        ([], "a JSON object is expected"),
        ({"constraints": [{"metric": "accuracy"}]}, "/constraints/0: give min, max or both"),
    ):
        content = body if isinstance(body, list) else {"model": MODEL, **body}
        document = problem(server.http.post("/v1/jobs", json=content), 422, "invalid-body")
        assert document["detail"].startswith(words) or document["detail"].startswith(f"body: {words}"), document
    document = problem(server.http.post("/v1/models", files={"file": (None, b"x")}), 422, "invalid-body")
    assert document["detail"] == "/file: send the file as a part with a file name"
    job = server.submit()
    document = problem(server.http.delete(f"/v1/jobs/{job['id']}"), 409, "state-conflict")
    assert "it must be" in document["detail"] and "cancelled" in document["detail"]
    document = problem(server.http.get("/v1/jobs", params={"cursor": "x"}), 400, "bad-cursor")
    assert "next_cursor" in document["detail"]


@pytest.mark.parametrize("media", ["text/plain", "application/octet-stream", None])
def test_bodies_of_another_media_type(server: Server, media: str | None) -> None:
    headers = {} if media is None else {"Content-Type": media}
    for path, wanted in (("/v1/jobs", "application/json"), ("/v1/models", "multipart/form-data")):
        document = problem(server.http.post(path, content=b"{}", headers=headers), 415, "unsupported-media-type")
        assert wanted in document["detail"]
    for path, content in (("/v1/jobs", {"json": {}}), ("/v1/models", {"data": {"name": "x"}})):
        problem(server.http.post(path, **content), 422, "invalid-body")
    problem(server.http.post("/v1/jobs", data={"model": MODEL}), 415, "unsupported-media-type")
    assert server.http.post("/v1/jobs", content=b"{}", headers={"Content-Type": "a/b+json"}).status_code == 422


def test_slow_body_is_ended(server: Server, monkeypatch) -> None:
    monkeypatch.setattr("api.guard._BODY_SECONDS", 0.3)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        answer = ""
        while "urn:headrace" not in answer and (part := slow.recv(65536)):  # head and body may come apart
            answer += part.decode()
    assert answer.startswith("HTTP/1.1 408") and "urn:headrace:problem:request-timeout" in answer


def test_documentation_lists_every_problem() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    missing = [slug for slug in PROBLEMS if f"`{slug}`" not in text]
    assert not missing
