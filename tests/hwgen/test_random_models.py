"""Random ONNX models through the engine's public face: what is accepted equals onnxruntime, its RTL the reference."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import hwgen
from hwgen.numbers.arrays import Array
from tests.hwgen.random_models import random_model

WEIGHTS = ("int8", "int6", "int4", "int3", "mxint6b8", "mxfp4")
ACTIVATIONS = ("int8", "int8", "int6", "mxint8b8")
TOLERANCE = 2e-3


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(s, marks=pytest.mark.slow) for s in range(3, 60))])
def test_a_random_model_is_refused_or_exact(seed: int, tmp_path: Path, cache_directory: Path) -> None:
    proto, samples = random_model(seed)
    expected = onnxruntime_outputs(proto, samples)
    assert all(np.isfinite(value).all() for value in expected.values())
    onnx.save(proto, tmp_path / "model.onnx")
    try:
        model = hwgen.load(tmp_path / "model.onnx")
    except hwgen.ModelError as refusal:
        assert refusal.issues or "nothing of this model becomes hardware" in refusal.detail
        return
    values = model.evaluate({"x": samples})
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=TOLERANCE, atol=TOLERANCE * max(1, np.abs(value).max()))
    draw = random.Random(seed)
    plan = model.quantize(
        calibration={"x": samples}, weights=draw.choice(WEIGHTS), activations=draw.choice(ACTIVATIONS)
    )
    try:
        design = plan.design(lanes=draw.choice((1, 2, 4, 16)), cache=cache_directory)
    except (hwgen.IllegalParameters, hwgen.IllegalGraph) as illegal:
        assert str(illegal)
        return
    assert design.simulate({"x": samples[:3]}).compared_words > 0  # raises where a word differs


def onnxruntime_outputs(proto: onnx.ModelProto, samples: Array) -> dict[str, Array]:
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    rows = [session.run(names, {"x": samples[i : i + 1]}) for i in range(len(samples))]
    return {name: np.concatenate([row[place] for row in rows]) for place, name in enumerate(names)}
