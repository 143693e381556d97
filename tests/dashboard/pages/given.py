"""A service with models, jobs and trials of which the detail is known, for the pages that show them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.errors import Problem
from db.rows import TrialRow
from tests.api.harness import Server
from tests.dashboard.pages.designed import plans, transformer, with_activity

CLOCK_MHZ = 300.0
BODY: dict[str, Any] = {
    "platform": {"devices": [{"device": "u250", "count": 2}], "clock_mhz": CLOCK_MHZ},
    "constraints": [{"metric": "accuracy", "min": 0.6}, {"metric": "est_dsp", "max": 4000}],
    "labels": {"model": "character-transformer", "study": "two boards"},
}
STAGES = (
    ("legality", 0.02, False),
    ("estimate", 0.003, False),
    ("accuracy", 1.9, True),
    ("build", 21.4, False),
    ("simulate", 6.2, False),
)
GRAPH: dict[str, Any] = {
    "parameters": 113_384,
    "macs_per_inference": 3_932_160,
    "inputs": [{"name": "ids", "shape": [32], "type": "int64"}],
    "outputs": [{"name": "scores", "shape": [32, 104], "type": "float32"}],
    "operators": {
        "linear": 9, "slice": 6, "layer_norm": 5, "add": 5, "matmul": 4, "softmax": 2, "pointwise": 2, "embedding": 1,
        "constant": 1,
    },
}  # fmt: skip
SOFTWARE = [
    {"node": "/Softmax", "operator": "Softmax", "output": "scores", "reason": "a distribution ranks as its logits do"}
]
REFUSED = [
    {
        "node": "/lstm/LSTM",
        "operator": "LSTM",
        "reason": "recurrent operators are not supported: unroll it before the export",
    },
    {
        "node": "/NonZero",
        "operator": "NonZero",
        "reason": "its output has no fixed shape: remove it, or compute it outside",
    },
]


def parse(upload: Path, graph: Path, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Accept every upload that begins as good ones do as a character transformer; refuse others, naming nodes."""
    if not upload.read_bytes().startswith(b"good"):
        raise Problem("unsupported-model", "2 nodes cannot become hardware.", errors=REFUSED)
    graph.write_bytes(b"graph")
    return {"ok": True, "format": "onnx", "graph": GRAPH, "software": SOFTWARE}


def uploaded(server: Server, name: str = "character-transformer.onnx") -> str:
    """The id of a model of this name."""
    answer = server.http.post("/v1/models", files={"file": (name, b"good " + name.encode())})
    found: str = answer.json()["id"]
    return found


def sweep(server: Server) -> str:
    """A sweep of two jobs that wait; its id."""
    base = {"model": uploaded(server), **BODY}
    answer = server.http.post("/v1/sweeps", json={"base": base, "matrix": {"/search/seed": [5, 6]}})
    assert answer.status_code == 202, answer.text
    found: str = answer.json()["id"]
    return found


def failed_trials(server: Server) -> None:
    """A job of which no trial is a design, for what is said of reasons."""
    job = server.submit(**{**BODY, "model": uploaded(server), "labels": {"study": "too small a board"}})["id"]
    lease = server.store.searches.claim(job, "test", 600)
    assert lease is not None
    for number in range(6):
        row = server.store.searches.add_trial(job, lease.fence, plans(transformer(1), 8), f"sha256:{number:064x}")
        assert row is not None
        held = server.store.work.claim(row.id, "evaluate@workshop", 600)
        assert held is not None
        reason = (
            "the design does not fit: over device 0 lut by 5120" if number < 4 else "constraints violated: accuracy"
        )
        found = {
            "state": "infeasible",
            "reason": reason,
            "metrics": {"est_lut": 9000.0},
            "constraints": {"accuracy": 0.1},
        }
        assert server.store.work.record_result(row.id, held.fence, found)
    assert server.store.searches.finish(job, lease.fence, "stopped", None)


ACCURACY = {2: 0.604, 3: 0.668, 4: 0.709, 6: 0.729, 8: 0.739}


