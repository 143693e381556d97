"""What one wish of a user means for every node: formats, lanes and devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hwgen.lowering.lanes import Lanes
from hwgen.lowering.space import cut_points, lane_choices
from hwgen.model.graph import Graph

Formats: TypeAlias = str | Mapping[str, str]
LaneWish: TypeAlias = int | Mapping[str, tuple[int, int]]
Placement: TypeAlias = int | Mapping[str, int]

DEFAULT_FORMAT = "int8"


def formats_of(wanted: Formats, nodes: Sequence[str], what: str) -> dict[str, str]:
    """The format of each of ``nodes``.

    Args:
        wanted: the text of all, or by node; one left out has ``DEFAULT_FORMAT``.
        nodes: those that have such a format.
        what: the argument's name, for messages.

    Raises:
        ValueError: an unknown node.
    """
    if isinstance(wanted, str):
        return dict.fromkeys(nodes, wanted)
    _known(wanted, nodes, what)
    return dict.fromkeys(nodes, DEFAULT_FORMAT) | dict(wanted)


def lanes_of(graph: Graph, wanted: LaneWish, blocks: Sequence[int]) -> dict[str, Lanes]:
    """The lanes of every node that has some.

    Args:
        graph: the model.
        wanted: the most on either side of each node, which takes the largest legal number up to it; or by node exactly
            its lanes ``(in, out)``, where one left out has 1.
        blocks: lengths of the shared-exponent blocks in use.

    Raises:
        ValueError: an unknown node, or less than one lane.
    """
    choices = lane_choices(graph, blocks)
    if not isinstance(wanted, int):
        _known(wanted, list(choices), "lanes")
        return dict.fromkeys(choices, Lanes(1, 1)) | {name: Lanes(*pair) for name, pair in wanted.items()}
    if wanted < 1:
        raise ValueError(f"lanes are 1 or more, not {wanted}")
    return {
        name: Lanes(*(max(n for n in side if n <= wanted) for side in (choice.in_lanes, choice.out_lanes)))
        for name, choice in choices.items()
    }


def devices_of(graph: Graph, wanted: Placement) -> dict[str, int]:
    """The device of each placeable node.

    Args:
        graph: the model.
        wanted: how many devices, each with about the same work, in order of the graph; or by node the index of its
            device, 0 for one left out.

    Raises:
        ValueError: an unknown node, or a number of devices that leaves one without a node.
    """
    points = cut_points(graph)
    if not isinstance(wanted, int):
        _known(wanted, points, "devices")
        return dict.fromkeys(points, 0) | dict(wanted)
    if not 1 <= wanted <= len(points):
        raise ValueError(f"this model takes 1 to {len(points)} devices, not {wanted}")
    nodes = [graph.node(name) for name in points]
    work = [graph.macs(n) + n.shape.elements for n in nodes]
    before = [sum(work[:index]) + work[index] / 2 for index in range(len(work))]
    return {name: int(done * wanted / sum(work)) for name, done in zip(points, before, strict=True)}


def _known(names: Mapping[str, object], nodes: Sequence[str], what: str) -> None:
    unknown = sorted(set(names) - set(nodes))
    if unknown:
        raise ValueError(f"{what} are given for {unknown}; they can be chosen for {list(nodes)}")
