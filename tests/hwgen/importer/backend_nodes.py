"""ONNX's own node tests through the importer and the float reference, each in several rewrites.

Most node tests feed weights, axes and shapes as inputs, and most have no batch axis. So each test is tried as shipped,
with all but some of its inputs turned to initialisers, and both again with a batch axis before every input that is left
and with its first output only.
"""

from __future__ import annotations

import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.model.float_reference import run
from hwgen.model.onnx.source import parse_onnx
from hwgen.model.onnx.walk import to_graph
from hwgen.numbers.arrays import Array

_NOTHING_COMPUTES = "nothing of this model becomes hardware"
_FAR_BELOW = -1e5


class Outcome(StrEnum):
    """What became of a node test; of several rewrites the first in this order counts."""

    CRASH = "crash"
    WRONG = "wrong"
    EQUAL = "equal"
    REFUSED = "refused"


@dataclass(frozen=True)
class NodeTest:
    """One of ONNX's node tests: a model with its own inputs and expected outputs."""

    name: str
    operator: str
    model: onnx.ModelProto
    inputs: tuple[Any, ...]
    expected: tuple[Any, ...]
    rtol: float


@dataclass(frozen=True)
class Rewrite:
    """A node test put another way: the same outputs are expected."""

    description: str
    model: onnx.ModelProto
    feeds: Mapping[str, Array]
    lowest: float = -np.inf  # outputs are limited to it and to the largest float


@dataclass(frozen=True)
class Result:
    """The outcome of a node test, and of the rewrite that decided it."""

    test: NodeTest
    outcome: Outcome
    detail: str


@cache
def node_tests() -> tuple[NodeTest, ...]:
    """All node tests of the installed ONNX, in its order."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases  # computes all expected outputs

        cases = collect_testcases("")
    return tuple(
        NodeTest(c.name, _operator(c.name, c.model), c.model, *map(tuple, c.data_sets[0]), c.rtol) for c in cases
    )


def _operator(name: str, model: onnx.ModelProto) -> str:
    """The operator under test; of a function written out in its parts the name of the test has to tell."""
    nodes = model.graph.node
    return nodes[0].op_type if len(nodes) == 1 else f"expanded {name.removeprefix('test_').split('_')[0]}"


def outcome(test: NodeTest) -> Result:
    """Run all rewrites of a test."""
    results = [_outcome_of(test, rewrite) for rewrite in rewrites(test)]
    return min(results, key=lambda r: list(Outcome).index(r.outcome))


def _outcome_of(test: NodeTest, rewrite: Rewrite) -> Result:
    try:
        graph = to_graph(parse_onnx(rewrite.model.SerializeToString()))
        if graph.software:
            return _outcome_of(test, _with_an_end(rewrite))
        found = run(graph, rewrite.feeds)
    except ModelError as error:
        if error.detail.startswith(_NOTHING_COMPUTES):
            return _outcome_of(test, _with_an_end(rewrite))
        return Result(test, Outcome.REFUSED, f"{rewrite.description}: {error.detail}")
    except Exception as error:  # a crash is what this looks for
        return Result(test, Outcome.CRASH, f"{rewrite.description}: {type(error).__name__}: {error}")
    if len(found) != len(rewrite.model.graph.output):
        return Result(test, Outcome.WRONG, f"{rewrite.description}: {len(found)} outputs")
    equal = all(_equal(a, _array(b), rewrite.lowest, test.rtol) for a, b in zip(found, test.expected, strict=False))
    return Result(test, Outcome.EQUAL if equal else Outcome.WRONG, rewrite.description)


def _equal(found: Array, expected: Array, lowest: float, rtol: float) -> bool:
    """Whether values agree; a batch axis of 1 may be left out or added."""
    if found.shape not in (expected.shape, (1, *expected.shape), expected.shape[expected.shape[:1] == (1,) :]):
        return False
    wanted = np.clip(np.asarray(expected).astype(np.float32), lowest, np.finfo(np.float32).max)
    rtol = max(rtol, 2e-2 if expected.dtype.name == "bfloat16" else 1e-4)  # real numbers here, 8 bits there
    return np.allclose(found.reshape(wanted.shape), wanted, rtol=rtol, atol=1e-5, equal_nan=True)


def rewrites(test: NodeTest) -> Iterator[Rewrite]:
    """The test as shipped and put otherwise."""
    arrays = [_array(value) for value in test.inputs]
    if not all(isinstance(array, np.ndarray) for array in arrays):
        yield Rewrite("as shipped", test.model, {})  # sequences, optionals: refused before anything is fed
        return
    names = [i.name for i in test.model.graph.input]
    values = dict(zip(names, arrays, strict=True))
    floats = [name for name in names if values[name].dtype.kind == "f"]
    for kept in dict.fromkeys([tuple(names), tuple(floats), *((name,) for name in names)]):
        constants = [name for name in names if name not in kept]
        for batched in (False, True):
            whole = _rewrite(test.model, values, constants, batched)
            yield whole
            if len(whole.model.graph.output) > 1:
                yield _first_output(whole)


def _first_output(rewrite: Rewrite) -> Rewrite:
    """The same, of whose outputs only the first is read."""
    copy = onnx.ModelProto()
    copy.CopyFrom(rewrite.model)
    del copy.graph.output[1:]
    return Rewrite(f"{rewrite.description}, first output", copy, rewrite.feeds)


def _array(value: object) -> object:
    """A fed value as an array where it is one; tensors of small types come as protobuf."""
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic) else value


def _rewrite(model: onnx.ModelProto, values: Mapping[str, Array], constants: Sequence[str], batched: bool) -> Rewrite:
    """Some inputs as initialisers; the others perhaps with an axis before them that a Reshape takes away again."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    kept = [i for i in graph.input if i.name not in constants]
    del graph.input[:]
    graph.initializer.extend(numpy_helper.from_array(values[name], name) for name in constants)
    feeds = {}
    for value in kept:
        array = values[value.name]
        if batched:
            _add_batch_axis(graph, value, array)
            feeds[f"batched_{value.name}"] = array[None]
        else:
            graph.input.append(value)
            feeds[value.name] = array if array.shape[:1] == (1,) else array[None]
    described = f"{len(constants)} initialisers{', a batch axis' if batched else ''}"
    return Rewrite(described, copy, feeds)


