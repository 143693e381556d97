"""What the dashboard's list of jobs needs: search, names of models, how the hypervolume grew."""

from tests.api.harness import Server, problem


def found(server: Server, **query: str) -> set[str]:
    return {job["id"] for job in server.http.get("/v1/jobs", params=query).json()["items"]}


def upload(server: Server, name: str) -> str:
    files = {"file": ("m.onnx", b"good " + name.encode())}
    return server.http.post("/v1/models", files=files, data={"name": name}).json()["id"]


def test_jobs_are_found_by_model_and_by_text(server: Server) -> None:
    camera, radio = upload(server, "Camera net 100%"), upload(server, "radio")
    one = server.submit(labels={"team": "Edge_Vision"})["id"]
    two, three = (server.http.post("/v1/jobs", json={"model": model}).json()["id"] for model in (camera, radio))
    assert found(server, model=camera) == {two} == found(server, model="Camera net 100%")
    assert found(server, model="camera") == set()
    assert found(server, q="camera") == {two} == found(server, q="100%")
    assert found(server, q="edge_vis") == {one}
    assert found(server, q=three[4:]) == {three} == found(server, q=three)
    # % and _ are text, not wildcards
    assert found(server, q="%") == {two} and found(server, q="edgeXvis") == set() and found(server, q="e_ge") == set()
    assert found(server, q="radio", model=camera) == set()
    assert found(server, q="radio", state="queued") == {three}
    problem(server.http.get("/v1/jobs", params={"q": "x" * 201}), 422, "invalid-body")


def test_jobs_say_what_their_model_is_called(server: Server) -> None:
    job = server.http.post("/v1/jobs", json={"model": upload(server, "named")}).json()
    assert job["model_name"] == "named"
    assert server.http.get(f"/v1/jobs/{job['id']}").json()["model_name"] == "named"


def test_hypervolume_is_told_in_short_and_in_full(server: Server) -> None:
    job = server.submit()["id"]
    assert server.http.get(f"/v1/jobs/{job}").json()["hypervolume_history"] == []
    lease = server.store.searches.claim(job, "test", 60)
    for number in range(100):
        candidate = {"quantization": {}, "parallelism": {}, "partition": {}}
        trial = server.store.searches.add_trial(job, lease.fence, candidate, f"c{number}")
        held = server.store.work.claim(trial.id, "test", 60)
        server.store.work.record_result(trial.id, held.fence, {"state": "complete", "metrics": {}})
        # every second trial improves the front, the tenth by much
        volume = (number // 2 * 2) / 1000 + (0.5 if number >= 10 else 0)
        server.store.searches.set_progress(job, lease.fence, volume, {}, [trial.id])
    steps = server.http.get(f"/v1/jobs/{job}/hypervolume").json()["items"]
    assert [(s["trials"], s["hypervolume"]) for s in steps][:7] == [
        (1, 0), (3, 0.002), (5, 0.004), (7, 0.006), (9, 0.008), (11, 0.51), (13, 0.512),
    ]  # fmt: skip
    assert len(steps) == 50 and [s["seconds"] for s in steps] == sorted(s["seconds"] for s in steps)
    listed = next(j for j in server.http.get("/v1/jobs").json()["items"] if j["id"] == job)
    assert listed["hypervolume_history"] == steps
    for number in range(100, 130):
        server.store.searches.set_progress(job, lease.fence, 0.6 + number / 1000, {}, [])
    history = server.http.get(f"/v1/jobs/{job}").json()["hypervolume_history"]
    full = server.http.get(f"/v1/jobs/{job}/hypervolume").json()["items"]
    assert len(full) == 80 and len(history) == 60 and all(point in full for point in history)
    assert (
        history[0] == full[0]
        and history[-1] == full[-1]
        and (11, 0.51) in [(p["trials"], p["hypervolume"]) for p in history]
    )
    problem(server.http.get("/v1/jobs/none/hypervolume"), 404, "not-found")


def test_importance_is_computed_when_there_is_more_to_tell(server: Server) -> None:
    job = server.submit()["id"]
    url = f"/v1/jobs/{job}/importance"
    lease = server.store.searches.claim(job, "test", 60)
    computed = lambda: server.parser.calls.count("importance")  # noqa: E731

    def end(count: int) -> None:
        for number in range(count):
            candidate = {"quantization": {}, "parallelism": {}, "partition": {}}
            trial = server.store.searches.add_trial(job, lease.fence, candidate, f"{computed()}-{number}")
            held = server.store.work.claim(trial.id, "test", 60)
            server.store.work.record_result(trial.id, held.fence, {"state": "complete", "metrics": {}})

    before = computed()
    end(20)
    first = server.http.get(url).json()
    assert first["importance"] == {"accuracy": {"weight:fc": 0.75, "out_lanes:fc": 0.25}}
    assert server.http.get(url).json() == first and computed() == before + 1
    end(1)  # a twentieth more: what is known will do
    assert server.http.get(url).json()["seq"] == first["seq"] and computed() == before + 1
    end(1)
    assert server.http.get(url).json()["seq"] > first["seq"] and computed() == before + 2
    server.store.searches.finish(job, lease.fence, "stopped")
    assert server.http.get(url).json()["seq"] == server.http.get(f"/v1/jobs/{job}").json()["seq"]
    assert computed() == before + 3
    problem(server.http.get("/v1/jobs/none/importance"), 404, "not-found")
