"""A real design through the programs that the API starts: trace, bundle and importance, in their sandbox."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.evaluate import Evaluator
from explorer.search import Search
from explorer.spec import JobSpec
from tests.api.harness import Server, serving
from tests.api.test_bad_input import model


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("real"), real=True) as running:
        yield running


def test_trace_bundle_and_importance_of_real_trials(real: Server) -> None:
    uploaded = real.http.post("/v1/models", files={"file": ("m.onnx", model())}).json()["id"]
    job = real.http.post("/v1/jobs", json={"model": uploaded}).json()
    digest = uploaded.removeprefix("sha256:")
    spec = JobSpec.from_json(real.store.jobs.get(job["id"]).spec)
    graph = real.home / "graphs" / f"{digest}.graph"
    evaluator = Evaluator(spec, graph, None, real.home / "cache")
    lease = real.store.searches.claim(job["id"], "test", 600)
    search = Search(spec, graph)
    trials = []
    while len(trials) < 20 and (candidate := search.ask()) is not None:
        row = real.store.searches.add_trial(job["id"], lease.fence, candidate.to_json(), candidate.digest())
        held = real.store.work.claim(row.id, "test", 600)
        (node,) = (name for name, formats in candidate.quantization.items() if formats.weight)
        bits = int(candidate.quantization[node].weight.removeprefix("int"))
        result = {"state": "infeasible", "metrics": {"est_lut": 10.0 * bits}}  # one is enough to be simulated
        if not trials:
            result = evaluator.evaluate(candidate).to_json()
            assert result["state"] == "complete", result["reason"]
        assert real.store.work.record_result(row.id, held.fence, result)
        trials.append(row.id)

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

    bundle = real.http.get(f"/v1/trials/{trials[0]}/rtl", timeout=300)
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(bundle.content)).namelist()

    importance = real.http.get(f"/v1/jobs/{job['id']}/importance").json()
    assert importance["trials"] == len(trials) == 20 and list(importance["importance"]) == ["est_lut"]
    assert importance["importance"]["est_lut"][f"weight:{node}"] > 0
