"""(d) Trials per minute of a 200-trial search on the digits CNN, from a cold cache, through the whole service."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from headrace import demo, demo_model
from headrace.client import connect
from headrace.service import LocalService

TRIALS = 200


def main() -> None:
    """Submit the demo's job with 200 trials to a fresh service and count."""
    trained = demo_model.train()
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalService(Path(scratch)) as service,
        connect(service.url) as client,
    ):
        job = client.submit(
            trained.model,
            name="digits CNN",
            dataset=trained.dataset,
            metric="top1",
            platform=demo.PLATFORM,
            space=demo.SPACE,
            objectives=demo.OBJECTIVES,
            search={"sampler": "tpe", "trials": TRIALS, "wall_seconds": 1800, "parallel_trials": 2, "seed": 0},
        )
        start = time.perf_counter()
        job.wait(progress=False)
        seconds = time.perf_counter() - start
        trials = list(job.trials())
    complete = [t for t in trials if t["state"] == "complete"]
    wrong = sum(t["exact"]["mismatched_words"] for t in complete)
    words = sum(t["exact"]["compared_words"] for t in complete)
    hits = sum(stage["cache_hit"] for t in trials for stage in t["stages"] if stage["name"] == "build")
    print("(d) 200-trial search on the digits CNN, two evaluators, cold cache, accuracy of 500 samples included")
    print(f"    {len(trials)} trials in {seconds:.0f} s: {60 * len(trials) / seconds:.0f} a minute (goal >= 60); "
          f"{len(complete)} complete, {words} words compared, {wrong} wrong; {hits} needed no compilation")  # fmt: skip


if __name__ == "__main__":
    main()
