"""Small abstract design spaces for tests of the search."""

from explorer.candidate import NodeLanes
from explorer.encoding import Encoding
from explorer.space import NodeSpace, Space
from hwgen.lowering.balance import Option


def lanes(inputs, outputs):
    pairs = [(i, o) for i in (1, 2, 4, 8) for o in (1, 2, 4, 8) if inputs % i == 0 and outputs % o == 0]
    return tuple(
        Option(NodeLanes(i, o), inputs * outputs // (i * o), (10.0 * i * o + i, float(i * o))) for i, o in pairs
    )


def small_encoding(
    nodes=3, devices=2, weights=("int2", "int4", "int8"), activations=("int4", "int8"), first=(0,), cut_cycles=None
):
    made = [NodeSpace(f"n{i}", weights, activations, lanes(8 * (1 + i % 2), 8)) for i in range(nodes)]
    space = Space(tuple(made), tuple(n.name for n in made), devices, first)
    return Encoding(space, (1000.0, 64.0), cut_cycles or (0.0,) * nodes)
