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

from hwgen.hardware.platform import Platform
from hwgen.lowering import lower
from hwgen.model.graph import Graph
from hwgen.model.kinds.clamps import Clip
from hwgen.model.kinds.concat import Concat
from hwgen.model.kinds.layout import Permute
from hwgen.model.kinds.pointwise import Pointwise
from hwgen.model.kinds.pools import AveragePool, MaxPool
from hwgen.model.kinds.slice import Slice
from hwgen.model.kinds.sources import Constant
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
    most = maker.put(MaxPool((2, 2), (2, 2), (0, 0, 0, 0), (1, 1), True), deep)
    mean = maker.put(AveragePool((2, 2), (2, 2), (0, 0, 0, 0), (1, 1), True, False), conv)
    clip = maker.put(Clip(0.0, 0.5), most)
    table = maker.put(Pointwise("silu", 0.0), mean)
    gate = maker.put(AveragePool((3, 4), (1, 1), (0, 0, 0, 0), (1, 1), False, False), clip)
    gated = maker.mul(table, gate)
    moved = maker.add(gated, maker.put(Constant(), value=maker.normal(8)))
    tall = maker.put(Concat(0), maker.put(Constant(), value=maker.normal(1, 4, 8)), moved)
    turned = maker.put(Permute((8, 8), (1, 0), (8, 8)), maker.put(Slice(0, 1, 3), tall))
    half = maker.put(Slice(1, 4, 8), turned)
    return maker.graph(maker.linear(maker.flatten(maker.concat(half, turned)), 5))


NETWORKS: dict[str, Callable[[], Graph]] = {
    **{f"random {seed}": lambda seed=seed: random_network(seed) for seed in range(8)},  # type: ignore[misc]
    **{f"transformer {seed}": lambda seed=seed: transformer(seed, 9, 2) for seed in range(2)},  # type: ignore[misc]
    **{f"image {seed}": lambda seed=seed: image_network(seed) for seed in range(2)},  # type: ignore[misc]
}
PLATFORM = Platform.connected("ring", ("left", "right"), bandwidth_gbps=10, latency_ns=100, clock_mhz=200)


def fingerprint(graph: Graph, weight: str, devices: int) -> list[str]:
    sample = random_candidate(graph, 1, devices=devices, weight=weight)
    design = lower(sample.quantized, sample.lanes, sample.devices, PLATFORM)
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
