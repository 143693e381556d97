"""What stays in software: a final softmax, argmax or sigmoid, which changes no decision and needs no hardware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hwgen.model.onnx.declared import FLOATS
from hwgen.model.onnx.source import Source, SourceNode
from hwgen.model.onnx.type_names import type_name

REASONS = {
    "Softmax": "a final softmax does not change which class is largest",
    "LogSoftmax": "a final log-softmax does not change which class is largest",
    "Hardmax": "the largest class is read from the outputs in software",
    "ArgMax": "the largest class is read from the outputs in software",
    "Sigmoid": "a final sigmoid does not change the order of the outputs",
}
_TRANSPARENT = ("Identity", "Cast", "Squeeze", "Unsqueeze")
_CLASS_NUMBERS = ("ArgMax", "Hardmax")


@dataclass(frozen=True)
class Tail:
    """The graph without the operators that stay in software.

    Attributes:
        nodes: what becomes hardware.
        outputs: the tensors that are its outputs, without duplicates.
        results: for each output of the model its name, the tensor of ``outputs`` behind it, and the operators between.
    """

    nodes: tuple[SourceNode, ...]
    outputs: tuple[str, ...]
    results: tuple[tuple[str, str, tuple[SourceNode, ...]], ...]


def split_tail(source: Source) -> Tail:
    """Cut the operators that stay in software off the outputs."""
    producers = {name: node for node in source.nodes for name in node.outputs if name}
    results = []
    for name in dict.fromkeys(source.outputs):
        cut = _cut(name, producers)
        results.append((name, cut[-1].inputs[0] if cut else name, tuple(reversed(cut))))
    outputs = tuple(dict.fromkeys(tensor for _, tensor, _ in results))
    needed = _needed(outputs, producers)
    nodes = tuple(n for n in source.nodes if any(o in needed for o in n.outputs))
    return Tail(nodes, outputs, tuple(results))


def _cut(name: str, producers: Mapping[str, SourceNode]) -> list[SourceNode]:
    """The nodes from an output back to the last one that stays in software; none where there is no such node."""
    path: list[SourceNode] = []
    last = 0
    while name in producers and _stays(producers[name], producers):
        path.append(producers[name])
        last = len(path) if producers[name].operator in REASONS else last
        name = producers[name].inputs[0]
    return path[:last] if name in producers else []


def _stays(node: SourceNode, producers: Mapping[str, SourceNode]) -> bool:
    """Whether a node may stay in software; a Cast to integers only of class numbers, for it rounds anything else."""
    if not node.inputs or node.operator not in (*REASONS, *_TRANSPARENT):
        return False
    if node.operator != "Cast" or type_name(node.attributes.get("to", 0)) in FLOATS:
        return True
    before = producers.get(node.inputs[0])
    return before is not None and before.operator in _CLASS_NUMBERS


def _needed(outputs: Iterable[str], producers: Mapping[str, SourceNode]) -> set[str]:
    needed: set[str] = set()
    stack = list(outputs)
    while stack:
        name = stack.pop()
        if name in needed:
            continue
        needed.add(name)
        if name in producers:
            stack.extend(i for i in producers[name].inputs if i)
    return needed
