import threading
import time

from tests.api.harness import Server, problem


def test_sweeps_are_listed_newest_first(server: Server) -> None:
    model = server.model()
    made = [server.http.post("/v1/sweeps", json={"jobs": [{"model": model}] * n}).json() for n in (1, 2, 3)]
    first = server.http.get("/v1/sweeps", params={"limit": 2}).json()
    rest = server.http.get("/v1/sweeps", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    ids = [sweep["id"] for sweep in first["items"] + rest["items"]]
    assert ids[:3] == [sweep["id"] for sweep in reversed(made)]
    assert [len(sweep["items"]) for sweep in first["items"]] == [3, 2]
    assert first["items"][0] == server.http.get(f"/v1/sweeps/{ids[0]}").json()
    problem(server.http.get("/v1/sweeps", params={"cursor": "x"}), 400, "bad-cursor")


def test_a_sweep_has_its_jobs_and_their_progress(server: Server) -> None:
    model = server.model()
    bodies = [{"model": model, "labels": {"team": "edge"}}, {"model": 1}, {"model": model}]
    sweep = server.http.post("/v1/sweeps", json={"jobs": bodies}).json()
    done, _, waiting = sweep["items"]
    server.run(done["job_id"], trials=2)
    server.http.post(f"/v1/jobs/{waiting['job_id']}/cancel")
    server.http.delete(f"/v1/jobs/{waiting['job_id']}")
    one, other, gone = server.http.get(f"/v1/sweeps/{sweep['id']}").json()["items"]
    assert (one["state"], one["job"]["end_reason"]) == ("succeeded", "budget_trials")
    assert one["job"]["model_name"] == "m.onnx" and one["job"]["labels"] == {"team": "edge"}
    assert one["job"]["progress"] == {"trials_done": 2, "trials_total": 100}
    assert (one["job"]["hypervolume"], one["job"]["pareto_size"], one["job"]["best"]["accuracy"]["value"]) == (
        1.5,
        2,
        0.9,
    )
    assert other["problem"]["errors"][0]["pointer"] == "/model" and other["job"] is None
    assert (gone["job_id"], gone["state"], gone["job"]) == (waiting["job_id"], None, None)


def test_the_second_of_two_equal_requests_waits_for_the_first(server: Server) -> None:
    body = {"jobs": [{"model": server.model(), "search": {"seed": 77}}]}
    headers = {"Idempotency-Key": "sweep-in-flight"}
    server.parser.block = threading.Event()
    answers = []
    first = threading.Thread(target=lambda: answers.append(server.http.post("/v1/sweeps", json=body, headers=headers)))
    checks = server.parser.calls.count("check")
    try:
        first.start()
        while server.parser.calls.count("check") == checks:
            time.sleep(0.01)
        refused = server.http.post("/v1/sweeps", json=body, headers=headers)
        problem(refused, 409, "idempotency-in-flight")
        assert refused.headers["retry-after"] == "1"
    finally:
        server.parser.block.set()
        first.join()
        server.parser.block = None
    assert answers[0].status_code == 202
    assert server.http.post("/v1/sweeps", json=body, headers=headers).json() == answers[0].json()
