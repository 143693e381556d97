"""Random ONNX models: operators in orders, shapes and axes that nobody chose."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from hwgen.numbers.arrays import Array

OPSET = 20
MAX_STEPS = 8
FUNCTIONS = (
    "Relu",
    "Sigmoid",
    "Tanh",
    "LeakyRelu",
    "Elu",
    "HardSwish",
    "HardSigmoid",
    "Gelu",
    "Softplus",
    "Abs",
    "Neg",
)
Shape = tuple[int, ...]


class Draft:
    """A model that grows by random steps; every tensor so far can be read again."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        image = (self.draw.choice((1, 2, 3, 8, 16)), self.draw.choice((4, 5, 6, 9)), self.draw.choice((4, 6, 8)))
        tokens = (self.draw.choice((1, 3, 4, 6)), self.draw.choice((4, 6, 8, 16, 32)))
        self.input: Shape = (1, *self.draw.choice((image, tokens)))
        self.shapes: dict[str, Shape] = {"x": self.input}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *operands: str, outputs: int = 1, **attributes: Any) -> str:
        """A node, if ONNX's own shape inference takes it; the name of its first result."""
        results = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        node = helper.make_node(operator, operands, results, f"{operator}{len(self.nodes)}", **attributes)
        shapes = self._shapes_with(node)
        self.nodes.append(node)
        self.shapes |= {name: shapes[name] for name in results}
        return results[0]

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """A constant; its name."""
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def weights(self, *shape: int) -> str:
        """Normal numbers, smaller the more of them are summed."""
        return self.constant(self.numbers.normal(size=shape) / np.sqrt(max(1, np.prod(shape[1:]))))

    def axis(self, shape: Shape) -> int:
        """An axis other than the batch."""
        return self.draw.randrange(1, len(shape))

    def model(self, nodes: list[onnx.NodeProto], outputs: dict[str, Shape]) -> onnx.ModelProto:
        """The nodes as a model."""
        values = [
            [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in side.items()]
            for side in ({"x": self.input}, outputs)
        ]
        graph = helper.make_graph(nodes, "random", *values, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)

    def _shapes_with(self, node: onnx.NodeProto) -> dict[str, Shape]:
        inferred = shape_inference.infer_shapes(self.model([*self.nodes, node], {}), strict_mode=True, data_prop=True)
        shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in inferred.graph.value_info}
        if any(min(shapes[name], default=1) < 1 for name in node.output):
            raise onnx.shape_inference.InferenceError("an empty tensor")
        return shapes


def random_model(seed: int) -> tuple[onnx.ModelProto, Array]:
    """A valid model and four samples ``(4, *shape)`` for its input ``x``."""
    draft = Draft(seed)
    for _ in range(draft.draw.randint(2, MAX_STEPS)):
        name = draft.draw.choice(list(draft.shapes)[-3:])
        try:
            draft.draw.choice(STEPS)(draft, name, draft.shapes[name])
        except (shape_inference.InferenceError, ValueError):  # what ONNX itself does not take, or needs more axes
            continue
    made = [name for name in draft.shapes if name != "x"] or [draft.add("Relu", "x")]
    outputs = {name: draft.shapes[name] for name in made[-draft.draw.choice((1, 1, 2)) :]}
    proto = draft.model(draft.nodes, outputs)
    onnx.checker.check_model(proto)
    return proto, draft.numbers.normal(size=(4, *draft.input[1:])).astype(np.float32)


def _function(d: Draft, x: str, shape: Shape) -> None:
    d.add(d.draw.choice(FUNCTIONS), x)


def _bounded(d: Draft, x: str, shape: Shape) -> None:
    bounded = d.add("Clip", x, d.constant(-2), d.constant(2))
    d.add(d.draw.choice(("Exp", "Erf", "Identity")), bounded)


