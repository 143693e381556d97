"""A small search and an evaluator without hardware, whose behaviour a file in the cache directory steers.

``mode`` (a file in the cache directory) may say: ``sleep`` (a grandchild ``sleep`` runs as the compiler would),
``die`` (the evaluator process is killed), ``raise``, ``stubborn`` (ignores TERM, double-forks and leaves its session).
Every start of an evaluation appends a line to ``starts``.
"""

import hashlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from explorer.candidate import Candidate, NodeFormats, NodeLanes
from explorer.result import Exact, Stage, TrialResult
from explorer.spec import JobSpec

SLEEP_SECONDS = "86399"


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

    def restore(self, history: list[tuple[Candidate, TrialResult]]) -> None:
        for known, result in history:
            self.tell(known, result)


class TinySearch(FakeSearch):
    """Four candidates, then nothing."""

    def __init__(self, spec: JobSpec, model: Path) -> None:
        super().__init__(spec, model)
        self.left = [candidate(bits, 1) for bits in (1, 2, 3, 4)]

    def ask(self) -> Candidate | None:
        self.left = [c for c in self.left if c.digest() not in self.told]
        return self.left.pop(0) if self.left else None


class FakeEvaluator:
    def __init__(self, spec: JobSpec, model: Path, dataset: Path | None, cache: Path) -> None:
        self.cache = cache

    def evaluate(self, candidate: Candidate, on_stage=lambda stage: None) -> TrialResult:
        bits, lanes = numbers(candidate)
        on_stage("compile")
        self._misbehave(candidate)
        on_stage("simulate")
        if bits * lanes > 800:
            return TrialResult("infeasible", "does not fit", constraints={"est_lut": bits * lanes - 800.0})
        noise = int(hashlib.sha256(candidate.digest().encode()).hexdigest()[:4], 16) / 1e6
        accuracy = 1 - 1 / (bits + 1) + noise
        metrics = {"accuracy": accuracy, "meas_throughput_per_s": float(lanes), "est_lut": bits * 10.0 * lanes}
        return TrialResult("complete", None, metrics, Exact(10, 0, 1), {"est_lut": -1.0}, (Stage("simulate", 0.01),))

    def sign_off(self, candidate: Candidate, result: TrialResult) -> dict:
        return {"equal": True, "cycles": 7}

    def export(self, candidate: Candidate, result: TrialResult, out_zip: Path) -> None:
        out_zip.write_bytes(b"PK\x05\x06" + bytes(18))

    def _misbehave(self, candidate: Candidate) -> None:
        with (self.cache / "starts").open("a") as log:
            log.write(f"{candidate.digest()} {os.getpid()}\n")
        modes = self.cache / "mode"
        for mode in modes.read_text().split() if modes.exists() else ():
            name, _, argument = mode.partition("=")
            if name == "pause":
                subprocess.run(["sleep", argument], check=True)
            elif name == "compile":
                subprocess.run(["sh", "-c", f"sleep {SLEEP_SECONDS} & sleep {SLEEP_SECONDS}"], check=True)
            elif name == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            elif name == "raise":
                raise OSError(28, "No space left on device")
            elif name == "nan":
                time.sleep(0)
            elif name == "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                subprocess.Popen(["setsid", "sh", "-c", f"trap '' TERM HUP; sleep {SLEEP_SECONDS} & wait"])
                time.sleep(86399)
