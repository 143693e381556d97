"""Designs are made of the same operators and compute the same words as when they were recorded.

``fingerprints.json`` was recorded on the layout before kinds had classes. A change that means to alter designs records
it anew with ``python -m tests.hwgen.lowering.test_unchanged_designs`` and says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.lowering import LinkTiming, lower
from hwgen.model.graph import Graph, Op, Shape
from tests.hwgen.lowering.design_fingerprints import structure_digest, words_digest
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.networks import NetworkMaker, random_candidate, random_network

FILE = Path(__file__).with_name("fingerprints.json")


def image_network(seed: int) -> Graph:
    """Convolutions, pools, clamps, a table, broadcasts, constants: what an image classifier is made of."""
    maker = NetworkMaker(np.random.default_rng(seed))
    x = maker.input((6, 7), 4)
    conv = maker.conv(x, 8, (3, 3), groups=2)
    deep = maker.relu(maker.conv(conv, 8, (3, 3), groups=8))
    pool = {"kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0), "ceil_mode": True}
    most = maker._add(Op.MAX_POOL, (deep,), Shape((3, 4), 8), attributes={**pool, "dilations": (1, 1)})
    mean = maker._add(Op.AVERAGE_POOL, (conv,), Shape((3, 4), 8), attributes={**pool, "count_include_pad": False})
    clip = maker._add(Op.CLIP, (most,), Shape((3, 4), 8), attributes={"low": 0.0, "high": 0.5})
    table = maker._add(Op.POINTWISE, (mean,), Shape((3, 4), 8), attributes={"function": "silu", "alpha": 0.0})
    whole = {"kernel": (3, 4), "strides": (1, 1), "pads": (0, 0, 0, 0), "ceil_mode": False, "count_include_pad": False}
    gate = maker._add(Op.AVERAGE_POOL, (clip,), Shape((1, 1), 8), attributes=whole)
    gated = maker.mul(table, gate)
    row = maker._add(Op.CONSTANT, (), Shape((), 8), constants={"value": maker._normal(8)})
    moved = maker.add(gated, row)
    top = maker._add(Op.CONSTANT, (), Shape((1, 4), 8), constants={"value": maker._normal(1, 4, 8)})
    tall = maker._add(Op.CONCAT, (top, moved), Shape((4, 4), 8), attributes={"axis": 0})
    part = maker._add(Op.SLICE, (tall,), Shape((2, 4), 8), attributes={"axis": 0, "start": 1, "stop": 3})
    turned = maker._add(Op.PERMUTE, (part,), Shape((8,), 8), attributes={"view": (8, 8), "order": (1, 0)})
    half = maker._add(Op.SLICE, (turned,), Shape((8,), 4), attributes={"axis": 1, "start": 4, "stop": 8})
    return maker.graph(maker.linear(maker.flatten(maker.concat(half, turned)), 5))


NETWORKS: dict[str, Callable[[], Graph]] = {
    **{f"random {seed}": lambda seed=seed: random_network(seed) for seed in range(8)},  # type: ignore[misc]
    **{f"transformer {seed}": lambda seed=seed: transformer(seed, 9, 2) for seed in range(2)},  # type: ignore[misc]
    **{f"image {seed}": lambda seed=seed: image_network(seed) for seed in range(2)},  # type: ignore[misc]
}
LINKS = LinkTiming.of("ring", 2, 10.0, 100.0, 200.0)


def fingerprint(graph: Graph, weight: str, devices: int) -> list[str]:
    sample = random_candidate(graph, 1, devices=devices, weight=weight)
    design = lower(sample.quantized, sample.lanes, sample.devices, LINKS)
    return [structure_digest(design), words_digest(design, sample.inputs)]


def fingerprints(name: str) -> dict[str, list[str]]:
    graph = NETWORKS[name]()
    return {f"{name} {w} {n}": fingerprint(graph, w, n) for w, n in (("int4", 1), ("int7", 2))}


@pytest.mark.parametrize("name", NETWORKS)
def test_operators_and_words_are_those_recorded(name: str) -> None:
    recorded = json.loads(FILE.read_text())
    found = fingerprints(name)
    assert found == {key: recorded[key] for key in found}


if __name__ == "__main__":
    every = {key: value for name in NETWORKS for key, value in fingerprints(name).items()}
    FILE.write_text(json.dumps(every, indent=0, sort_keys=True) + "\n")
