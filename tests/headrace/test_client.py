import socket
import threading
import time

import httpx
import numpy as np
import onnx
import pytest
import torch

import headrace
from headrace import metrics, upload
from headrace.http import delivery
from headrace.http.sse import EventParser
from headrace.http.steps import Pause
from headrace.progress import Progress
from tests.api.harness import Server
from tests.api.test_jobs import NO_DESIGN


def submit(client: headrace.Client, **body: object) -> headrace.Job:
    return client.submit(b"good model", **body)


def test_submit_wait_and_read(client: headrace.Client, server: Server, tmp_path) -> None:
    job = submit(client, name="mine", dataset=(np.zeros((5, 16), np.float32), np.zeros(5)), search={"trials": 4})
    assert job.state == "queued" and job.progress == (0, 4)
    player = threading.Timer(0.5, server.run, (job.id, 4))
    player.start()
    shown = []

    class Spy(Progress):
        def event(self, kind: str, data: object) -> None:
            shown.append(kind)

    assert job.wait(progress=Spy(enabled=False), timeout=30).state == "succeeded"
    player.join()
    assert shown[-1] == "end" and "trial" in shown
    frame = job.trials_dataframe()
    assert list(frame.number) == [0, 1, 2, 3] and frame.pareto.all()
    assert frame.weight_fc.tolist() == ["int2", "int3", "int4", "int5"]
    assert (frame.compared_words == 40).all() and (frame.mismatched_words == 0).all()
    assert frame.throughput_per_s.dtype == np.float64
    assert (frame.clock_mhz == 100).all() and (frame.clock_source == "requested").all()
    assert len(job.pareto()) == 4
    assert job.best()["number"] == 3
    with pytest.raises(headrace.HeadraceError, match="not an objective"):
        job.best("est_dsp")
    figure = job.plot(tmp_path / "front.png", y="meas_throughput_per_s").figure
    assert figure.axes[0].get_ylabel() == "throughput (inferences/s), at the requested clock"
    assert figure.axes[0].get_xlabel() == "LUT, estimated"
    assert (tmp_path / "front.png").read_bytes()[:4] == b"\x89PNG"
    assert job.export(job.best(), tmp_path / "d" / "bundle.zip").read_bytes()[:2] == b"PK"
    assert "succeeded" in repr(job) and "</table>" in job._repr_html_()
    assert client.job(job.id).wait().state == "succeeded"


def test_events_survive_a_lost_connection(client: headrace.Client, server: Server, monkeypatch) -> None:
    job = submit(client)
    server.run(job.id, trials=6)
    total = server.store.jobs.get(job.id).seq
    feed = EventParser.feed
    cut = {"left": 3, "seen": 0}

    def feed_and_cut(parser: EventParser, line: str):
        event = feed(parser, line)
        cut["seen"] += event is not None
        if event is not None and cut["seen"] % 3 == 0 and cut["left"]:
            cut["left"] -= 1
            raise httpx.ReadError("cut")
        return event

    monkeypatch.setattr(EventParser, "feed", feed_and_cut)
    assert [event.id for event in job.events()] == list(range(1, total + 1))
    assert cut["left"] == 0


def test_every_metric_has_a_label_with_its_unit() -> None:
    from explorer.check import METRIC_NAMES

    assert set(metrics.METRICS) >= set(METRIC_NAMES)
    assert [name for name, metric in metrics.METRICS.items() if metric.unit == "Kbit"] == ["est_bram_kb", "est_uram_kb"]


def test_failed_job_raises(client: headrace.Client, server: Server) -> None:
    job = submit(client)
    failure = {"code": "search-failed", "message": "it has no idea", "retryable": False}
    server.run(job.id, trials=0, end="search_failed", failure=failure)
    with pytest.raises(headrace.JobFailed, match=f"{job.id} failed: it has no idea"):
        job.wait()
    assert job.wait(check=False).state == "failed"


def test_an_old_name_of_an_objective_is_understood(client: headrace.Client, server: Server) -> None:
    job = submit(client, objectives=[{"metric": "meas_throughput_per_s", "direction": "maximize"}])
    server.run(job.id, trials=1)
    with pytest.raises(headrace.HeadraceError, match="no feasible complete trial"):
        job.best("meas_throughput_per_s")  # the player names no best throughput
    assert [o["metric"] for o in job.document["spec"]["objectives"]] == ["throughput_per_s"]


def test_a_plot_of_designs_with_unlike_clocks_names_both() -> None:
    sources = ("routed", "requested", "routed", None)
    assert metrics.label("latency_ns", sources) == "latency (ns), at the requested or routed clock"
    assert metrics.label("est_lut", sources) == "LUT, estimated"
    assert metrics.label("accuracy", sources, "perplexity") == "perplexity"
    assert metrics.label("accuracy", sources, "top1") == "accuracy (top1)"


def test_no_feasible_design_raises_and_says_how_near_it_came(client: headrace.Client, server: Server) -> None:
    job = submit(client)
    server.run(job.id, trials=0, end="no_feasible_design", failure=NO_DESIGN)
    with pytest.raises(headrace.NoFeasibleDesign, match=r"accuracy >= 0.999: best 0.972 reached by trial 4") as caught:
        job.wait()
    assert caught.value.constraints[0]["best"] == 0.972
    assert job.end_reason == "no_feasible_design" and "no_feasible_design" in repr(job)