def result(bits: int, detail: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """What the evaluation of a design with this detail and weights of so many bits stores."""
    operators = detail["operators"]
    interval = max(o["model_interval_cycles"] for o in operators)
    total = {name: sum(o[f"est_{name}"] for o in operators) for name in ("lut", "ff", "dsp", "bram_kb")}
    accuracy = round(ACCURACY[bits] - 0.008 * rng.random(), 4)
    metrics = {
        "accuracy": accuracy,
        "float_accuracy": 0.7421,
        "meas_interval_cycles": interval + 12,
        "meas_latency_cycles": 3 * interval,
        "clock_mhz": CLOCK_MHZ,
        "throughput_per_s": CLOCK_MHZ * 1e6 / (interval + 12),
        "latency_ns": 3 * interval * 1e3 / CLOCK_MHZ,
        **{f"est_{name}": value for name, value in total.items()},
        "est_uram_kb": 0.0,
        "est_power_w": round(6.1 + total["lut"] / 40_000, 3),
        "est_energy_uj_per_inference": round((6.1 + total["lut"] / 40_000) * interval / CLOCK_MHZ, 2),
        "devices_used": len(detail["devices"]),
        "link_bytes_per_inference": sum(hop["bytes_per_inference"] for hop in detail["hops"]),
    }
    return {
        "state": "complete",
        "reason": None,
        "metrics": metrics,
        "exact": {"compared_words": 13_312, "mismatched_words": 0, "samples": 4},
        "constraints": {"accuracy": 0.6 - accuracy, "est_dsp": total["dsp"] - 4000},
        "stages": [{"name": n, "seconds": s, "cache_hit": hit} for n, s, hit in STAGES],
        "clock_source": "requested",
        "provenance": {
            "code_version": "0.1.0",
            "tools": {"verilator": "5.048", "numpy": "2.4.6"},
            "seed": 3,
            "metric": "top1",
            "evaluation_samples": 256,
        },
        "detail": detail,
    }


def shaped(detail: dict[str, Any], bits: int, lanes: int) -> dict[str, Any]:
    """The design with narrower weights, with more lanes in its slowest operators: fewer cycles, more area."""
    for one in detail["operators"]:
        one["est_lut"] = round(one["est_lut"] * (0.4 + 0.6 * bits / 8), 1)
    slow = sorted(detail["operators"], key=lambda o: -o["model_interval_cycles"])[: len(detail["operators"]) // 4]
    for one in slow:
        one["model_interval_cycles"] = max(1, one["model_interval_cycles"] // lanes)
        for name in ("est_lut", "est_ff", "est_dsp"):
            one[name] = float(one[name] * lanes)
        one["in_lanes"] *= lanes
        one["parameters"]["InLanes"] = one["in_lanes"]
    with_activity(detail["operators"])
    return detail


def losses(row: TrialRow) -> tuple[float, ...]:
    """The three objectives, smaller is better."""
    figures = (row.result or {})["metrics"]
    return -figures["accuracy"], -figures["throughput_per_s"], figures["est_lut"]


def front(rows: list[TrialRow]) -> list[str]:
    """Ids of the trials that no other one beats."""
    return [
        row.id
        for row in rows
        if not any(
            losses(other) != losses(row) and all(a <= b for a, b in zip(losses(other), losses(row), strict=True))
            for other in rows
        )
    ]


def searched(server: Server, blocks: int, trials: int, seed: int = 0, **body: Any) -> tuple[str, list[TrialRow]]:
    """A job that ended, and its trials: designs of a transformer on two devices."""
    model = uploaded(server)
    job = server.submit(**{**BODY, "model": model, "search": {"trials": trials, "seed": seed}, **body})["id"]
    rng = random.Random(seed)
    lease = server.store.searches.claim(job, "test", 600)
    assert lease is not None
    rows = []
    for _ in range(trials):
        bits, lanes = rng.choice((2, 3, 4, 6, 8)), rng.choice((1, 2, 4, 8))
        detail = shaped(transformer(blocks, 2), bits, lanes)
        plan = plans(detail, bits)
        row = server.store.searches.add_trial(job, lease.fence, plan, f"sha256:{rng.getrandbits(256):064x}")
        assert row is not None
        held = server.store.work.claim(row.id, "evaluate@workshop", 600)
        assert held is not None
        assert server.store.work.record_result(row.id, held.fence, result(bits, detail, rng))
        rows.append(server.store.trials.get(row.id))
    found = [(row, (row.result or {})["metrics"]) for row in rows]
    best: dict[str, Any] = {}
    for metric, sign in (("accuracy", 1), ("throughput_per_s", 1), ("est_lut", -1)):
        row, figures = max(found, key=lambda pair: sign * pair[1][metric])
        best[metric] = {"value": figures[metric], "trial_id": row.id, "number": row.number}
    server.store.searches.set_progress(job, lease.fence, 0.61 + 0.02 * seed, best, front(rows))
    assert server.store.searches.finish(job, lease.fence, "budget_trials", None)
    return job, rows
