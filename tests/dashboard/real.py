"""A service whose every design was searched, generated, simulated and compared: what pictures of pages show.

The demo's CNN on two platforms as a sweep, one job that asks too much, and a transformer of many blocks. It takes
some minutes, so what was found is kept below ``HEADRACE_TEST_CACHE`` for as long as this file stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headrace import demo, demo_digits
from headrace.client import Client, connect
from headrace.service import LocalService
from headrace.trial import Trial

BLOCKS, WIDTH, HEADS, CONTEXT = 12, 16, 2, 8
PLATFORMS: Mapping[str, Any] = {
    "2 × XC7S6": demo.PLATFORM,
    "ECP5-25F": {"devices": [{"device": "lfe5u-25f", "count": 1}], "clock_mhz": 50},
}
BODY: Mapping[str, Any] = {
    "metric": "top1",
    "space": demo.SPACE,
    "objectives": demo.OBJECTIVES,
    "constraints": [{"metric": "accuracy", "min": 0.9}, {"metric": "est_lut", "max": 8000}],
    "simulation": {"samples": 8},
}
SEARCH = {"trials": 40, "parallel_trials": 2, "wall_seconds": 3600, "seed": 0}


@dataclass(frozen=True)
class Found:
    """Ids of what the service has: a job on two devices and one of them routed, two designs of the first."""

    job: str
    routed_job: str
    failed: str
    sweep: str
    trial: str
    fast: str
    routed: str
    deep: str


class Block(nn.Module):
    """Attention and a two-layer MLP, each behind a layer norm and around a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(samples, context, width) to the same shape."""
        split = self.qkv(self.norm1(x)).view(-1, CONTEXT, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        scores = split[0] @ split[1].transpose(-2, -1) / (WIDTH // HEADS) ** 0.5
        mixed = (scores.softmax(-1) @ split[2]).transpose(1, 2).reshape(-1, CONTEXT, WIDTH)
        x = x + self.out(mixed)
        return x + self.mlp(self.norm2(x))


def cache() -> Path:
    """Where what was found is kept, by the content of this file."""
    folder = Path(os.environ.get("HEADRACE_TEST_CACHE") or Path(tempfile.gettempdir()) / "headrace-test-cache")
    return folder / f"dashboard-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]}"


def searched(client: Client, home: Path) -> Found:
    """The jobs of the service at ``home``: run to their end, or as they were found before."""
    record = home / "found.json"
    if not record.is_file():
        record.write_text(json.dumps(asdict(_search(client, home))))
    return Found(**json.loads(record.read_text()))


def serve() -> LocalService:
    """A service over what was found, with workers and all."""
    return LocalService(cache())


def _search(client: Client, home: Path) -> Found:
    digits = demo_digits.stored()
    data = client.upload_dataset(digits.dataset, name="digits")
    model = client.upload_model(digits.model, name="digits CNN")
    failed = client.submit(
        model,
        dataset=data,
        **{**BODY, "constraints": [{"metric": "accuracy", "min": 0.999}]},
        search={**SEARCH, "trials": 16},
        platform=PLATFORMS["2 × XC7S6"],
        labels={"asked": "99.9 % right"},
    )
    sweep = client.sweep(
        models={"digits CNN": digits.model},
        platforms=dict(PLATFORMS),
        dataset=digits.dataset,
        manifest=home / "sweep.json",
        search=SEARCH,
        **BODY,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(*(Block() for _ in range(BLOCKS))).eval()
    deep = client.submit(
        module,
        example=torch.zeros(1, CONTEXT, WIDTH),
        name=f"transformer of {BLOCKS} blocks",
        space={"weight_bits": [8], "activation_bits": [8], "max_lanes": 4},
        search={**SEARCH, "trials": 1},
        platform={"devices": [{"device": "zcu104", "count": 1}], "clock_mhz": 200},
    )
    jobs = list(sweep.jobs())
    for job in (failed, *jobs, deep):
        job.wait(progress=False, check=False)
    (job,) = [one for one in jobs if one.labels["platform"] == "2 × XC7S6"]
    (routed_job,) = [one for one in jobs if one.labels["platform"] == "ECP5-25F"]
    front = job.pareto()
    small, fast = min(front, key=_luts), demo._pick(front)
    (routed,) = [trial for trial in routed_job.trials() if trial["routed"] is not None]
    return Found(
        job.id, routed_job.id, failed.id, sweep.id, small["id"], fast["id"], routed["id"], next(deep.trials())["id"]
    )


def _luts(trial: Trial) -> float:
    luts: float = trial["metrics"]["est_lut"]
    return luts


def main() -> None:
    """Search, and keep what was found."""
    with serve() as local, connect(local.url) as client:
        print(searched(client, cache()))


if __name__ == "__main__":
    main()
