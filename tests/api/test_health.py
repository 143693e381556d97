from tests.api.harness import GRAPH, Server, problem
from workers import names


def test_health_of_the_service(server: Server) -> None:
    empty = server.http.get("/v1/health").json()
    assert empty["cache"]["hit_rate"] is None and empty["reasons"] == [] and empty["ready"]["ready"] is False
    server.store.workers.heard("w", [names.EVALUATE_QUEUE], {"slots": 3, "sandbox": {"mode": "namespaces"}})
    job = server.submit()["id"]
    lease = server.store.searches.claim(job, "test", 60)
    plans = {"quantization": {}, "parallelism": {}, "partition": {}}

    def end(name: str, result: dict, cached: str | None = None) -> str:
        trial = server.store.searches.add_trial(job, lease.fence, plans, name)
        held = server.store.work.claim(trial.id, "test", 60)
        server.store.work.record_result(trial.id, held.fence, result, cached_from=cached)
        return trial.id

    stages = [{"name": name, "seconds": 1.0, "cache_hit": hit} for name, hit in (("build", True), ("simulate", False))]
    first = end("a", {"state": "complete", "metrics": {}, "stages": stages})
    end("b", {"state": "complete", "metrics": {}, "stages": [{**stages[0], "cache_hit": False}]}, first)
    for name in "cd":
        end(name, {"state": "infeasible", "reason": "too large"})
    poisoned = server.store.searches.add_trial(job, lease.fence, plans, "e")
    for _ in range(3):
        held = server.store.work.claim(poisoned.id, "test", 60)
        server.store.work.record_fault(poisoned.id, held.fence, "fault", "boom")
    server.store.searches.add_trial(job, lease.fence, plans, "f")
    held = server.store.searches.add_trial(job, lease.fence, plans, "g")
    server.store.work.claim(held.id, "test", 60)

    health = server.http.get("/v1/health").json()
    assert health["queue"]["jobs"]["running"] >= 1 and health["queue"]["slots"] == 3
    assert (health["queue"]["trials_waiting"], health["queue"]["trials_running"]) == (1, 1)
    assert health["queue"]["messages_waiting"] > 0
    assert health["cache"] == {
        "trials": 4,
        "stored_answers": 1,
        "hit_rate": 1 / 3,
        "stages": {"build": {"ran": 2, "hits": 1}, "simulate": {"ran": 1, "hits": 0}},
    }
    assert health["reasons"][0] == {"state": "infeasible", "reason": "too large", "count": 2}
    assert health["reasons"][1]["state"] == "failed" and "boom" in health["reasons"][1]["reason"]
    assert health["workers"][0]["info"]["sandbox"] == {"mode": "namespaces"}
    server.store.workers.gone("w")


def test_a_model_is_deleted_when_no_job_uses_it(server: Server) -> None:
    uploaded = server.http.post("/v1/models", files={"file": ("x.onnx", b"good to delete")}).json()
    url, digest = f"/v1/models/{uploaded['id']}", uploaded["id"].removeprefix("sha256:")
    files = [server.home / "blobs" / digest[:2] / digest, server.home / "graphs" / f"{digest}.graph"]
    job = server.http.post("/v1/jobs", json={"model": uploaded["id"]}).json()["id"]
    document = problem(server.http.delete(url), 409, "state-conflict")
    assert "delete" in document["detail"] and all(path.is_file() for path in files)
    server.http.post(f"/v1/jobs/{job}/cancel")
    problem(server.http.delete(url), 409, "state-conflict")
    server.http.delete(f"/v1/jobs/{job}")
    assert server.http.delete(url).status_code == 204 and not any(path.exists() for path in files)
    problem(server.http.get(url), 404, "not-found")
    problem(server.http.delete(url), 404, "not-found")
    problem(server.http.delete("/v1/models/..%2f..%2fetc"), 404, "not-found")
    problem(server.http.post("/v1/jobs", json={"model": uploaded["id"]}), 422, "unknown-reference")
    again = server.http.post("/v1/models", files={"file": ("x.onnx", b"good to delete")})
    assert again.status_code == 201 and again.json()["graph"] == GRAPH


def test_a_model_deleted_while_a_job_is_checked_refuses_it(server: Server, monkeypatch) -> None:
    model = server.http.post("/v1/models", files={"file": ("x.onnx", b"good but brief")}).json()["id"]
    check = server.parser.check_job

    def slow(*arguments: object) -> dict:
        answer = check(*arguments)
        assert server.http.delete(f"/v1/models/{model}").status_code == 204
        return answer

    monkeypatch.setattr(server.parser, "check_job", slow)
    problem(server.http.post("/v1/jobs", json={"model": model}), 422, "unknown-reference")
