"""ONNX description to IR graph: one pass over the nodes, every refusal collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.errors import IllegalGraph, ModelError, NodeIssue
from hwgen.model.graph import Graph, InputLayout, OutputLayout
from hwgen.model.kinds.sources import Input
from hwgen.model.onnx import (
    blocks,
    casts,
    einsum,
    elementwise,
    functions,
    layout,
    matrix,
    normalization,
    reduction,
    windows,
)
from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.canonical import canonical
from hwgen.model.onnx.declared import check, table
from hwgen.model.onnx.element_types import UNKNOWN, of_array, of_outputs
from hwgen.model.onnx.expression import Expressions
from hwgen.model.onnx.folding import Folder
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import Source, SourceInput, SourceNode, shown
from hwgen.model.onnx.stand_in import stand_ins
from hwgen.model.onnx.steps import RefusedStep, software_steps
from hwgen.model.onnx.tail import split_tail
from hwgen.model.onnx.values import Const, Deferred, Expr, Poison, Value
from hwgen.model.onnx.view import View, plain_view
from hwgen.model.outputs import ModelOutput
from hwgen.model.verify import verify_imported

HANDLERS: Handlers = table(
    blocks.HANDLERS,
    casts.HANDLERS,
    einsum.HANDLERS,
    elementwise.HANDLERS,
    functions.HANDLERS,
    layout.HANDLERS,
    matrix.HANDLERS,
    normalization.HANDLERS,
    reduction.HANDLERS,
    windows.HANDLERS,
)
MAX_ISSUES = 100


def to_graph(source: Source) -> Graph:
    """Import a checked ONNX description at batch size 1.

    Raises:
        ModelError: ``unsupported-model`` with one issue per refused node, or ``invalid-model``.
    """
    tail = split_tail(source)
    walk = _Walk(source)
    walk.run(tail.nodes)
    outputs = [walk.output(name) for name in tail.outputs]
    tails = []
    for name, tensor, nodes in tail.results:
        index = tail.outputs.index(tensor)
        if (read := outputs[index]) is not None:
            tails.append(walk.result(name, index, read[1], nodes))
    walk.raise_issues()
    graph = Graph(
        tuple(walk.builder.nodes.values()),
        tuple(walk.inputs),
        tuple(read[0] for read in outputs if read is not None),
        tuple(t for t in tails if t is not None),
    )
    result = canonical(graph)
    try:
        verify_imported(result)
    except IllegalGraph as error:  # the last wall: whatever slipped through above is refused, not handed on
        raise ModelError(
            f"the model breaks a rule of the graph ({error}); check the numbers of that operator"
        ) from error
    return result


@dataclass
class _Walk:
    source: Source

    def __post_init__(self) -> None:
        self.builder = Builder()
        self.expressions = Expressions(self.builder)
        self.values: dict[str, Value] = {name: Const(array) for name, array in self.source.constants.items()}
        self.inputs: list[InputLayout] = []
        self.issues: list[NodeIssue] = []
        self._folder = Folder(self.source.opset)
        self._types = dict(self.source.types)
        self._producers: Mapping[str, SourceNode] = {o: n for n in self.source.nodes for o in n.outputs if o}
        self._read = {*(i for n in self.source.nodes for i in n.inputs if i), *self.source.outputs}
        for declared in self.source.inputs:
            self._input(declared)

    def run(self, nodes: tuple[SourceNode, ...]) -> None:
        """Import the nodes in order."""
        for node in nodes:
            self.builder.source = node.name
            results = self._imported(node)
            kinds = of_outputs(node, self.source.opset, self._operand_types(node))
            for name, value, kind in zip(node.outputs, results, kinds, strict=True):
                if name:
                    self.values[name], self._types[name] = value, kind

    def output(self, name: str) -> tuple[OutputLayout, tuple[int, ...]] | None:
        """How the output tensor ``name`` is read from the stream of its node, and its ONNX shape; None if refused."""
        value = self.values.get(name, Poison())
        self.builder.source = name
        if isinstance(value, Poison):
            return None
        if isinstance(value, Const):
            raise ModelError(f"the output {shown(name)!r} does not depend on an input")
        try:
            view = self._built(value)
        except (Refused, IllegalGraph) as refusal:
            self._report(self._producers[name], str(refusal))
            return None
        shape = view.shape[1:] if view.shape and view.shape[0] == 1 else view.shape
        return OutputLayout(view.node, shown(name), shape, view.sizes, view.sequence), view.shape

    def _built(self, value: View | Expr | Deferred) -> View:
        match value:
            case View():
                return value
            case Expr():
                return self.expressions.view(value)
            case Deferred():
                return value.build(self.builder)

    def result(self, name: str, index: int, shape: tuple[int, ...], tail: tuple[SourceNode, ...]) -> ModelOutput | None:
        """The model's output ``name``: tensor ``index`` of the hardware, then ``tail``; None where it was refused."""
        try:
            steps = software_steps(tail, shape, self.source.opset, self.source.constants)
        except RefusedStep as refusal:
            self._report(refusal.node, str(refusal))
            return None
        return ModelOutput(shown(name), index, shape, steps)

    def raise_issues(self) -> None:
        """Raise one error for everything that was refused."""
        if self.issues:
            count = len(self.issues)
            what = (
                f"the node {self.issues[0].node!r}"
                if count == 1
                else f"{count} nodes, the first {self.issues[0].node!r},"
            )
            raise ModelError(
                f"the model cannot become hardware because of {what} ({self.issues[0].operator}): "
                f"{self.issues[0].reason}",
                kind="unsupported-model",
                issues=self.issues[:MAX_ISSUES],
            )

    def _input(self, declared: SourceInput) -> None:
        """The batch axis has size 1; a graph input's stream starts in ONNX order (canonicalisation may change it)."""
        sizes = declared.shape
        batched = bool(sizes) and (sizes[0] in (1, None))
        sample = sizes[1:] if batched else sizes
        if not batched and len(sizes) > 1:
            raise ModelError(
                f"the input {shown(declared.name)!r} has the shape {tuple(sizes)}; its first axis must be a batch of 1 "
                f"or dynamic. If {sizes[0]} is a batch size, export with 1 or a dynamic batch axis; if it counts "
                "something else (layers of a state, channels), put a batch axis of 1 before it"
            )
        if any(s is None for s in sample):
            raise ModelError(
                f"the input {shown(declared.name)!r} has a dynamic axis besides the batch; "
                "export with a fixed size (sequence length, image size)"
            )
        shape = tuple(s for s in sample if s is not None)
        view = plain_view("", (1, *shape) if batched else shape)
        self.builder.source = declared.name
        node = self.builder.emit(Input(shape or (1,)), [])
        order = tuple(range(len(shape)))
        self.inputs.append(InputLayout(node, shown(declared.name), shape, order, declared.integer))
        self.values[declared.name] = View(node, view.sizes, view.dims)

    def _operand_types(self, node: SourceNode) -> tuple[str | None, ...]:
        """Element types of a node's operands, None where one is left out."""
        return tuple(self._type_of(name) if name else None for name in node.inputs)

    def _type_of(self, name: str) -> str:
        value, kind = self.values[name], self._types[name]
        return of_array(value.array) if kind == UNKNOWN and isinstance(value, Const) else kind

    def _imported(self, node: SourceNode) -> tuple[Value, ...]:
        inputs = tuple(self.values[name] if name else None for name in node.inputs)
        if any(isinstance(value, Poison) for value in inputs):
            self._check_known(node)
            return (Poison(),) * len(node.outputs)
        try:
            return self._for_all_outputs(node, self._folded(node, inputs) or self._handled(node, inputs))
        except (Refused, IllegalGraph) as refusal:
            self._report(node, str(refusal))
        except ValueError as error:  # numpy: operands that do not broadcast
            self._report(node, f"its operands do not fit together: {shown(str(error))}")
        return stand_ins(node, self.source.opset, inputs, self._operand_types(node), self.builder)

    def _folded(self, node: SourceNode, inputs: tuple[Value | None, ...]) -> tuple[Value, ...] | None:
        arrays = [v.array if isinstance(v, Const) else None for v in inputs]
        if any(v is not None and a is None for v, a in zip(inputs, arrays, strict=True)):
            return None
        folded = self._folder.fold(node, arrays, self._operand_types(node))
        return None if folded is None else tuple(Const(a) for a in folded)

    def _handled(self, node: SourceNode, inputs: tuple[Value | None, ...]) -> tuple[Value, ...]:
        handler = HANDLERS.get(node.operator)
        if handler is None:
            raise Refused(
                "this operator has no hardware form here; replace it in the model, or end the model before it"
            )
        types = self._operand_types(node)
        activations = [None if isinstance(v, Const) else t for v, t in zip(inputs, types, strict=True)]
        check(handler, node, self.source.opset, activations)
        opset, producers = self.source.opset, self._producers
        call = Call(node, inputs, types, opset, self.builder, self.expressions, self.values, producers)
        result = handler.function(call)
        return result if isinstance(result, tuple) else (result,)

    def _for_all_outputs(self, node: SourceNode, results: tuple[Value, ...]) -> tuple[Value, ...]:
        """The results, with nothing in place of further outputs that nobody reads.

        Raises:
            Refused: an output is read that has no form here.
        """
        missing = node.outputs[len(results) :]
        wanted = next((name for name in missing if name in self._read), None)
        if wanted is not None:
            raise Refused(f"its output {shown(wanted)!r} has no hardware form; use the first output only")
        return (*results[: len(node.outputs)], *(Poison() for _ in missing))

    def _check_known(self, node: SourceNode) -> None:
        """A node behind a refused one is still reported where its operator is unknown, so that one upload shows all."""
        if node.operator not in HANDLERS:
            self._report(
                node, "this operator has no hardware form here; replace it in the model, or end the model before it"
            )

    def _report(self, node: SourceNode, reason: str) -> None:
        self.issues.append(NodeIssue(shown(node.name), shown(node.operator), reason))
