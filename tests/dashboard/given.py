"""A service with models, jobs and trials of which the detail is known, for the pages that show them."""

from __future__ import annotations

import random
from typing import Any

from db.rows import TrialRow
from tests.api.harness import Server
from tests.dashboard.designed import plans, transformer

CLOCK_MHZ = 300.0
BODY: dict[str, Any] = {
    "platform": {"devices": [{"device": "u250", "count": 2}], "clock_mhz": CLOCK_MHZ},
    "constraints": [{"metric": "accuracy", "min": 0.6}, {"metric": "est_dsp", "max": 4000}],
    "search": {"trials": 24, "seed": 3},
    "labels": {"model": "character-transformer", "study": "two boards"},
}
STAGES = (("legality", 0.02, False), ("estimate", 0.003, False), ("accuracy", 1.9, True), ("build", 21.4, False), ("simulate", 6.2, False))


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
    """The design with narrower weights, and with more lanes in its slowest operators: fewer cycles, more of the rest."""
    for one in detail["operators"]:
        one["est_lut"] = round(one["est_lut"] * (0.4 + 0.6 * bits / 8), 1)
    slow = sorted(detail["operators"], key=lambda o: -o["model_interval_cycles"])[: len(detail["operators"]) // 4]
    for one in slow:
        one["model_interval_cycles"] = max(1, one["model_interval_cycles"] // lanes)
        for name in ("est_lut", "est_ff", "est_dsp"):
            one[name] = float(one[name] * lanes)
        one["in_lanes"] *= lanes
        one["parameters"]["InLanes"] = one["in_lanes"]
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
    job = server.submit(**{**BODY, **body})["id"]
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
