"""ONNX description to IR graph: one pass over the nodes, every refusal collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.errors import IllegalGraph, ModelError, NodeIssue
from hwgen.model.graph import Graph, InputLayout, OutputLayout
from hwgen.model.kinds.sources import Input
from hwgen.model.onnx import einsum, elementwise, functions, layout, matrix, normalization, reduction, windows
from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.canonical import canonical
from hwgen.model.onnx.expression import Expressions
from hwgen.model.onnx.folding import Folder
from hwgen.model.onnx.source import Source, SourceInput, SourceNode, shown
from hwgen.model.onnx.tail import split_tail
from hwgen.model.onnx.values import Const, Expr, Poison, Refused, Value
from hwgen.model.onnx.view import View, plain_view
from hwgen.model.verify import verify_imported

HANDLERS: Handlers = {
    **einsum.HANDLERS,
    **elementwise.HANDLERS,
    **functions.HANDLERS,
    **layout.HANDLERS,
    **matrix.HANDLERS,
    **normalization.HANDLERS,
    **reduction.HANDLERS,
    **windows.HANDLERS,
}
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
    walk.raise_issues()
    graph = Graph(
        tuple(walk.builder.nodes.values()),
        tuple(walk.inputs),
        tuple(o for o in outputs if o is not None),
        tuple(tail.software),
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
        self._folder = Folder()
        self._producers: Mapping[str, SourceNode] = {o: n for n in self.source.nodes for o in n.outputs if o}
        for declared in self.source.inputs:
            self._input(declared)

    def run(self, nodes: tuple[SourceNode, ...]) -> None:
        """Import the nodes in order."""
        for node in nodes:
            self.builder.source = node.name
            results = self._imported(node)
            for name, value in zip(node.outputs, results, strict=False):
                if name:
                    self.values[name] = value

    def output(self, name: str) -> OutputLayout | None:
        """How the output tensor ``name`` is read from the stream of its node; None where it was refused."""
        value = self.values.get(name, Poison())
        self.builder.source = name
        if isinstance(value, Poison):
            return None
        if not isinstance(value, View | Expr):
            raise ModelError(f"the output {shown(name)!r} does not depend on an input, or is padded or masked data")
        try:
            view = value if isinstance(value, View) else self.expressions.view(value)
        except Refused as refusal:
            self._report(self._producers[name], str(refusal))
            return None
        shape = view.shape[1:] if view.shape and view.shape[0] == 1 else view.shape
        return OutputLayout(view.node, shown(name), shape, view.sizes, view.sequence)

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
                f"the input {shown(declared.name)!r} has the fixed batch size {sizes[0]}; "
                "export with batch size 1 or a dynamic batch axis"
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

    def _imported(self, node: SourceNode) -> tuple[Value, ...]:
        inputs = tuple(self.values.get(name) if name else None for name in node.inputs)
        if any(isinstance(value, Poison) for value in inputs):
            self._check_known(node)
            return (Poison(),) * len(node.outputs)
        try:
            return self._folded(node, inputs) or self._handled(node, inputs)
        except (Refused, IllegalGraph) as refusal:
            self._report(node, str(refusal))
        except ValueError as error:  # numpy: operands that do not broadcast
            self._report(node, f"its operands do not fit together: {shown(str(error))}")
        return (Poison(),) * len(node.outputs)

    def _folded(self, node: SourceNode, inputs: tuple[Value | None, ...]) -> tuple[Value, ...] | None:
        arrays = [v.array if isinstance(v, Const) else None for v in inputs]
        if any(v is not None and a is None for v, a in zip(inputs, arrays, strict=True)):
            return None
        folded = self._folder.fold(node, arrays)
        return None if folded is None else tuple(Const(a) for a in folded)

    def _handled(self, node: SourceNode, inputs: tuple[Value | None, ...]) -> tuple[Value, ...]:
        handler = HANDLERS.get(node.operator)
        if handler is None:
            raise Refused(
                "this operator has no hardware form here; replace it in the model, or end the model before it"
            )
        call = Call(node, inputs, self.source.opset, self.builder, self.expressions, self.values, self._producers)
        result = handler(call)
        return result if isinstance(result, tuple) else (result,)

    def _check_known(self, node: SourceNode) -> None:
        """A node behind a refused one is still reported where its operator is unknown, so that one upload shows all."""
        if node.operator not in HANDLERS:
            self._report(
                node, "this operator has no hardware form here; replace it in the model, or end the model before it"
            )

    def _report(self, node: SourceNode, reason: str) -> None:
        self.issues.append(NodeIssue(shown(node.name), shown(node.operator), reason))
