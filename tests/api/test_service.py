from tests.api.harness import Server, problem
from workers import names


def test_sweep_accepts_and_refuses_item_by_item(server: Server) -> None:
    model = server.model()
    jobs = [{"model": model}, {"model": model, "search": {"trials": -1}}, {"model": model, "labels": {"a": "b"}}]
    answer = server.http.post("/v1/sweeps", json={"jobs": jobs})
    sweep = answer.json()
    assert answer.status_code == 202 and answer.headers["location"] == f"/v1/sweeps/{sweep['id']}"
    assert [item["state"] for item in sweep["items"]] == ["queued", None, "queued"]
    refused = sweep["items"][1]["problem"]
    assert refused["type"].endswith("invalid-body") and refused["errors"][0]["pointer"] == "/search/trials"
    assert sweep["counts"] == {"queued": 2, "refused": 1}
    server.run(sweep["items"][0]["job_id"], trials=2)
    progress = server.http.get(f"/v1/sweeps/{sweep['id']}").json()
    assert progress["progress"] == {"trials_done": 2, "trials_total": 200}
    cancelled = server.http.post(f"/v1/sweeps/{sweep['id']}/cancel").json()
    assert [item["state"] for item in cancelled["items"]] == ["succeeded", None, "cancelled"]
    listed = server.http.get("/v1/jobs", params={"sweep": sweep["id"]}).json()["items"]
    assert len(listed) == 2


def test_sweep_matrix(server: Server) -> None:
    base = {"model": server.model(), "labels": {"kind": "matrix"}}
    matrix = {"/search/seed": [0, 1], "/platform/clock_mhz": [200, 300], "/labels/run": ["x"]}
    body = {"base": base, "matrix": matrix}
    headers = {"Idempotency-Key": "sweep-1"}
    sweep = server.http.post("/v1/sweeps", json=body, headers=headers).json()
    again = server.http.post("/v1/sweeps", json=body, headers=headers).json()
    assert sweep == again and len(sweep["items"]) == 4
    specs = [server.http.get(f"/v1/jobs/{item['job_id']}").json()["spec"] for item in sweep["items"]]
    points = [(s["search"]["seed"], s["platform"]["clock_mhz"]) for s in specs]
    assert points == [
        (0, 200),
        (0, 300),
        (1, 200),
        (1, 300),
    ]
    assert specs[0]["labels"] == {"kind": "matrix", "run": "x"}
    other = {"base": base, "matrix": {"/search/seed": [5]}}
    problem(server.http.post("/v1/sweeps", json=other, headers=headers), 422, "idempotency-mismatch")


def test_sweep_key_names_one_sweep_alone(server: Server) -> None:
    job, headers = {"model": server.model()}, {"Idempotency-Key": "sweep-2"}
    sweep = server.http.post("/v1/sweeps", json={"jobs": [job, job, {}]}, headers=headers).json()
    for jobs in ([job], [job, job], [job, job, {}, job], [job, job, {"model": 1}]):
        answer = server.http.post("/v1/sweeps", json={"jobs": jobs}, headers=headers)
        problem(answer, 422, "idempotency-mismatch")
    assert server.http.post("/v1/sweeps", json={"jobs": [job, job, {}]}, headers=headers).json() == sweep
    # The keys of jobs and of sweeps are apart, and no key reaches into a sweep.
    for key in ("sweep-2", "sweep-2#0"):
        single = server.http.post("/v1/jobs", json=job, headers={"Idempotency-Key": key}).json()
        assert single["sweep"] is None
    listed = server.http.get("/v1/jobs", params={"sweep": sweep["id"]}).json()["items"]
    assert len(listed) == 2