def _add_batch_axis(graph: onnx.GraphProto, value: onnx.ValueInfoProto, array: Array) -> None:
    kind = value.type.tensor_type.elem_type
    name = f"batched_{value.name}"
    graph.input.append(helper.make_tensor_value_info(name, kind, [1, *array.shape]))
    graph.initializer.append(numpy_helper.from_array(np.array(array.shape, dtype=np.int64), f"shape_{value.name}"))
    graph.node.insert(0, helper.make_node("Reshape", [name, f"shape_{value.name}"], [value.name]))


def _with_an_end(rewrite: Rewrite) -> Rewrite:
    """The model with its outputs limited far below: no last operator is left to software, and something computes."""
    copy = onnx.ModelProto()
    copy.CopyFrom(rewrite.model)
    graph = copy.graph
    graph.initializer.append(numpy_helper.from_array(np.array(_FAR_BELOW, np.float32), "far_below"))
    for output in graph.output:
        graph.node.append(helper.make_node("Max", [output.name, "far_below"], [f"{output.name}_limited"]))
        output.name = f"{output.name}_limited"
    return Rewrite(f"{rewrite.description}, limited", copy, rewrite.feeds, _FAR_BELOW)


def page(results: Sequence[Result]) -> str:
    """``docs/onnx_operators.md``: the counts by operator."""
    counts: dict[str, Counter[Outcome]] = {}
    for result in results:
        counts.setdefault(result.test.operator, Counter())[result.outcome] += 1
    total = sum(counts.values(), Counter())
    rows = [f"| {name} | {_cells(counts[name])} |" for name in sorted(counts) if counts[name][Outcome.EQUAL]]
    refused = [name for name in sorted(counts) if not counts[name][Outcome.EQUAL]]
    return _PAGE.format(
        version=onnx.__version__,
        tests=len(results),
        equal=total[Outcome.EQUAL],
        refusals=total[Outcome.REFUSED],
        wrong=total[Outcome.WRONG],
        crash=total[Outcome.CRASH],
        rows="\n".join(rows),
        refused=textwrap.fill(", ".join(refused), 118),
    )


def _cells(count: Counter[Outcome]) -> str:
    return " | ".join(str(count[o]) for o in (Outcome.EQUAL, Outcome.REFUSED, Outcome.WRONG, Outcome.CRASH))


_PAGE = """# ONNX's node tests

Written by `python -m tests.hwgen.importer.backend_nodes`. Each of the {tests} node tests of onnx {version}
goes through the importer and the float reference: as shipped, with all but some of its inputs turned to constants,
with a batch axis before its inputs, and with its first output only. The result is compared with the test's own
expected outputs. One wrong or crashed rewrite counts before an equal one, an equal one before refusals.

{equal} equal, {refusals} refused, {wrong} wrong, {crash} crashes. `expanded`: written out in other operators.

| operator | equal | refused | wrong | crashes |
| --- | --- | --- | --- | --- |
{rows}

Refused in every form:
{refused}.
"""


if __name__ == "__main__":
    Path("docs/onnx_operators.md").write_text(page([outcome(test) for test in node_tests()]), "utf-8")
