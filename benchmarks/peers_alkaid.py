"""The jet MLP in alkaid (fully unrolled adder graphs, pipelined): ``peers_alkaid TASK.npz ANSWER.json SCRATCH``.

Executed by the environment that ``benchmarks.peers`` made; our own packages are not installed there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from alkaid.codegen import RTLModel  # type: ignore[import-not-found, unused-ignore]
from alkaid.trace import FVArrayInput, HWConfig, trace  # type: ignore[import-not-found, unused-ignore]
from alkaid.trace.ops import quantize  # type: ignore[import-not-found, unused-ignore]

from benchmarks.clock import spent

# The defaults of alkaid's own command line, with the cut-off of its manual's example.
HARDWARE = HWConfig(1, 1, -1)
SOLVER = {"hard_dc": 5}
LATENCY_CUTOFF = 5


def main(task: Path, answer: Path, scratch: Path) -> None:
    """Generate, build, predict; write the figures as one JSON object."""
    arrays = np.load(task)
    weights = [arrays[f"weight{i}"] / 128.0 for i in range(sum(n.startswith("weight") for n in arrays.files))]
    inputs = arrays["inputs"] / 32.0
    with spent() as generate:
        symbols = FVArrayInput(inputs.shape[1], HARDWARE, SOLVER)
        x = quantize(symbols, 1, 2, 5)
        for weight in weights[:-1]:
            x = quantize(x @ weight.T, 0, 4, 4, overflow_mode="SAT", round_mode="RND")
        model = RTLModel(
            trace(symbols, x @ weights[-1].T), scratch / "jet", "jet", "verilog", latency_cutoff=LATENCY_CUTOFF
        )
        model.write()
    with spent() as build:
        model._compile(nproc=2)  # compile() is write(), measured above, and this
    with spent() as predict:
        outputs = model.predict(inputs)
    sources = [*(scratch / "jet" / "src").glob("*.v"), *(scratch / "jet" / "src" / "static").glob("*.v")]
    figures = {
        "generate_wall": generate.wall, "generate_cpu": generate.cpu,
        "build_cpu": build.cpu, "build_wall": build.wall, "predict_wall": predict.wall,
        "mismatches": int((outputs.reshape(len(inputs), -1) != arrays["reference"]).sum()),
        "timing": f"latency {model.latency:g} cycles, interval 1 cycle",
        "lines": sum(s.read_text().count("\n") for s in sources),
    }  # fmt: skip
    answer.write_text(json.dumps(figures))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
