"""A real design through the programs that the API starts: trace and importance, in their sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.candidate import Candidate, NodeFormats, NodeLanes
from explorer.evaluate import Evaluator
from explorer.spec import JobSpec
from tests.api.harness import Server, serving
from tests.api.test_bad_input import model


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("real"), real=True) as running:
        yield running


def test_trace_and_importance_of_real_trials(real: Server) -> None:
    uploaded = real.http.post("/v1/models", files={"file": ("m.onnx", model())}).json()["id"]
    job = real.http.post("/v1/jobs", json={"model": uploaded}).json()
    digest = uploaded.removeprefix("sha256:")
    spec = JobSpec.from_json(real.store.jobs.get(job["id"]).spec)
    evaluator = Evaluator(spec, real.home / "graphs" / f"{digest}.graph", None, real.home / "cache")
    lease = real.store.searches.claim(job["id"], "test", 600)
    trials = []
    for bits in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11):
        formats = {"x": NodeFormats(None, "int8"), "fc": NodeFormats(f"int{bits}", "int8")}
        candidate = Candidate(formats, {"fc": NodeLanes(1, 1)}, {"fc": 0})
        row = real.store.searches.add_trial(job["id"], lease.fence, candidate.to_json(), candidate.digest())
        held = real.store.work.claim(row.id, "test", 600)
        found = evaluator.evaluate(candidate) if not trials else None
        result = found.to_json() if found else {"state": "infeasible", "metrics": {"est_lut": 10.0 * bits}}
        assert real.store.work.record_result(row.id, held.fence, result)
        trials.append(row.id)
    assert found is None and real.http.get(f"/v1/trials/{trials[0]}").json()["state"] == "complete"

    trace = real.http.get(f"/v1/trials/{trials[0]}/activity", timeout=120).json()
    detail = real.http.get(f"/v1/trials/{trials[0]}", params={"detail": "operators"}).json()["metrics"]
    busy: dict[str, int] = {}
    names = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "thread_name"}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            name = names[event["tid"]]
            busy[name] = busy.get(name, 0) + event["args"]["busy_cycles"]
    assert busy == {operator["name"]: operator["busy_cycles"] for operator in detail["operators"]}
    assert list((Path(real.home) / "bundles").iterdir()) == [real.home / "bundles" / f"{trials[0]}.trace.json"]

    importance = real.http.get(f"/v1/jobs/{job['id']}/importance").json()
    assert importance["trials"] == 10 and importance["importance"] == {"est_lut": {"weight:fc": 1.0}}