def test_a_sweep_is_waited_for_to_its_end_before_a_failure_is_raised(client: headrace.Client, server: Server) -> None:
    model = client.upload_model(b"good model")["id"]
    sweep = client.sweep(base={"model": model}, matrix={"/search/seed": [0, 1]})
    first, second = sweep.jobs()
    server.run(first.id, trials=0, end="no_feasible_design", failure=NO_DESIGN)
    player = threading.Timer(0.5, server.run, (second.id, 1))
    player.start()
    with pytest.raises(headrace.NoFeasibleDesign, match=first.id):
        sweep.wait()
    player.join()
    assert second.refresh().end_reason == "budget_trials"
    assert sweep.document["counts"] == {"failed": 1, "succeeded": 1}


def test_verbs(client: headrace.Client) -> None:
    job = submit(client)
    assert [job.pause().state, job.resume().state] == ["paused", "queued"]
    assert job.limit(trials=9).progress == (0, 9)
    assert job.cancel().state == "cancelled"
    with pytest.raises(headrace.Conflict):
        job.pause()
    job.delete()
    with pytest.raises(headrace.Gone):
        job.refresh()


def test_wait_times_out_without_ending_the_job(client: headrace.Client, server: Server) -> None:
    job = submit(client)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        job.wait(timeout=0.5)
    assert 0.4 < time.monotonic() - started < 5, "nothing happens in the job, and still the time is up"
    assert not job.refresh().terminal
    job.cancel()


def test_wait_times_out_while_pings_keep_the_stream_alive(client: headrace.Client, monkeypatch) -> None:
    job = submit(client)
    waits = []

    def pings(answer: httpx.Response):
        waits.append(answer.request.extensions["timeout"]["read"])
        while True:
            time.sleep(0.05)
            yield ": ping"
            yield ""

    monkeypatch.setattr(httpx.Response, "iter_lines", pings)
    with pytest.raises(TimeoutError):
        job.wait(timeout=1.0)
    assert max(waits) <= 1.0, "no read waits beyond the deadline"
    job.cancel()


def test_problems_become_exceptions(client: headrace.Client, tmp_path) -> None:
    with pytest.raises(headrace.InvalidModel, match="not an ONNX"):
        client.upload_model(b"bad")
    with pytest.raises(headrace.InvalidRequest) as caught:
        submit(client, search={"trials": 0})
    assert caught.value.errors[0]["pointer"] == "/search/trials" and caught.value.status == 422
    with pytest.raises(headrace.Unsatisfiable, match="812 LUT"):
        submit(client, constraints=[{"metric": "est_lut", "max": 0.5}])
    with pytest.raises(headrace.NotFound):
        client.trial("none")
    with pytest.raises(headrace.HeadraceError, match="no model file"):
        client.submit(tmp_path / "none.onnx")
    with pytest.raises(headrace.HeadraceError, match="cannot submit a int"):
        client.submit(3)


def test_values_that_json_cannot_carry(client: headrace.Client) -> None:
    model = client.upload_model(b"good model")["id"]
    for value in (float("nan"), np.float32(3), {1, 2}):
        with pytest.raises(headrace.HeadraceError, match="cannot be written as JSON"):
            client.submit(model, search={"wall_seconds": value})


def test_sweep(client: headrace.Client, server: Server) -> None:
    model = client.upload_model(b"good model")["id"]
    sweep = client.sweep(base={"model": model}, matrix={"/search/trials": [1, 2, -1]})
    assert len(sweep.refused) == 1 and len(sweep.jobs()) == 2
    for job in sweep.jobs():
        server.run(job.id, trials=1)
    assert sweep.wait().document["progress"] == {"trials_done": 2, "trials_total": 3}


def test_lists(client: headrace.Client, server: Server) -> None:
    ids = [submit(client, labels={"list": "x"}).id for _ in range(3)]
    assert [job.id for job in client.jobs(label="list=x")] == ids[::-1]
    assert client.version()["version"]
    assert isinstance(client.devices(), list)


def test_repeated_submission_with_a_key_is_one_job(client: headrace.Client) -> None:
    first = submit(client, idempotency_key="once")
    assert submit(client, idempotency_key="once").id == first.id


def test_retries_then_says_what_is_wrong(monkeypatch) -> None:
    monkeypatch.setattr(delivery, "pause", lambda attempt, retry_after: Pause(0))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(headrace.ConnectionFailed, match="headrace serve"):
            headrace.connect(f"http://127.0.0.1:{closed.getsockname()[1]}").version()


def test_retry_after_a_lost_answer_makes_one_job(client: headrace.Client, server: Server, monkeypatch) -> None:
    monkeypatch.setattr(delivery, "pause", lambda attempt, retry_after: Pause(0))
    http = client._link._http
    send, lost = http.send, []

    def lossy(request: httpx.Request, **options: object) -> httpx.Response:
        answer = send(request, **options)
        if request.url.path == "/v1/jobs" and request.method == "POST" and not lost:
            lost.append(answer.json()["id"])
            raise httpx.ReadError("lost")
        return answer

    monkeypatch.setattr(http, "send", lossy)
    assert submit(client, labels={"lossy": "x"}).id == lost[0]
    assert len(list(client.jobs(label="lossy=x"))) == 1


def test_module_is_exported(tmp_path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU()).train()
    name, data = upload.model_bytes(module, upload.first_sample((np.zeros((7, 4), np.float32), np.zeros(7))))
    assert name == "Sequential.onnx" and module.training
    graph = onnx.load_from_string(data).graph
    assert [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == [1, 4]
    with pytest.raises(headrace.HeadraceError, match="example"):
        upload.model_bytes(module, None)
