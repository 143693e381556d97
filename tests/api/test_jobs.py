import re
import threading
import uuid
from pathlib import Path

from tests.api.harness import Server, problem


def test_submit_answers_202_with_location(server: Server) -> None:
    model = server.model()
    answer = server.http.post("/v1/jobs", json={"model": model, "labels": {"team": "edge"}})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] == "queued" and job["progress"] == {"trials_done": 0, "trials_total": 100}
    assert [o["metric"] for o in job["spec"]["objectives"]] == ["accuracy", "throughput_per_s", "est_lut"]
    assert job["created_at"].endswith("Z")


def test_a_model_whose_graph_another_release_stored_is_asked_for_again(server: Server) -> None:
    model = server.model()
    graph = server.home / "graphs" / f"{model.removeprefix('sha256:')}.graph"
    graph.rename(graph.with_suffix(".npz"))
    answer = server.http.post("/v1/jobs", json={"model": model})
    document = problem(answer, 422, "unknown-reference")
    assert document["errors"][0]["pointer"] == "/model" and "/v1/models again" in document["detail"]
    assert server.model() == model
    assert server.http.post("/v1/jobs", json={"model": model}).status_code == 202


def test_own_device_reaches_the_specification(server: Server) -> None:
    device = {"name": "mine", "family": "ecp5", "lut": 5000, "ff": 9000, "dsp": 10, "bram_kb": 64, "uram_kb": 0,
              "off_chip_gb_per_s": 1.5, "static_w": 0.1, "default_clock_mhz": 100}  # fmt: skip
    job = server.submit(platform={"devices": [{"device": device, "count": 2}]})
    assert job["spec"]["platform"]["devices"] == [{"device": device, "count": 2}]
    (stored,) = server.store.jobs.get(job["id"]).spec["platform"]["devices"]
    assert stored == {"device": "mine", "custom": device, "count": 2}
    again = server.http.post("/v1/jobs", json=job["spec"])
    assert again.status_code == 202 and again.json()["spec"] == job["spec"]


def test_defaults_that_depend_on_the_data(server: Server) -> None:
    assert server.submit()["spec"]["metric"] == "agreement"
    dataset = server.http.post("/v1/datasets", files={"file": ("d.npz", b"good")}).json()["id"]
    spec = server.submit(dataset=dataset)["spec"]
    assert spec["metric"] == "mse" and spec["objectives"][0] == {"metric": "accuracy", "direction": "minimize"}
    spec = server.submit(dataset=dataset, metric="cosine")["spec"]
    assert spec["metric"] == "cosine" and spec["objectives"][0]["direction"] == "maximize"


def test_old_metric_names_are_read_and_never_answered(server: Server) -> None:
    body = {
        "objectives": [{"metric": "meas_throughput_per_s", "direction": "maximize"}],
        "constraints": [{"metric": "meas_latency_ns", "max": 9.0}, {"metric": "meas_latency_cycles", "max": 9.0}],
    }
    job = server.submit(**body)
    assert job["spec"]["objectives"] == [{"metric": "throughput_per_s", "direction": "maximize"}]
    assert [c["metric"] for c in job["spec"]["constraints"]] == ["latency_ns", "meas_latency_cycles"]
    form = {"base": {"model": server.model(), **body}, "matrix": {"/objectives/0/metric": ["meas_latency_ns"]}}
    (item,) = server.http.post("/v1/sweeps", json=form).json()["items"]
    spec = server.http.get(f"/v1/jobs/{item['job_id']}").json()["spec"]
    assert spec["objectives"][0]["metric"] == "latency_ns"


def test_a_job_names_the_output_to_judge(server: Server) -> None:
    assert server.submit()["spec"]["output"] is None
    assert server.submit(output="probabilities")["spec"]["output"] == "probabilities"
    answer = server.http.post("/v1/jobs", json={"model": server.model(), "output": ""})
    assert problem(answer, 422, "invalid-body")["errors"][0]["pointer"] == "/output"


def test_an_old_and_a_new_name_are_one_metric(server: Server) -> None:
    both = [{"metric": name, "direction": "maximize"} for name in ("throughput_per_s", "meas_throughput_per_s")]
    answer = server.http.post("/v1/jobs", json={"model": server.model(), "objectives": both})
    assert "same metric" in problem(answer, 422, "invalid-body")["errors"][0]["detail"]
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    jobs = [
        server.http.post("/v1/jobs", json={"model": server.model(), "objectives": [one]}, headers=headers)
        for one in both
    ]
    assert jobs[0].json()["id"] == jobs[1].json()["id"]