def test_sweep_bodies_that_are_refused(server: Server) -> None:
    model = {"model": server.model()}
    for body in (
        {},
        {"jobs": []},
        {"jobs": [model], "base": model},
        {"jobs": [model], "name": "ignored"},
        {"base": model},
        {"base": model, "matrix": {"search": [1]}},
        {"base": model, "matrix": {"/a": []}},
        {"base": model, "matrix": {"/a": [0] * 20, "/b": [0] * 20}},
        {"base": {"labels": [1]}, "matrix": {"/labels/5/x": [1]}},
        {"base": {"labels": [1, 2, 3]}, "matrix": {"/labels/²": [1]}},
        {"base": {"labels": [1]}, "matrix": {"/labels/00": [1]}},
    ):
        problem(server.http.post("/v1/sweeps", json=body), 422, "invalid-body")


def test_ready_when_a_worker_and_a_broker_are_heard(server: Server, monkeypatch) -> None:
    monkeypatch.setattr("api.readiness._broker", lambda url: "ok")
    server.store.workers.heard("w1", [names.EVALUATE_QUEUE], {"tools": {"verilator": "5.48.0"}})
    assert names.DRIVE_QUEUE in problem(server.http.get("/readyz"), 503, "not-ready")["workers"]
    server.store.workers.heard("w2", [names.DRIVE_QUEUE], {})
    assert server.http.get("/readyz").json() == {"ready": True, "database": "ok", "broker": "ok", "workers": "ok"}
    version = server.http.get("/version").json()
    assert version["version"] and version["workers"][0]["info"]["tools"]["verilator"] == "5.48.0"
    server.store.workers.gone("w1")
    server.store.workers.gone("w2")


def test_metrics(server: Server) -> None:
    server.submit()
    text = server.http.get("/metrics").text
    assert 'headrace_jobs{state="queued"}' in text
    assert 'headrace_http_requests_total{method="POST",status="202"}' in text


def test_openapi_is_complete(server: Server) -> None:
    document = server.http.get("/openapi.json").json()
    contract = {
        ("post", "/v1/models"), ("get", "/v1/models"), ("get", "/v1/models/{model_id}"), ("post", "/v1/datasets"),
        ("get", "/v1/devices"), ("post", "/v1/jobs"), ("get", "/v1/jobs"), ("get", "/v1/jobs/{job_id}"),
        ("get", "/v1/jobs/{job_id}/trials"), ("get", "/v1/jobs/{job_id}/pareto"), ("get", "/v1/jobs/{job_id}/events"),
        ("post", "/v1/jobs/{job_id}/pause"), ("post", "/v1/jobs/{job_id}/resume"), ("post", "/v1/jobs/{job_id}/stop"),
        ("post", "/v1/jobs/{job_id}/cancel"), ("patch", "/v1/jobs/{job_id}"), ("delete", "/v1/jobs/{job_id}"),
        ("get", "/v1/trials/{trial_id}"), ("get", "/v1/trials/{trial_id}/rtl"), ("post", "/v1/sweeps"),
        ("get", "/v1/sweeps/{sweep_id}"), ("post", "/v1/sweeps/{sweep_id}/cancel"), ("get", "/healthz"),
        ("get", "/readyz"), ("get", "/metrics"), ("get", "/version"),
    }  # fmt: skip
    found = {(method, path): op for path, methods in document["paths"].items() for method, op in methods.items()}
    assert contract <= set(found)
    names = [op["operationId"] for op in found.values()]
    assert len(names) == len(set(names)) and all("_" not in name for name in names)
    for (method, _), operation in found.items():
        refusals = {status: r["content"] for status, r in operation["responses"].items() if int(status) >= 400}
        assert all(list(content) == ["application/problem+json"] for content in refusals.values())
        assert method == "get" or "403" in refusals
        assert "requestBody" not in operation or {"408", "413", "415", "422", "507"} <= set(refusals)
    body = found["post", "/v1/jobs"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["$ref"].endswith("JobBody")


def test_devices_have_sources(server: Server) -> None:
    devices = server.http.get("/v1/devices").json()["items"]
    for device in devices:
        assert server.http.get(f"/v1/devices/{device['name']}").json() == device
        assert device["sources"]
    assert len(devices) >= 8
