"""Jobs as a search would leave them, written through the store: candidates at random, figures by simple laws.

The laws (lanes divide cycles and multiply LUTs, few bits cost accuracy) only make plots that look like real ones.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import insert, select, update

from db import convert, tables
from db.rows import EndReason, JobLease, TrialRow
from db.store import Store
from explorer.spec import JobSpec
from workers.scoreboard import Scoreboard

# Layer -> multiplications of one inference, inputs and outputs that lanes may divide.
LAYERS: Mapping[str, tuple[int, int, int]] = {
    "conv1": (221_184, 3, 16),
    "conv2": (1_179_648, 16, 32),
    "conv3": (1_179_648, 32, 32),
    "conv4": (589_824, 32, 64),
    "fc1": (65_536, 64, 64),
    "fc2": (640, 64, 10),
}
FORMATS = ("int2", "int3", "int4", "int6", "int8")
CLOCK_MHZ = 200.0
CAPACITY_LUT = 53_200
OBJECTIVES = [
    {"metric": "accuracy", "direction": "maximize"},
    {"metric": "throughput_per_s", "direction": "maximize"},
    {"metric": "est_lut", "direction": "minimize"},
]
BODY: Mapping[str, Any] = {
    "metric": "top1",
    "platform": {"devices": [{"device": "xc7z020", "count": 1}], "clock_mhz": CLOCK_MHZ},
    "objectives": OBJECTIVES,
    "constraints": [{"metric": "accuracy", "min": 0.8}, {"metric": "est_dsp", "max": 220}],
}


def candidate(rng: random.Random, bias: float) -> dict[str, Any]:
    """Three plans; ``bias`` in [0, 1] draws more lanes and fewer bits, as a search does after a while."""
    bits = [rng.choice(FORMATS[1:] if rng.random() < bias else FORMATS) for _ in LAYERS]
    lanes = [min(2 ** int(rng.triangular(0, 6, 1 + 4 * bias)), inputs) for _, inputs, _ in LAYERS.values()]
    return {
        "quantization": {
            n: {"weight": b, "activation": rng.choice(("int4", "int6", "int8"))}
            for n, b in zip(LAYERS, bits, strict=True)
        },
        "parallelism": {
            n: {"in_lanes": lane, "out_lanes": rng.choice((1, 2, 4))} for n, lane in zip(LAYERS, lanes, strict=True)
        },
        "partition": dict.fromkeys(LAYERS, 0),
    }


def _bits(text: str) -> int:
    return int(text.removeprefix("int"))


def metrics(plans: Mapping[str, Any], rng: random.Random) -> dict[str, float]:
    """Figures of a candidate."""
    loss = cycles = lut = dsp = 0.0
    for node, (products, _, _) in LAYERS.items():
        weight, activation = (_bits(plans["quantization"][node][key]) for key in ("weight", "activation"))
        lanes = math.prod(plans["parallelism"][node].values())
        loss += 0.16 * 2.0**-weight * (2.2 if node in ("conv1", "fc2") else 1) + 0.12 * 2.0**-activation
        cycles = max(cycles, products / lanes)
        lut += 320 + lanes * (9 * weight + 3 * activation) * (1 + 0.08 * rng.random())
        dsp += lanes if weight >= 6 else 0
    return {
        "accuracy": round(max(0.1, 0.924 - loss / 2 + rng.gauss(0, 0.003)), 4),
        "float_accuracy": 0.926,
        "meas_interval_cycles": round(cycles),
        "meas_latency_cycles": round(cycles * 2.3 + 4000),
        "clock_mhz": CLOCK_MHZ,
        "throughput_per_s": CLOCK_MHZ * 1e6 / round(cycles),
        "latency_ns": round(cycles * 2.3 + 4000) * 1e3 / CLOCK_MHZ,
        "est_lut": round(lut, 1),
        "est_ff": round(lut * 1.3, 1),
        "est_dsp": dsp,
        "est_bram_kb": 18.0 * round(lut / 900),
        "est_uram_kb": 0.0,
        "est_power_w": round(0.12 + lut / 1e5, 4),
        "est_energy_uj_per_inference": round((0.12 + lut / 1e5) * cycles / CLOCK_MHZ, 3),
        "devices_used": 1,
        "link_bytes_per_inference": 0,
    }


def result(plans: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
    """What an evaluation of a candidate stores: the dear rungs only for those that the cheap ones let pass."""
    found = metrics(plans, rng)
    constraints = {"accuracy": round(0.8 - found["accuracy"], 4), "est_dsp": found["est_dsp"] - 220}
    over = {name: violation for name, violation in constraints.items() if violation > 0}
    if found["est_lut"] > CAPACITY_LUT:
        over["device0_lut"] = constraints["device0_lut"] = found["est_lut"] - CAPACITY_LUT
    if over:
        reached = {name: value for name, value in found.items() if name.startswith("est_") or name == "clock_mhz"}
        if "accuracy" in over:
            reached["accuracy"] = found["accuracy"]
    worst = " and ".join(f"{name} by {violation:g}" for name, violation in over.items())
    return {
        "state": "infeasible" if over else "complete",
        "reason": f"constraints violated: {worst}" if over else None,
        "metrics": reached if over else found,
        "exact": None if over else {"compared_words": 40, "mismatched_words": 0, "samples": 4},
        "constraints": constraints,
        "stages": [
            {"name": name, "seconds": 0.01, "cache_hit": False} for name in ("legality", "estimate", "accuracy")
        ],
        "clock_source": "requested",
        "provenance": {"seed": 0, "code_version": "made up for a test"},
        "detail": {},
    }


def write(store: Store, job_id: str, trials: int, seed: int = 0, seconds: float = 0.4) -> None:
    """Store ``trials`` more ended trials at once, one each ``seconds``, in one transaction instead of three a trial."""
    rng = random.Random(seed)
    rows, log = [], []
    start = time.time() - trials * seconds
    job = tables.jobs.c
    with store.database.write() as connection:
        query = select(job.seq, job.next_number, job.started_at).where(job.id == job_id)
        seq, first, started = connection.execute(query).one()
        for number in range(first, first + trials):
            at = start + (number - first) * seconds
            plans = candidate(rng, (number - first) / trials)
            found = result(plans, rng)
            seq += 1
            identity = {"id": convert.new_id("trial"), "job_id": job_id, "number": number, "seq": seq}
            times = {
                "created_at": at,
                "started_at": at,
                "finished_at": at + seconds * (1 + rng.random()),
                "published_at": at,
            }
            told = {"candidate": plans, "candidate_hash": f"sha256:{number:064x}", "result": found}
            rows.append(identity | times | told | {"state": found["state"], "reason": found["reason"], "attempts": 1})
            event = {"trial_id": identity["id"], "number": number, "state": found["state"], "attempts": 1}
            log.append({"job_id": job_id, "seq": seq, "type": "trial", "data": event, "created_at": at})
        connection.execute(insert(tables.trials), rows)
        connection.execute(insert(tables.events), log)
        changes = {"seq": seq, "next_number": first + trials}
        if started is None or first == 0:
            changes |= {"started_at": start, "created_at": start - 1}
        connection.execute(update(tables.jobs).where(job.id == job_id).values(**changes))


class Search:
    """Driver and worker of one job, played by the test."""

    def __init__(self, store: Store, job_id: str, trials: int, seed: int = 0) -> None:
        self._store = store
        self._job_id = job_id
        self._trials = trials
        self._rng = random.Random(seed)
        self._done = 0
        lease = store.searches.claim(job_id, "test", 3600)
        assert lease is not None
        self._lease: JobLease = lease
        self._board = Scoreboard(JobSpec.from_json(lease.job.spec))
        for row in store.trials.history(job_id):
            self._board.add(row)

    def ask(self) -> TrialRow:
        """Queue the next candidate."""
        plans = candidate(self._rng, min(1.0, self._done / self._trials))
        name = f"sha256:{self._rng.getrandbits(256):064x}"
        row = self._store.searches.add_trial(self._job_id, self._lease.fence, plans, name)
        assert row is not None
        return row

    def evaluate(self, row: TrialRow) -> None:
        """Run a queued candidate to its result."""
        held = self._store.work.claim(row.id, "test", 3600)
        assert held is not None
        assert self._store.work.record_result(row.id, held.fence, result(row.candidate, self._rng))
        self._board.add(self._store.trials.get(row.id))
        self._done += 1

    def publish(self) -> None:
        """Store the figures of the front, as a driver does now and then."""
        score = self._board.score()
        assert self._store.searches.set_progress(
            self._job_id, self._lease.fence, score.hypervolume, score.best, score.front
        )

    def run(self, every: int = 50) -> Iterator[int]:
        """All trials, one after the other; yields how many are done."""
        for done in range(1, self._trials + 1):
            self.evaluate(self.ask())
            if done % every == 0 or done == self._trials:
                self.publish()
            yield done

    def finish(self, end: EndReason = "budget_trials", failure: dict[str, Any] | None = None) -> None:
        """End the job."""
        assert self._store.searches.finish(self._job_id, self._lease.fence, end, failure)
