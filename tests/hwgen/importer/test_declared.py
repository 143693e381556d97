"""Every handler declares what it honours; everything else that a node asks for is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from hwgen.errors import ModelError
from hwgen.model.float_reference import run
from hwgen.model.onnx.declared import Declared, table
from hwgen.model.onnx.folding import RULES
from hwgen.model.onnx.walk import HANDLERS
from tests.hwgen.importer.support import N, behind_linear, compare, feeds_of, imported, model, ops, weights

NEWEST = onnx.defs.onnx_opset_version()


def test_a_handler_without_a_declaration_fails_at_import() -> None:
    with pytest.raises(TypeError, match="Relu does not declare"):
        table({"Relu": lambda call: call.required(0)})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="missing"):
        Declared(lambda call: call.required(0))  # type: ignore[call-arg]


def test_one_operator_has_one_handler() -> None:
    with pytest.raises(TypeError, match="two tables"):
        table({"Relu": HANDLERS["Relu"]}, {"Relu": HANDLERS["Relu"]})


@pytest.mark.parametrize("declarations", [HANDLERS, RULES], ids=["handlers", "folds"])
def test_declared_attributes_exist(declarations: dict[str, Declared[Any]]) -> None:
    known: dict[str, set[str]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            known.setdefault(schema.name, set()).update(schema.attributes)
    for operator, declared in declarations.items():
        assert set(declared.attributes) <= known[operator], operator


def refusal(proto: onnx.ModelProto) -> str:
    with pytest.raises(ModelError) as caught:
        imported(proto)
    assert caught.value.kind == "unsupported-model"
    (issue,) = caught.value.issues
    return issue.reason


def typed(nodes: list[onnx.NodeProto], kind: int, constants: dict[str, np.ndarray], shape: tuple[int, ...] = (1, 4)):
    proto = model(nodes, {"x": list(shape)}, constants=constants)
    proto.graph.input[0].type.tensor_type.elem_type = kind
    return proto


TO_INTEGER = N("Cast", ["r"], ["i"], to=TensorProto.INT64)
TO_FLOAT = N("Cast", ["i"], ["y"], to=TensorProto.FLOAT)


@pytest.mark.parametrize(
    "before",
    [
        N("Relu", ["x"], ["r"]),
        N("Mul", ["x", "half"], ["r"]),
        N("Add", ["x", "half"], ["r"]),
        N("Identity", ["x"], ["r"]),
        N("MatMul", ["x", "w"], ["r"]),
    ],
    ids=lambda node: node.op_type,
)
def test_casts_to_integers_would_round(before: onnx.NodeProto) -> None:
    constants = {"half": np.float32(0.5), "w": weights(4, 4)}
    proto = model([before, TO_INTEGER, TO_FLOAT], {"x": [1, 4]}, constants=constants)
    assert "Cast of float activations to int64" in refusal(proto)


@pytest.mark.parametrize(("kind", "to"), [(TensorProto.INT32, TensorProto.INT8), (TensorProto.UINT8, TensorProto.INT8)])
def test_casts_to_narrower_integers_would_wrap(kind: int, to: int) -> None:
    assert "Cast of" in refusal(typed([N("Cast", ["x"], ["i"], to=to), TO_FLOAT], kind, {}))


def test_casts_that_change_no_value_stay_free() -> None:
    nodes = [
        N("Cast", ["x"], ["wide"], to=TensorProto.INT32),
        N("Cast", ["wide"], ["f"], to=TensorProto.FLOAT),
        N("Relu", ["f"], ["y"]),
    ]
    assert ops(imported(typed(nodes, TensorProto.UINT8, {}))) == ["relu"]


def test_a_cast_like_an_integer_rounds_too() -> None:
    nodes = [N("CastLike", ["x", "ids"], ["i"]), TO_FLOAT]
    assert "int64" in refusal(model(nodes, {"x": [1, 4]}, constants={"ids": np.array([1])}))


def test_a_final_sigmoid_that_is_rounded_is_not_left_to_software() -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Sigmoid", ["h"], ["r"]), TO_INTEGER, N("Identity", ["i"], ["y"])]
    assert "Cast" in refusal(model(nodes, {"x": [1, 4]}, constants={"w": weights(4, 3)}))


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("Div", TensorProto.INT32),
        ("Div", TensorProto.INT64),
        ("Mul", TensorProto.INT8),
        ("Mul", TensorProto.UINT8),
        ("Add", TensorProto.INT16),
        ("Sub", TensorProto.UINT8),
    ],
)
def test_integers_with_an_arithmetic_of_their_own(operator: str, kind: int) -> None:
    three = np.array([3], dtype=helper.tensor_dtype_to_np_dtype(kind))
    nodes = [N(operator, ["x", "three"], ["i"]), TO_FLOAT]
    reason = refusal(typed(nodes, kind, {"three": three}))
    assert helper.tensor_dtype_to_string(kind).removeprefix("TensorProto.").lower() in reason


def test_selu_honours_alpha_and_gamma() -> None:
    assert behind_linear([N("Selu", ["h"], ["y"], alpha=2.0, gamma=3.0)]) == ["elu", "mul"]
    assert behind_linear([N("Selu", ["h"], ["y"])]) == ["selu"]


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("operator", ["DepthToSpace", "SpaceToDepth"])
def test_blocks_in_both_modes(operator: str, mode: str) -> None:
    nodes = [N(operator, ["x"], ["d"], blocksize=2, mode=mode), N("Relu", ["d"], ["y"])]
    proto = model(nodes, {"x": [1, 8, 4, 6]}, opset=NEWEST)
    feeds = feeds_of(proto)
    expected = ReferenceEvaluator(proto).run(None, feeds)[0]
    np.testing.assert_allclose(run(imported(proto), feeds)[0], expected)


def test_an_unknown_mode_of_blocks() -> None:
    nodes = [N("DepthToSpace", ["x"], ["d"], blocksize=2, mode="RCD"), N("Relu", ["d"], ["y"])]
    assert "RCD" in refusal(model(nodes, {"x": [1, 8, 4, 6]}))


def test_dropout_in_training_mode() -> None:
    nodes = [N("Dropout", ["x", "ratio", "training"], ["d"]), N("Relu", ["d"], ["y"])]
    constants = {"ratio": np.float32(0.5), "training": np.array(True)}
    assert "training" in refusal(model(nodes, {"x": [1, 4]}, constants=constants))
    assert ops(compare(model(nodes, {"x": [1, 4]}, constants=constants | {"training": np.array(False)}))) == ["relu"]


def test_an_output_without_a_form_is_no_missing_operand() -> None:
    """The mask of a Dropout was dropped, and whoever read it saw an operand left out."""
    nodes = [N("Dropout", ["x"], ["d", "mask"]), N("Clip", ["d", "", "mask"], ["y"])]
    assert "'mask'" in refusal(model(nodes, {"x": [1, 4]}))
    unread = [N("Dropout", ["x"], ["d", "mask"]), N("Relu", ["d"], ["y"])]
    assert ops(imported(model(unread, {"x": [1, 4]}))) == ["relu"]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (N("Relu", ["x"], ["y"], slope=0.5), ("slope", "0.5")),
        (N("Gelu", ["x"], ["y"], approximate="sin"), ("sin",)),
        (N("Gather", ["x", "one"], ["y"], batch_dims=1), ("batch_dims",)),
        (N("Relu", ["x", "one"], ["y"]), ("operand 1", "'one'")),
    ],
    ids=lambda value: value.op_type if isinstance(value, onnx.NodeProto) else "",
)
def test_what_no_handler_honours_is_named(node: onnx.NodeProto, words: tuple[str, ...]) -> None:
    reason = refusal(model([node], {"x": [1, 4]}, constants={"one": np.array([1])}, opset=20))
    assert all(word in reason for word in words)


def test_folds_refuse_what_they_do_not_honour() -> None:
    nodes = [
        N(
            "Cast",
            [
                "w",
            ],
            ["v"],
            to=TensorProto.FLOAT8E4M3FN,
            saturate=0,
        ),
        N("MatMul", ["x", "v"], ["y"]),
    ]
    assert "saturate" in refusal(model(nodes, {"x": [1, 4]}, constants={"w": weights(4, 3)}, opset=19))


@pytest.mark.parametrize("limit", [2e6, 1e12])
def test_a_clip_far_out_stays(limit: float) -> None:
    constants = {"low": np.float32(-limit), "high": np.float32(limit)}
    assert behind_linear([N("Clip", ["h", "low", "high"], ["y"])], constants) == ["clip"]


@pytest.mark.parametrize("threshold", [0.02, -0.01, 1e-4])
def test_a_jump_between_the_samples_is_no_relu(threshold: float) -> None:
    """Sampled every 0.05, ``x > 0.02 ? x : 0`` looks like a ReLU."""
    nodes = [N("Greater", ["x", "t"], ["g"]), N("Where", ["g", "x", "zero"], ["y"])]
    proto = model(nodes, {"x": [1, 4]}, constants={"t": np.float32(threshold), "zero": np.float32(0)})
    assert "jump" in refusal(proto)
