"""One tiny operator, all the way: ``python -m hwgen.selftest CACHE`` prints one JSON object.

A model of one linear layer is imported, quantized, emitted, compiled with Verilator and the C++ compiler, simulated and
compared word for word; no other part of a machine tells so surely whether designs can be evaluated on it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwgen.engine import Model, load

_INPUTS, _OUTPUTS, _SAMPLES = 8, 4, 2


def run(cache: Path) -> dict[str, int | float]:
    """Compile and simulate.

    Args:
        cache: directory of compiled operators; an empty one makes the compiler work.

    Returns:
        ``compared_words`` and ``seconds``.

    Raises:
        ToolError: a tool is missing or failed; the message has its output.
        NotExact: a simulated word differs from the integer reference.
    """
    started = time.monotonic()
    samples = {"x": np.random.default_rng(0).standard_normal((_SAMPLES, _INPUTS)).astype(np.float32)}
    design = _model().quantize(calibration=samples).design(lanes=2, cache=cache)
    measured = design.simulate(samples)
    return {"compared_words": measured.compared_words, "seconds": round(time.monotonic() - started, 1)}


def _model() -> Model:
    weight = np.random.default_rng(1).standard_normal((_INPUTS, _OUTPUTS)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "selftest",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, _INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, _OUTPUTS])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "selftest.onnx"
        onnx.save(model, path)
        return load(path)


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