def test_the_interface_description_has_the_new_names(server: Server) -> None:
    schemas = server.http.get("/openapi.json").json()["components"]["schemas"]
    for model in ("Objective", "Constraint"):
        metric = schemas[model]["properties"]["metric"]
        assert {"throughput_per_s", "latency_ns", "clock_mhz"} <= set(metric["enum"])
        assert not {"meas_throughput_per_s", "meas_latency_ns"} & set(metric["enum"])
        assert "`meas_latency_ns` is still read as `latency_ns`" in metric["description"]
    assert "routed" in str(schemas["TrialView"]["properties"]["clock_source"])


def test_unknown_model_and_dataset(server: Server) -> None:
    missing = "sha256:" + "1" * 64
    document = problem(server.http.post("/v1/jobs", json={"model": missing}), 422, "unknown-reference")
    assert document["errors"][0]["pointer"] == "/model"
    body = {"model": server.model(), "dataset": missing}
    document = problem(server.http.post("/v1/jobs", json=body), 422, "unknown-reference")
    assert document["errors"][0]["pointer"] == "/dataset"


def test_unsatisfiable_is_refused_at_once(server: Server) -> None:
    body = {"model": server.model(), "constraints": [{"metric": "est_lut", "max": 0.5}]}
    before = len(server.http.get("/v1/jobs").json()["items"])
    document = problem(server.http.post("/v1/jobs", json=body), 422, "unsatisfiable")
    assert document["errors"] == [{"pointer": "/constraints/0", "detail": "one lane needs 812 LUT"}]
    assert len(server.http.get("/v1/jobs").json()["items"]) == before


