"""The jet MLP in NNgen (time-shared operators with DMA and control): ``peers_nngen TASK.npz ANSWER.json SCRATCH``.

Same integer weights and inputs; activations are NNgen's signed 8 bits behind a constant shift of 8, so the values are
compared with ``nngen.eval``, NNgen's own integer model. One batch of all samples, parallelism 4 by 4. The test bench
(its memory model included) is no part of the model-to-RTL time; reading the outputs back is part of the predictions.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nngen as ng  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import veriloggen.thread as vthread  # type: ignore[import-not-found, unused-ignore]
from veriloggen import Module, Not, Seq, simulation  # type: ignore[import-not-found, unused-ignore]
from veriloggen.types import axi  # type: ignore[import-not-found, unused-ignore]

from benchmarks.clock import spent

SHIFT = 8
PARALLEL = 4
BUS_BITS = 32
CHUNK = 64
TOOL_SECONDS = 600.0


def network(weights: list[Any], samples: int) -> tuple[Any, Any]:
    """The input placeholder and the last operator."""
    source = x = ng.placeholder(ng.int8, shape=(samples, weights[0].shape[1]), name="x")
    for index, weight in enumerate(weights):
        last = index == len(weights) - 1
        variable = ng.variable(ng.int8, shape=weight.shape, name=f"w{index}")
        variable.set_value(weight.astype(np.int64))
        x = ng.matmul(
            x, variable, transposed_b=True, act_func=None if last else ng.relu, sum_dtype=ng.dtype_int(32),
            name=f"fc{index}",
        )  # fmt: skip
        x.attribute(par_ich=PARALLEL, par_och=PARALLEL, cshamt_out=SHIFT)
    return source, x


def bench_module(target: Any, source: Any, last: Any, values: Any) -> Any:
    """A module that runs the accelerator once against a memory model and prints cycles and outputs."""
    parameters = ng.export_ndarray([last], CHUNK)
    variables = -(-(source.addr + source.memory_size) // CHUNK) * CHUNK
    scratch = -(-(variables + len(parameters)) // CHUNK) * CHUNK
    # NNgen gives no size for its temporaries; four times the activations of this model are ample.
    memory = np.zeros(scratch // 4 + values.shape[0] * 256, dtype=np.int64)
    words = max(BUS_BITS // 8, PARALLEL)
    axi.set_memory(memory, values, 32, 8, source.addr, words)
    axi.set_memory(memory, parameters, 32, 8, variables)

    bench = Module("test")
    bench.copy_params(target)
    ports = bench.copy_sim_ports(target)
    clock, resetn = ports["CLK"], ports["RESETN"]
    reset = bench.Wire("RST")
    reset.assign(Not(resetn))
    model = axi.AxiMemoryModel(
        bench, "memory", clock, reset, datawidth=BUS_BITS, memimg=memory, memimg_name="memory.img", memimg_datawidth=32
    )
    model.connect(ports, "maxi")
    control = vthread.AXIMLite(bench, "_saxi", clock, reset, noio=True)
    control.connect(ports, "saxi")
    counter = bench.Reg("time_counter", 32, initval=0)
    Seq(bench, "seq", clock, reset)(counter.inc())
    rows, columns = last.shape
    pitch, base = last.aligned_shape[1], last.addr

    def run() -> None:  # translated to a state machine by veriloggen, hence the plain loops and old formatting
        for _ in range(100):
            pass
        ng.sim.set_global_addrs(control, scratch)
        start = counter.value
        ng.sim.start(control)
        ng.sim.wait(control)
        end = counter.value
        print("cycles %d" % (end - start))  # noqa: UP031
        for row in range(rows):
            for column in range(columns):
                value = model.read_word(row * pitch + column, base, 8)
                print("value %d" % value)  # noqa: UP031
        vthread.finish()

    vthread.Thread(bench, "th_control", clock, reset, run).start()
    bench.Instance(target, "uut", params=bench.connect_params(target), ports=bench.connect_ports(target))
    simulation.setup_clock(bench, clock, hperiod=5)
    simulation.setup_reset(bench, resetn, bench.make_reset(), period=100, polarity="low")
    return bench


def tool(*command: str) -> str:
    """Standard output of one command; the caller's process group is killed as a whole if it overruns."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS)
    if done.returncode:
        sys.exit(f"{command[0]}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def main(task: Path, answer: Path, scratch: Path) -> None:
    """Generate, build, predict; write the figures as one JSON object."""
    arrays = np.load(task)
    weights = [arrays[f"weight{i}"] for i in range(sum(n.startswith("weight") for n in arrays.files))]
    inputs = arrays["inputs"].astype(np.int64)
    os.chdir(scratch)  # the memory image is written, and read by the simulator, in the current directory
    with spent() as generate:
        source, last = network(weights, len(inputs))
        target = ng.to_veriloggen([last], "jet", silent=True, config={"maxi_datawidth": BUS_BITS})
        text = target.to_verilog()
    expected = np.asarray(ng.eval([last], x=inputs)[0]).reshape(-1)
    bench = bench_module(target, source, last, inputs)
    simulation.to_verilator(bench, [bench], 0, "sim", "out", "bench")
    with spent() as build:
        # The commands of veriloggen's run_verilator, apart from the run.
        tool("verilator", "--cc", "-Wno-lint", "--Mdir", "sim", "sim/out.v", "--exe", str(scratch / "sim/bench.cpp"))
        tool("make", "-C", "sim", "-j2", "-f", "Vout.mk", "Vout")
    with spent() as predict:
        printed = tool("sim/Vout")
    values = np.array([int(v) for v in re.findall(r"value\s+(-?\d+)", printed)], dtype=np.int64)
    values = (values + 128) % 256 - 128  # the test bench reads the memory's bytes without a sign
    cycles = re.search(r"cycles\s+(\d+)", printed)
    if cycles is None or len(values) != expected.size:
        sys.exit(f"the simulation ended early: {printed[-500:]}")
    figures = {
        "generate_wall": generate.wall, "generate_cpu": generate.cpu,
        "build_cpu": build.cpu, "build_wall": build.wall, "predict_wall": predict.wall,
        "mismatches": int((values != expected).sum()),
        "timing": f"{cycles[1]} cycles for the batch of {len(inputs)} ({int(cycles[1]) / len(inputs):.1f} each)",
        "lines": text.count("\n"),
    }  # fmt: skip
    answer.write_text(json.dumps(figures))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
