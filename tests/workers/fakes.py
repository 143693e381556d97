"""A small search and an evaluator without hardware, whose behaviour a file in the cache directory steers.

``mode`` (a file in the cache directory) may say, for every evaluation from then on:

* ``pause=S``: run ``sleep S`` as a compiler would; ``sign=S``: the same in every sign-off;
* ``stubborn=S``: ignore TERM, leave a double-forked ``sleep S`` in a session of its own, and hang;
* ``gate``: wait while the file ``gate`` is in the cache directory; ``full``: write to a disk without space;
* ``die``: the evaluator process kills itself; ``raise``: an unexpected exception; ``nan``: a result that is not JSON.

Every start of an evaluation appends a line to ``starts``.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer.candidate import Candidate, NodeFormats, NodeLanes
from explorer.result import Exact, Stage, TrialResult
from explorer.spec import JobSpec


def candidate(bits: int, lanes: int) -> Candidate:
    return Candidate({"fc": NodeFormats(f"int{bits}", "int8")}, {"fc": NodeLanes(lanes, 1)}, {"fc": 0})


def numbers(of: Candidate) -> tuple[int, int]:
    return int(str(of.quantization["fc"].weight)[3:]), of.parallelism["fc"].in_lanes


class FakeSearch:
    """Random points of 16 x 64, now and then one that was asked before."""

    def __init__(self, spec: JobSpec, model: Path) -> None:
        assert model.exists()
        self.random = random.Random(spec.search.seed)
        self.told: dict[str, TrialResult] = {}
        self.asked: list[Candidate] = []

    def ask(self) -> Candidate | None:
        if self.asked and self.random.random() < 0.05:
            return self.random.choice(self.asked)
        new = candidate(self.random.randint(1, 16), self.random.randint(1, 64))
        self.asked.append(new)
        return new

    def tell(self, candidate: Candidate, result: TrialResult) -> None:
        self.told[candidate.digest()] = result

    def restore(self, history: Sequence[tuple[Candidate, TrialResult]]) -> None:
        for known, result in history:
            self.tell(known, result)


class TinySearch(FakeSearch):
    """Four candidates, then nothing."""

    def ask(self) -> Candidate | None:
        for bits in (1, 2, 3, 4):
            if candidate(bits, 1) not in self.asked and candidate(bits, 1).digest() not in self.told:
                self.asked.append(candidate(bits, 1))
                return self.asked[-1]
        return None


class Oversized(FakeSearch):
    """Nothing but candidates that are too large."""

    def ask(self) -> Candidate | None:
        new = candidate(16, self.random.randint(51, 64))
        self.asked.append(new)
        return new


class BrokenSearch(FakeSearch):
    def ask(self) -> Candidate | None:
        raise RuntimeError("the sampler has no idea")


class FakeEvaluator:
    def __init__(self, spec: JobSpec, model: Path, dataset: Path | None, cache: Path) -> None:
        assert model.exists()
        self.cache = cache

    def evaluate(self, candidate: Candidate, on_stage: Callable[[str], None] = lambda stage: None) -> TrialResult:
        bits, lanes = numbers(candidate)
        on_stage("compile")
        with (self.cache / "starts").open("a") as log:
            log.write(f"{candidate.digest()} {os.getpid()}\n")
        print("noise on standard output must not reach the answers")
        result = self._result(candidate, bits, lanes)
        for mode in self._modes():
            result = self._misbehave(*mode.partition("=")[::2], result)
        return result

    def sign_off(self, candidate: Candidate, result: TrialResult) -> dict[str, Any]:
        for mode in self._modes():
            if mode.startswith("sign="):
                subprocess.run(["sleep", mode.removeprefix("sign=")], check=True)
        return {"equal": True, "compared_words": 10}

    def route(self, candidate: Candidate, result: TrialResult) -> dict[str, Any]:
        for mode in self._modes():
            if mode.startswith("route="):
                subprocess.run(["sleep", mode.removeprefix("route=")], check=True)
            elif mode == "kill-router":
                os.kill(os.getpid(), signal.SIGKILL)
        bits, _ = numbers(candidate)
        device = {"part": "LFE5U-25F-8BG381C", "fmax_mhz": 50.0, "lut": bits}
        metrics = {"meas_fmax_mhz": 50.0, "clock_mhz": 50.0}
        stage = {"name": "route", "seconds": 0.01, "cache_hit": False}
        found = {"routed": device, "devices": [device], "reason": None, "metrics": metrics}
        return found | {"clock_source": "routed", "stage": stage}

    def export(self, candidate: Candidate, result: TrialResult, out_zip: Path) -> None:
        out_zip.write_bytes(b"PK\x05\x06" + bytes(18))

    def _modes(self) -> list[str]:
        modes = self.cache / "mode"
        return modes.read_text().split() if modes.exists() else []

    def _result(self, candidate: Candidate, bits: int, lanes: int) -> TrialResult:
        if bits * lanes > 800:
            return TrialResult("infeasible", "does not fit", constraints={"est_lut": bits * lanes - 800.0})
        noise = int(hashlib.sha256(candidate.digest().encode()).hexdigest()[:4], 16) / 1e6
        accuracy = 0.9 - 0.9 / (bits + 1) + noise
        metrics = {"accuracy": accuracy, "throughput_per_s": float(lanes), "est_lut": bits * 10.0 * lanes}
        return TrialResult("complete", None, metrics, Exact(10, 0, 1), {"est_lut": -1.0}, (Stage("simulate", 0.01),))

    def _misbehave(self, name: str, argument: str, result: TrialResult) -> TrialResult:
        if name == "pause":
            subprocess.run(["sleep", argument], check=True)
        elif name == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif name == "raise":
            raise ValueError("the simulator said something that nobody expected")
        elif name == "full":
            with Path("/dev/full").open("wb", buffering=0) as disk:
                disk.write(b"an operator")
        elif name == "gate":
            while (self.cache / "gate").exists():
                time.sleep(0.02)
        elif name == "nan":
            return replace(result, metrics={**result.metrics, "accuracy": float("nan")})
        elif name == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen(["setsid", "sh", "-c", f"trap '' TERM HUP; sleep {argument} & wait"])
            time.sleep(86399)
        return result