def test_idempotency_key(server: Server) -> None:
    body, headers = {"model": server.model()}, {"Idempotency-Key": str(uuid.uuid4())}
    first = server.http.post("/v1/jobs", json=body, headers=headers)
    again = server.http.post("/v1/jobs", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = server.http.post("/v1/jobs", json={**body, "labels": {"a": "b"}}, headers=headers)
    problem(other, 422, "idempotency-mismatch")
    # The defaults spelt out are the same request.
    spelt = server.http.post("/v1/jobs", json={**body, "search": {"trials": 100}}, headers=headers)
    assert spelt.json()["id"] == first.json()["id"]


def test_idempotency_key_in_flight(server: Server) -> None:
    body, headers = {"model": server.model()}, {"Idempotency-Key": str(uuid.uuid4())}
    server.parser.block = threading.Event()
    answers = []
    first = threading.Thread(target=lambda: answers.append(server.http.post("/v1/jobs", json=body, headers=headers)))
    calls = len(server.parser.calls)
    first.start()
    while len(server.parser.calls) == calls:
        first.join(0.01)
    problem(server.http.post("/v1/jobs", json=body, headers=headers), 409, "idempotency-in-flight")
    server.parser.block.set()
    first.join()
    server.parser.block = None
    assert answers[0].status_code == 202


def test_list_pages_newest_first_and_filters(server: Server) -> None:
    label = uuid.uuid4().hex
    ids = [server.submit(labels={"run": label})["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        params = {"label": f"run={label}", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = server.http.get("/v1/jobs", params=params).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    server.http.post(f"/v1/jobs/{ids[0]}/cancel")
    page = server.http.get("/v1/jobs", params={"label": f"run:{label}", "state": "cancelled"}).json()
    assert [job["id"] for job in page["items"]] == [ids[0]]
    problem(server.http.get("/v1/jobs", params={"cursor": "' OR 1=1 --"}), 400, "bad-cursor")
    problem(server.http.get("/v1/jobs", params={"state": "nonsense"}), 422, "invalid-body")
    problem(server.http.get("/v1/jobs", params={"limit": 0}), 422, "invalid-body")


def test_etag_is_strong_and_follows_every_change(server: Server) -> None:
    job = server.submit()
    url = f"/v1/jobs/{job['id']}"
    first = server.http.get(url)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    unchanged = server.http.get(url, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert server.http.get(url).content == first.content
    server.run(job["id"], trials=1, end=None)
    changed = server.http.get(url, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["etag"] != tag
    assert changed.json()["counts"]["complete"] == 1
    assert server.http.get(url, headers={"If-None-Match": f'"x", W/{changed.headers["etag"]}'}).status_code == 304


def test_verbs_are_idempotent(server: Server) -> None:
    url = f"/v1/jobs/{server.submit()['id']}"
    states = [server.http.post(f"{url}/{verb}") for verb in ("pause", "pause", "resume", "resume", "cancel", "cancel")]
    assert [answer.status_code for answer in states] == [202] * 6
    assert [answer.json()["state"] for answer in states] == ["paused", "paused", "queued", "queued"] + ["cancelled"] * 2
    problem(server.http.post(f"{url}/pause"), 409, "state-conflict")
    problem(server.http.post("/v1/jobs/none/pause"), 404, "not-found")


def test_patch_changes_limits(server: Server) -> None:
    url = f"/v1/jobs/{server.submit()['id']}"
    changed = server.http.patch(url, json={"trials": 7, "parallel_trials": 3}).json()
    assert changed["progress"]["trials_total"] == 7
    assert changed["spec"]["search"]["trials"] == 7 and changed["spec"]["search"]["parallel_trials"] == 3
    problem(server.http.patch(url, json={}), 422, "invalid-body")
    problem(server.http.patch(url, json={"seed": 3}), 422, "invalid-body")
    server.http.post(f"{url}/cancel")
    problem(server.http.patch(url, json={"trials": 9}), 409, "state-conflict")


def test_delete_only_when_ended_and_gone_afterwards(server: Server) -> None:
    job = server.submit()
    url = f"/v1/jobs/{job['id']}"
    problem(server.http.delete(url), 409, "state-conflict")
    trial = server.run(job["id"], trials=1)[0]
    server.http.get(f"/v1/trials/{trial.id}/rtl")
    bundle = server.home / "bundles" / f"{trial.id}.zip"
    assert bundle.is_file()
    assert server.http.delete(url).status_code == 204
    assert not bundle.exists()
    for path in (url, f"{url}/trials", f"{url}/pareto", f"{url}/events"):
        problem(server.http.get(path), 410, "gone")
    problem(server.http.delete(url), 410, "gone")


NO_DESIGN = {
    "code": "no-feasible-design",
    "message": "none of 9 candidates is feasible: accuracy >= 0.999: best 0.972 reached by trial 4",
    "retryable": False,
    "constraints": [{"constraint": "accuracy >= 0.999", "metric": "accuracy", "best": 0.972, "number": 4}],
    "search_ended": "budget_trials",
}


def test_an_ended_job_says_why(server: Server) -> None:
    job = server.submit()
    assert job["end_reason"] is None
    server.run(job["id"], trials=1, end="budget_seconds")
    assert server.http.get(f"/v1/jobs/{job['id']}").json()["end_reason"] == "budget_seconds"


def test_a_job_without_a_feasible_design(server: Server) -> None:
    job = server.submit()
    server.run(job["id"], trials=0, end="no_feasible_design", failure=NO_DESIGN)
    answer = server.http.get(f"/v1/jobs/{job['id']}").json()
    assert (answer["state"], answer["end_reason"], answer["failure"]) == ("failed", "no_feasible_design", NO_DESIGN)


def test_every_end_has_words_and_a_place_in_the_schema(server: Server) -> None:
    from typing import get_args

    from api import schemas
    from db import rows

    words = (Path(__file__).parents[2] / "dashboard" / "src" / "parts" / "words.ts").read_text("utf-8")
    in_words = set(re.findall(r"^  (\w+): \"", words.split("const ENDS")[1].split("};")[0], re.MULTILINE))
    reasons = set(get_args(rows.EndReason))
    assert reasons == set(get_args(schemas.EndReason)) == in_words == set(rows.STATE_OF_END)
    shown = server.http.get("/openapi.json").json()["components"]["schemas"]
    enum = next(option["enum"] for option in shown["JobView"]["properties"]["end_reason"]["anyOf"] if "enum" in option)
    assert set(enum) == reasons and "message" in shown["FailureView"]["required"]


def test_queue_limit(tmp_path_factory) -> None:
    from tests.api.harness import serving

    with serving(tmp_path_factory.mktemp("small"), max_queued_jobs=1) as small:
        small.submit()
        answer = small.http.post("/v1/jobs", json={"model": small.model()})
        problem(answer, 429, "too-many-jobs")
        assert answer.headers["retry-after"]


def test_a_full_queue_refuses_no_request_that_it_accepted_before(server: Server, tmp_path) -> None:
    from tests.api.harness import serving

    with serving(tmp_path / "small", max_queued_jobs=1) as small:
        request = {"json": {"model": small.model()}, "headers": {"Idempotency-Key": "once"}}
        first = small.http.post("/v1/jobs", **request)
        again = small.http.post("/v1/jobs", **request)
        assert (first.status_code, again.status_code) == (202, 202) and first.json()["id"] == again.json()["id"]
        small.http.post(f"/v1/jobs/{first.json()['id']}/cancel")
        small.http.delete(f"/v1/jobs/{first.json()['id']}")
        problem(small.http.post("/v1/jobs", **request), 410, "gone")
    document = server.http.get("/openapi.json").json()
    assert "410" in document["paths"]["/v1/jobs"]["post"]["responses"]
