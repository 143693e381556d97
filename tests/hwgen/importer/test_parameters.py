"""The number of parameters is that of the file, wherever it stores them."""

from __future__ import annotations

import pytest
from onnx import numpy_helper

from hwgen.model.load import import_bytes
from tests.hwgen.importer.support import N, model, weights


@pytest.mark.parametrize("stored", ["initializer", "constant node"])
def test_weights_count_wherever_they_are(stored: str) -> None:
    weight, bias = weights(4, 3), weights(3)
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Add", ["h", "b"], ["y"])]
    if stored == "initializer":
        proto = model(nodes, {"x": [1, 4]}, constants={"w": weight, "b": bias})
    else:
        made = [
            N("Constant", [], ["w"], value=numpy_helper.from_array(weight)),
            N("Constant", [], ["b"], value_floats=bias.tolist()),
        ]
        proto = model([*made, *nodes], {"x": [1, 4]})
    assert import_bytes(proto.SerializeToString()).parameters == 15
