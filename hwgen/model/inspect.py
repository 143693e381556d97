"""``python -m hwgen.model.inspect FILE OUT [FIXED]``: parse an upload, write its canonical graph, describe it as JSON.

FIXED is a JSON object of ``shapes`` and ``freeze`` (``hwgen.model.load.import_file``). Prints one JSON object on
standard output and exits 0 for accepted and refused files alike; any other exit status is a crash or a limit. Runs as a
subprocess of its own, sandboxed and limited by whoever starts it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import ModelError
from hwgen.model.graph import Graph
from hwgen.model.kinds.families import Source
from hwgen.model.load import Imported, import_file
from hwgen.model.onnx.fixed import Unfit
from hwgen.model.outputs import ModelOutput
from hwgen.model.software import apply_tail


def main(arguments: Sequence[str]) -> int:
    """Run the command with FILE, OUT and perhaps FIXED; returns the exit status."""
    if len(arguments) not in (2, 3):
        print("usage: python -m hwgen.model.inspect FILE OUT [FIXED]", file=sys.stderr)
        return 2
    file, out, *fixed = map(Path, arguments)
    print(json.dumps(inspect(file, out, json.loads(fixed[0].read_text("utf-8")) if fixed else {})))
    return 0


def inspect(file: Path, out: Path, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``file``, write the canonical graph to ``out`` and describe both; a refusal is a description too.

    Args:
        file: what was uploaded.
        out: where the graph goes.
        fixed: ``shapes`` and ``freeze``, either or none.
    """
    try:
        imported = import_file(file, **fixed)
    except Unfit as error:
        place = {"pointer": "", "detail": str(error)}
        return {"ok": False, "type": "invalid-body", "detail": str(error), "errors": [place]}
    except ModelError as error:
        issues = [{"node": i.node, "operator": i.operator, "reason": i.reason} for i in error.issues]
        return {"ok": False, "type": error.kind, "detail": error.detail, "errors": issues}
    imported.graph.save(out)
    return description(imported)


def description(imported: Imported) -> dict[str, Any]:
    """What the HTTP contract says of a model."""
    graph = imported.graph
    operators = Counter(n.kind.name for n in graph.nodes if not isinstance(n.kind, Source))
    return {
        "ok": True,
        "format": imported.kind.value,
        "graph": {
            "parameters": imported.parameters,
            "macs_per_inference": sum(map(graph.macs, graph.nodes)),
            "inputs": [
                {"name": i.source, "shape": list(i.shape), "type": "int64" if i.integer else "float32"}
                for i in graph.inputs
            ],
            "outputs": [_output(graph, o) for o in graph.results],
            "operators": dict(sorted(operators.items())),
        },
        "software": [dict(s) for s in graph.software],
    }


def _output(graph: Graph, output: ModelOutput) -> dict[str, Any]:
    """Name, shape and type of one of the model's own outputs, as software leaves it."""
    made = apply_tail(output, np.zeros((1, *graph.outputs[output.index].shape), np.float32))
    return {"name": output.name, "shape": list(made.shape[1:]), "type": str(made.dtype)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
