"""One refusal names every offending node: the importer goes on behind a refused one with what its result looks like."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest

from hwgen.errors import ModelError, NodeIssue
from tests.hwgen.importer.support import N, imported, model, weights


def issues_of(proto: onnx.ModelProto) -> tuple[NodeIssue, ...]:
    with pytest.raises(ModelError) as caught:
        imported(proto)
    assert caught.value.kind == "unsupported-model"
    assert f"{len(caught.value.issues)} nodes" in caught.value.detail or len(caught.value.issues) == 1
    return caught.value.issues


class Llama:
    """A decoder in the style of Llama: RMS norms spelt out, keys and values of groups copied to all heads."""

    tokens, width, heads = 6, 16, 4

    def __init__(self, layers: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants = {
            "two": np.float32(2),
            "epsilon": np.float32(1e-6),
            "split": np.array([1, self.tokens, self.heads, 4]),
            "grouped": np.array([1, self.tokens, 2, 4]),
            "group": np.array([1, 2, 2, self.tokens, 4]),
            "repeated": np.array([1, self.heads, self.tokens, 4]),
            "joined": np.array([1, self.tokens, self.width]),
            "two_axis": np.array([2]),
        }
        x = "x"
        for layer in range(layers):
            x = self.layer(f"l{layer}_", x)
        self.add("MatMul", [self.norm("final_", x), self.weight("head", 10)], "y")

    def add(self, operator: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(N(operator, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str, outputs: int, inputs: int = width) -> str:
        self.constants[name] = weights(inputs, outputs)
        return name

    def norm(self, p: str, x: str) -> str:
        square = self.add("Pow", [x, "two"], p + "square")
        mean = self.add("ReduceMean", [square], p + "mean", axes=[-1])
        root = self.add("Sqrt", [self.add("Add", [mean, "epsilon"], p + "sum")], p + "root")
        scaled = self.add("Mul", [x, self.add("Reciprocal", [root], p + "inverse")], p + "scaled")
        self.constants[p + "gamma"] = weights(self.width)
        return self.add("Mul", [scaled, p + "gamma"], p + "norm")

    def heads_of(self, p: str, x: str, shape: str, width: int) -> str:
        made = self.add("MatMul", [x, self.weight(p + "weight", width)], p + "linear")
        split = self.add("Reshape", [made, shape], p + "split")
        return self.add("Transpose", [split], p + "heads", perm=[0, 2, 1, 3])

    def repeated(self, p: str, x: str) -> str:
        group = self.add("Expand", [self.add("Unsqueeze", [x, "two_axis"], p + "group"), "group"], p + "expand")
        return self.add("Reshape", [group, "repeated"], p + "repeated")

    def layer(self, p: str, x: str) -> str:
        n = self.norm(p + "before_", x)
        q = self.heads_of(p + "q_", n, "split", self.width)
        k, v = (self.repeated(p + s, self.heads_of(p + s, n, "grouped", 8)) for s in ("k_", "v_"))
        scores = self.add("MatMul", [q, self.add("Transpose", [k], p + "kt", perm=[0, 1, 3, 2])], p + "scores")
        mixed = self.add("MatMul", [self.add("Softmax", [scores], p + "soft", axis=-1), v], p + "mixed")
        flat = self.add("Reshape", [self.add("Transpose", [mixed], p + "t", perm=[0, 2, 1, 3]), "joined"], p + "flat")
        x = self.add("Add", [x, self.add("MatMul", [flat, self.weight(p + "o", self.width)], p + "out")], p + "res")
        n = self.norm(p + "behind_", x)
        gate, up = (self.add("MatMul", [n, self.weight(p + s, 24)], p + s + "x") for s in ("gate", "up"))
        silu = self.add("Mul", [gate, self.add("Sigmoid", [gate], p + "sigmoid")], p + "silu")
        down = self.add("MatMul", [self.add("Mul", [silu, up], p + "act"), self.weight(p + "d", 16, 24)], p + "down")
        return self.add("Add", [x, down], p + "end")


def test_llama_names_all_nine() -> None:
    llama = Llama(layers=2)
    found = issues_of(model(llama.nodes, {"x": [1, 6, 16]}, constants=llama.constants))
    assert Counter(i.operator for i in found) == {"Mul": 5, "Expand": 4}
    assert all("reciprocal" in i.reason for i in found if i.operator == "Mul")


def test_slopes_of_every_channel_behind_each_other() -> None:
    """MTCNN: five PRelus, each behind the one before."""
    nodes, constants, x = [], {}, "x"
    for index in range(5):
        constants |= {f"w{index}": weights(4, 4, 3, 3), f"s{index}": weights(4, 1, 1)}
        nodes += [
            N("Conv", [x, f"w{index}"], [f"c{index}"], pads=[1] * 4),
            N("PRelu", [f"c{index}", f"s{index}"], [f"p{index}"]),
        ]
        x = f"p{index}"
    nodes.append(N("GlobalAveragePool", [x], ["y"]))
    found = issues_of(model(nodes, {"x": [1, 4, 8, 8]}, constants=constants))
    assert [i.operator for i in found] == ["PRelu"] * 5


def test_an_unknown_operator_does_not_hide_what_is_behind_it() -> None:
    nodes = [
        N("Resize", ["x", "", "scales"], ["r"], mode="nearest"),
        N("Conv", ["r", "w"], ["c"]),
        N("Sqrt", ["c"], ["s"]),
        N("InstanceNormalization", ["s", "g", "g"], ["y"]),
    ]
    constants = {"scales": np.array([1, 1, 2, 2], np.float32), "w": weights(4, 4, 3, 3), "g": np.ones(4, np.float32)}
    found = issues_of(model(nodes, {"x": [1, 4, 8, 8]}, constants=constants))
    assert [i.operator for i in found] == ["Resize", "InstanceNormalization"]  # the root is built only where it is read


def test_refused_constants_are_no_activations_behind() -> None:
    """Weights stay constants when what makes them is refused: only the cause is named."""
    nodes = [
        N("DequantizeLinear", ["q", "scale"], ["w"]),
        N("MatMul", ["x", "w"], ["h"]),
        N("DequantizeLinear", ["q", "scale"], ["v"]),
        N("MatMul", ["h", "v"], ["y"]),
    ]
    constants = {"q": np.ones((4, 4), np.int8), "scale": np.float32(0.5)}
    found = issues_of(model(nodes, {"x": [1, 4]}, constants=constants))
    assert [i.operator for i in found] == ["DequantizeLinear"] * 2


def test_what_follows_from_refused_integers_is_not_blamed() -> None:
    nodes = [
        N("NonZero", ["x"], ["positions"]),
        N("Shape", ["positions"], ["shape"]),
        N("Reshape", ["x", "shape"], ["y"]),
    ]
    assert [i.operator for i in issues_of(model(nodes, {"x": [1, 4]}))] == ["NonZero"]
