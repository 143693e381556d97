"""Which of a model's outputs a job judges, and the targets of each."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.errors import DatasetError, SpecError
from explorer.spec import JobSpec
from hwgen.model.graph import Graph
from hwgen.model.outputs import ModelOutput
from hwgen.numbers.arrays import Array

TARGETS = "targets"
TARGET_PREFIX = "target_"


def judged_outputs(spec: JobSpec, graph: Graph) -> tuple[ModelOutput, ...]:
    """The output that the job names, or all of them.

    Raises:
        SpecError: the model has no output of that name; the message has the names that it has.
    """
    if spec.output is None:
        return graph.results
    found = tuple(r for r in graph.results if r.name == spec.output)
    if not found:
        names = ", ".join(r.name for r in graph.results)
        raise SpecError(
            "/output", f"the model has no output {spec.output!r}; use one of {names}, or leave it out for all"
        )
    return found


def is_target(array: str) -> bool:
    """Whether an array of a data set holds targets."""
    return array == TARGETS or array.startswith(TARGET_PREFIX)


def targets_of(judged: tuple[ModelOutput, ...], graph: Graph, arrays: Mapping[str, Array]) -> dict[str, Array] | None:
    """The targets of each judged output by its name; None for a data set without targets.

    ``target_<name>`` belongs to the output of that name; one whose name no array can have goes by its position among
    the model's outputs, ``target_0``. Where a single output is judged, ``targets`` is enough.

    Raises:
        DatasetError: there are targets, but not for every judged output.
    """
    if not arrays:
        return None
    found, missing = {}, []
    for output in judged:
        own = _array_name(output, graph)
        key = own if own in arrays or len(judged) > 1 else TARGETS
        if key in arrays:
            found[output.name] = arrays[key]
        else:
            missing.append({"array": key, "detail": f"is missing: the targets of the output {output.name!r}"})
    if missing:
        choice = ", or name one output of the model in the job's `output`" if len(judged) > 1 else ""
        raise DatasetError(f"give targets for every output that is judged{choice}", tuple(missing))
    return found


def _array_name(output: ModelOutput, graph: Graph) -> str:
    name = f"{TARGET_PREFIX}{output.name}"
    return name if name.isidentifier() else f"{TARGET_PREFIX}{graph.results.index(output)}"