def _conv(d: Draft, x: str, shape: Shape) -> None:
    groups = d.draw.choice((1, 1, shape[1]))
    kernel, outputs = d.draw.choice((1, 2, 3)), groups * d.draw.choice((1, 2, 3, 4))
    rank = len(shape) - 2
    d.add(
        "Conv",
        x,
        d.weights(outputs, shape[1] // groups, *[kernel] * rank),
        d.weights(outputs),
        kernel_shape=[kernel] * rank,
        strides=[d.draw.choice((1, 2))] * rank,
        pads=[d.draw.choice((0, 1))] * 2 * rank,
        dilations=[d.draw.choice((1, 1, 2))] * rank,
        group=groups,
    )


def _matmul(d: Draft, x: str, shape: Shape) -> None:
    d.add("MatMul", x, d.weights(shape[-1], d.draw.choice((1, 4, 5, 8))))


def _pool(d: Draft, x: str, shape: Shape) -> None:
    rank = len(shape) - 2
    kernel, stride = [d.draw.choice((2, 3))] * rank, [d.draw.choice((1, 2))] * rank
    d.add(d.draw.choice(("MaxPool", "AveragePool")), x, kernel_shape=kernel, strides=stride)


def _global_pool(d: Draft, x: str, shape: Shape) -> None:
    if len(shape) < 3:
        raise ValueError("onnxruntime pools over at least one axis")
    d.add(d.draw.choice(("GlobalMaxPool", "GlobalAveragePool")), x)


def _pad(d: Draft, x: str, shape: Shape) -> None:
    pads, axis = np.zeros((2, len(shape)), np.int64), d.axis(shape)
    pads[:, axis] = d.draw.randint(0, 2), d.draw.randint(0, 2)
    d.add("Pad", x, d.constant(pads.reshape(-1), np.int64), d.constant(d.draw.choice((0, 0, 0.5, -1))))


def _slice(d: Draft, x: str, shape: Shape) -> None:
    axis = d.axis(shape)
    start = d.draw.randrange(shape[axis])
    ends = (start, d.draw.randrange(start, shape[axis]) + 1, axis, d.draw.choice((1, 1, 2)))
    d.add("Slice", x, *(d.constant([end], np.int64) for end in ends))


def _split(d: Draft, x: str, shape: Shape) -> None:
    d.add("Split", x, outputs=2, axis=d.axis(shape), num_outputs=2)


def _concat(d: Draft, x: str, shape: Shape) -> None:
    d.add("Concat", x, d.draw.choice(list(d.shapes)), axis=d.axis(shape))


def _join(d: Draft, x: str, shape: Shape) -> None:
    others = [name for name, other in d.shapes.items() if other == shape]
    d.add(d.draw.choice(("Add", "Mul", "Sub")), x, d.draw.choice(others))


def _constant_join(d: Draft, x: str, shape: Shape) -> None:
    sizes = [size if d.draw.random() < 0.5 else 1 for size in shape]
    d.add(d.draw.choice(("Add", "Mul", "Sub", "Div")), x, d.constant(d.numbers.normal(size=sizes) + 3))


def _reshape(d: Draft, x: str, shape: Shape) -> None:
    merged = d.draw.randrange(1, len(shape) - 1)
    target = (*shape[:merged], shape[merged] * shape[merged + 1], *shape[merged + 2 :], *[1] * d.draw.choice((0, 1)))
    d.add("Reshape", x, d.constant(target, np.int64))


def _transpose(d: Draft, x: str, shape: Shape) -> None:
    d.add("Transpose", x, perm=[0, *d.draw.sample(range(1, len(shape)), len(shape) - 1)])


def _reduce(d: Draft, x: str, shape: Shape) -> None:
    operator = d.draw.choice(("ReduceMean", "ReduceMax", "ReduceSum"))
    reduced = d.add(operator, x, d.constant([d.axis(shape)], np.int64), keepdims=1)
    if d.draw.random() < 0.5:
        d.add("Mul", x, reduced)


def _softmax(d: Draft, x: str, shape: Shape) -> None:
    d.add("Mul", d.add("Softmax", x, axis=-1), d.constant(2))  # a last one would stay in software


def _layer_norm(d: Draft, x: str, shape: Shape) -> None:
    d.add("LayerNormalization", x, d.weights(shape[-1]), d.weights(shape[-1]), axis=-1)


def _gather(d: Draft, x: str, shape: Shape) -> None:
    axis = d.axis(shape)
    d.add("Gather", x, d.constant([d.draw.randrange(shape[axis])], np.int64), axis=axis)


STEPS: tuple[Callable[[Draft, str, Shape], None], ...] = (
    _function, _bounded, _conv, _matmul, _pool, _global_pool, _pad, _slice, _split, _concat, _join, _constant_join,
    _reshape, _transpose, _reduce, _softmax, _layer_norm, _gather,
)  # fmt: skip
