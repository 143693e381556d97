"""A candidate: three frozen plans, and how its graph is split, with one canonical JSON form and one content hash.

The plans name nodes of the imported graph (``hwgen.model.graph.Graph``), never RTL instances, so a candidate
means the same thing to every tool version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Place: TypeAlias = int | tuple[int, ...]  # the device of a node, or of each of its shards
TENSOR = "tensor"


@dataclass(frozen=True)
class NodeFormats:
    """Number formats of one node: its weights (None when it has none) and its output activations.

    A format is written as text: ``int4`` / ``uint8`` (the scale is calibrated) or ``mxint4b16``
    (mantissa bits, block length along the reduction).
    """

    weight: str | None
    activation: str


@dataclass(frozen=True)
class NodeLanes:
    """Elements a node takes and gives per cycle; both divide the node's feature counts."""

    in_lanes: int
    out_lanes: int


@dataclass(frozen=True)
class Candidate:
    """One point of the design space.

    Attributes:
        quantization: node name -> formats.
        parallelism: node name -> lanes.
        partition: node name -> device index, in the order of the platform's device list; for a node that is split, the
            device of each shard.
        structure: how the graph is split: ``{"tensor": ways}`` or nothing.
    """

    quantization: Mapping[str, NodeFormats]
    parallelism: Mapping[str, NodeLanes]
    partition: Mapping[str, Place]
    structure: Mapping[str, int] = field(default_factory=dict)

    @property
    def ways(self) -> int:
        """Shards of every group of products that is split; 1: none is."""
        return self.structure.get(TENSOR, 1)

    def to_json(self) -> dict[str, Any]:
        """The candidate as the ``candidate`` object of the HTTP contract."""
        data: dict[str, Any] = {
            "quantization": {
                name: {"weight": f.weight, "activation": f.activation} for name, f in sorted(self.quantization.items())
            },
            "parallelism": {
                name: {"in_lanes": p.in_lanes, "out_lanes": p.out_lanes} for name, p in sorted(self.parallelism.items())
            },
            "partition": {n: p if isinstance(p, int) else list(p) for n, p in sorted(self.partition.items())},
        }
        # Left out where nothing is split: such candidates keep the digests that they have always had.
        return data | {"structure": dict(sorted(self.structure.items()))} if self.structure else data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Candidate:
        """Inverse of ``to_json``; raises KeyError or TypeError on another shape of data."""
        return Candidate(
            quantization={n: NodeFormats(q["weight"], q["activation"]) for n, q in data["quantization"].items()},
            parallelism={n: NodeLanes(int(p["in_lanes"]), int(p["out_lanes"])) for n, p in data["parallelism"].items()},
            partition={
                n: tuple(int(d) for d in p) if isinstance(p, list) else int(p) for n, p in data["partition"].items()
            },
            structure={name: int(ways) for name, ways in data.get("structure", {}).items()},
        )

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, as ``sha256:<hex>``."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
