"""The architectures of timm and torchvision in ``architectures.json``: what of them is accepted, and is it right?

``python -m tests.models.architectures`` writes ``docs/architectures.md``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

from hwgen.errors import ModelError
from hwgen.model.float_reference import run
from hwgen.model.load import import_file
from hwgen.numbers.arrays import Array
from tests.models.cache import cached

LIST = Path(__file__).with_name("architectures.json")
PAGE = Path(__file__).parents[2] / "docs" / "architectures.md"
SAMPLES = 2
# the largest difference, as a share of the largest output: float32 sums in another order
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Architecture:
    """One line of the list.

    Attributes:
        name: what the library calls it.
        library: ``timm`` or ``torchvision``.
        input: shape of one sample, channels first.
        accepted: whether the importer takes it.
        options: arguments of the library's constructor that make it fit the input.
    """

    name: str
    library: Literal["timm", "torchvision"]
    input: tuple[int, ...]
    accepted: bool
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of an architecture; ``reasons`` are operator and reason of every refused node."""

    architecture: Architecture
    state: Literal["equal", "wrong", "refused"]
    reasons: tuple[tuple[str, str], ...] = ()
    difference: float = 0.0


def architectures() -> tuple[Architecture, ...]:
    """The whole list, in its order."""
    return tuple(
        Architecture(**{**line, "input": tuple(line["input"])}) for line in json.loads(LIST.read_text("utf-8"))
    )


def by_name(name: str) -> Architecture:
    """One architecture."""
    return next(a for a in architectures() if a.name == name)


def onnx_file(architecture: Architecture) -> Path:
    """The exported model, made in a process of its own the first time."""
    sizes = "x".join(map(str, architecture.input))

    def make(target: Path) -> None:
        command = [sys.executable, "-m", "tests.models.export_architecture", architecture.name, str(target)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"{architecture.name} cannot be exported:\n{done.stderr[-4000:]}")

    return cached(f"{architecture.library}-{architecture.name}-{sizes}.onnx", make)


def outcome(architecture: Architecture) -> Outcome:
    """Import one architecture, and compare the float reference with onnxruntime on random inputs."""
    file = onnx_file(architecture)
    try:
        graph = import_file(file).graph
    except ModelError as error:
        issues = tuple((issue.operator, issue.reason) for issue in error.issues)
        return Outcome(architecture, "refused", issues or (("", error.detail),))
    (layout,) = graph.inputs
    samples = np.random.default_rng(0).normal(size=(SAMPLES, *architecture.input)).astype(np.float32)
    found = run(graph, {layout.source: samples})
    difference = largest_difference(found, onnxruntime_outputs(file, samples))
    return Outcome(architecture, "equal" if difference <= TOLERANCE else "wrong", (), difference)


def onnxruntime_outputs(file: Path, samples: Array) -> list[Array]:
    """Every output of an ONNX file at batch size 1, for each of the samples."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    answers = [session.run(None, {name: sample[None]}) for sample in samples]
    return [np.concatenate(parts) for parts in zip(*answers, strict=True)]


def largest_difference(found: Sequence[Array], expected: Sequence[Array]) -> float:
    """The largest difference of any output as a share of that output's largest value; infinite for a NaN."""
    shares = [np.abs(a.reshape(b.shape) - b).max() / np.abs(b).max() for a, b in zip(found, expected, strict=True)]
    return float(np.max(np.nan_to_num(shares, nan=np.inf)))


def page(outcomes: Sequence[Outcome]) -> str:
    """``docs/architectures.md``: the counts, and every architecture."""
    counts = Counter(o.state for o in outcomes)
    operators = Counter(op for o in outcomes for op in sorted({operator for operator, _ in o.reasons}))
    lines = [
        "# Architectures of timm and torchvision",
        "",
        "Written by `python -m tests.models.architectures`: the list `tests/models/architectures.json` with random",
        "weights, exported by `torch.onnx.export(dynamo=False)` at batch 1, imported, and compared with onnxruntime on",
        "random inputs. `make models` checks this page, and simulates one candidate (8 bits, at most 4 lanes on each",
        "side of an operator, one device) of every accepted architecture.",
        "",
        f"{counts['equal']} of {len(outcomes)} accepted and equal, {counts['refused']} refused, "
        f"{counts['wrong']} wrong.",
        "",
        "| operator that refuses | architectures |",
        "| --- | --- |",
        *(f"| {operator or 'the whole model'} | {count} |" for operator, count in operators.most_common()),
        "",
        "| architecture | library | input | result |",
        "| --- | --- | --- | --- |",
        *map(_row, outcomes),
    ]
    return "\n".join(lines) + "\n"


def _row(o: Outcome) -> str:
    sizes = "×".join(map(str, o.architecture.input))
    result = o.state
    if o.state == "refused":
        result += ": " + ", ".join(sorted({operator or reason for operator, reason in o.reasons}))
    return f"| {o.architecture.name} | {o.architecture.library} | {sizes} | {result} |"


def main() -> None:
    """Look at every architecture and write the page."""
    outcomes = []
    for architecture in architectures():
        outcomes.append(outcome(architecture))
        last = outcomes[-1]
        print(architecture.name, last.state, f"{last.difference:.1e}", *sorted(set(last.reasons))[:6], flush=True)
    PAGE.write_text(page(outcomes), "utf-8")


if __name__ == "__main__":
    main()
