"""A real server on a free port, with the parsing programs and the workers played by the test."""

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import uvicorn

from api.errors import Problem
from api.main import create_app
from api.settings import Settings
from db import migrate
from db.rows import EndReason, TrialRow
from db.store import Store

GRAPH = {
    "parameters": 170,
    "macs_per_inference": 160,
    "inputs": [{"name": "x", "shape": [16]}],
    "outputs": [{"name": "y", "shape": [10]}],
    "operators": {"Gemm": 1},
}


class FakeParser:
    """Answers as the parsing programs would, decided by the upload's first bytes."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.bundles: Path | None = None
        self.block: threading.Event | None = None
        self.fixed: Mapping[str, object] = {}
        self.space_size = 1000
        self.write_parquet: Callable[[str, Path], None]

    def inspect_model(self, upload: Path, graph: Path, fixed: Mapping[str, object]) -> dict:
        self.calls.append("model")
        self.fixed = fixed
        if not upload.read_bytes().startswith(b"good"):
            raise Problem("invalid-model", "It is not an ONNX file.")
        graph.write_bytes(b"graph")
        return {"ok": True, "format": "onnx", "graph": GRAPH, "software": []}

    def inspect_dataset(self, upload: Path) -> dict:
        self.calls.append("dataset")
        return {"ok": True, "samples": 5, "arrays": {"inputs": {"shape": [5, 16], "dtype": "float32"}}}

    def check_job(self, spec: dict, graph: Path, dataset: Path | None) -> dict:
        self.calls.append("check")
        if self.block is not None:
            self.block.wait(10)
        assert graph.is_file()
        if any(c["metric"] == "est_lut" and (c["max"] or 9) < 1 for c in spec["constraints"]):
            places = [{"pointer": "/constraints/0", "detail": "one lane needs 812 LUT"}]
            raise Problem("unsatisfiable", "One lane does not fit.", errors=places)
        trials, metric = (
            min(self.space_size, spec["search"]["trials"]),
            spec["metric"] or ("mse" if dataset else "agreement"),
        )
        return {"ok": True, "space_size": self.space_size, "trials_total": trials, "metric": metric}

    def importance(self, job_id: str) -> dict:
        self.calls.append("importance")
        return {"trials": 20, "importance": {"accuracy": {"weight:fc": 0.75, "out_lanes:fc": 0.25}}}

    def build_activity(self, trial_id: str) -> None:
        self.calls.append("activity")
        assert self.bundles is not None
        (self.bundles / f"{trial_id}.trace.json").write_text('{"traceEvents": []}')

    def build_bundle(self, trial_id: str) -> None:
        self.calls.append("bundle")
        assert self.bundles is not None
        (self.bundles / f"{trial_id}.zip").write_bytes(b"PK\x05\x06" + bytes(18))


@dataclasses.dataclass
class Server:
    """A running service; ``http`` is a client of it, ``store`` its database."""

    url: str
    http: httpx.Client
    store: Store
    parser: FakeParser
    home: Path

    def model(self) -> str:
        return self.http.post("/v1/models", files={"file": ("m.onnx", b"good model")}).json()["id"]

    def submit(self, **body: object) -> dict:
        answer = self.http.post("/v1/jobs", json={"model": self.model(), **body})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def run(
        self,
        job_id: str,
        trials: int = 3,
        end: EndReason | None = "budget_trials",
        failure: dict | None = None,
        routings: Sequence[dict] = (),
    ) -> list[TrialRow]:
        """Play driver and worker: ``trials`` complete trials, all on the front, ``routings`` of the first, the end."""
        lease = self.store.searches.claim(job_id, "test", 60)
        assert lease is not None
        rows = []
        for number in range(trials):
            candidate = {
                "quantization": {"fc": {"weight": f"int{number + 2}", "activation": "int8"}},
                "parallelism": {"fc": {"in_lanes": 1, "out_lanes": number + 1}},
                "partition": {"fc": 0},
            }
            row = self.store.searches.add_trial(job_id, lease.fence, candidate, f"sha256:{number:064x}")
            assert row is not None
            held = self.store.work.claim(row.id, "test", 60)
            assert held is not None
            assert self.store.work.record_result(row.id, held.fence, result(number))
            rows.append(row)
        best = {"accuracy": {"value": 0.9, "trial_id": rows[-1].id, "number": trials - 1}} if rows else {}
        self.store.searches.set_progress(job_id, lease.fence, 1.5, best, [row.id for row in rows])
        for row, answer in zip(rows, routings, strict=False):
            self.store.searches.request("routing", job_id, lease.fence, [row.id])
            held = self.store.work.claim(row.id, "test", 60)
            assert held is not None
            assert self.store.work.record_follow_up("routing", row.id, held.fence, answer)
        if end is not None:
            assert self.store.searches.finish(job_id, lease.fence, end, failure)
        return rows


STREAM = {"lanes": 1, "format": "int8", "bits": 8}
DETAIL = {
    "operators": [
        {
            "name": "fc", "source": "fc", "device": 0, "role": "operator", "module": "dse_matvec",
            "parameters": {"Lanes": 1}, "in_lanes": 1, "out_lanes": 1, "est_lut": 812.0, "est_ff": 400.0,
            "est_dsp": 0.0, "est_bram_kb": 0.0, "model_interval_cycles": 16, "model_latency_cycles": 17,
            "busy_cycles": 16,
            "blocked_cycles": 1, "starved_cycles": 2, "high_water_beats": 3,
        }
    ],
    "streams": [
        {"name": "x", "producer": None, "consumer": "fc", **STREAM, "beats": 16, "transfers": 64},
        {"name": "output0", "producer": "fc", "consumer": None, **STREAM, "beats": 10, "transfers": 40},
    ],
    "devices": [{"index": 0, "device": "u250", "used": {"lut": 812.0}, "share": {"lut": 0.0005}}],
    "hops": [],
}  # fmt: skip


def result(number: int) -> dict:
    return {
        "state": "complete",
        "reason": None,
        "metrics": {
            "accuracy": 0.9 - number / 100,
            "clock_mhz": 100.0,
            "throughput_per_s": 1e6 * (number + 1),
            "meas_latency_cycles": 100 - number,
            "est_lut": 1000.0 * (number + 1),
            "est_dsp": 0,
            "devices_used": 1,
        },
        "exact": {"compared_words": 40, "mismatched_words": 0, "samples": 4},
        "constraints": {"accuracy": -0.4},
        "stages": [{"name": "simulate", "seconds": 0.1, "cache_hit": False}],
        "clock_source": "requested",
        "provenance": {"seed": 0},
        "detail": DETAIL,
    }


@contextlib.contextmanager
def serving(home: Path, real: bool = False, port: int | None = None, **options: object) -> Iterator[Server]:
    """Run the API until the block ends, on a free port unless one is given; ``real``: with real parsing programs."""
    settings = Settings(
        home=home,
        database_url=f"sqlite:///{home / 'headrace.db'}",
        broker_url=f"redis+socket://{home / 'none.sock'}",
        **options,
    )
    home.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database_url)
    app = create_app(settings)
    context = app.state.context
    parser = FakeParser()
    parser.bundles = home / "bundles"
    parser.write_parquet = context.parser.write_parquet  # it reads no upload: nothing of it has to be played
    if not real:
        app.state.context = dataclasses.replace(context, parser=parser)
    port = port or _free_port()
    # Followers of an event stream would otherwise keep the server from ending.
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
            yield Server(url, http, context.store, parser, home)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def problem(answer: httpx.Response, status: int, slug: str) -> dict:
    """Check that an answer is the problem document it should be, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:headrace:problem:{slug}", document
    assert document["status"] == status and document["title"] and document["detail"]
    return document
