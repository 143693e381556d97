"""Between arrays of the user and words of a design: the two ends of every simulation."""

from __future__ import annotations

from collections.abc import Mapping

from hwgen.hardware.design import Design
from hwgen.hardware.streams import Words
from hwgen.model.float_reference import apply_output_layout
from hwgen.model.graph import Graph
from hwgen.model.software import apply_tail
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import carrier, dequantize, quantize


def words_in(design: Design, tensors: Mapping[str, Array]) -> dict[str, Words]:
    """The words of every stream that enters a design, by stream name.

    Args:
        design: its entering streams have the names of the input nodes.
        tensors: per input node, ``(samples, *grid, features)`` real values or ids.
    """
    words = {}
    for stream in design.inputs:
        array = tensors[stream.name]
        shape = (len(array), stream.type.tokens, stream.type.features)
        words[stream.name] = Words(quantize(array, carrier(stream.type.format)).reshape(shape))
    return words


def output_arrays(graph: Graph, design: Design, words: Mapping[str, Words]) -> list[Array]:
    """The real values of the tensors that leave a design, ``(samples, *shape)``, before their software tails.

    Args:
        graph: the model of the design.
        design: its leaving streams are ``output0``, ``output1``, … in the order of ``graph.outputs``.
        words: of at least the leaving streams.
    """
    streams = {s.name: s for s in design.outputs}
    arrays = []
    for index, layout in enumerate(graph.outputs):
        name = f"output{index}"
        values = dequantize(words[name].elements, carrier(streams[name].type.format))
        arrays.append(apply_output_layout(layout, values))
    return arrays


def results_of(graph: Graph, design: Design, words: Mapping[str, Words]) -> dict[str, Array]:
    """The source model's outputs by its own names, ``(samples, *shape)``, behind their software tails; see above."""
    arrays = output_arrays(graph, design, words)
    return {result.name: apply_tail(result, arrays[result.index]) for result in graph.results}
