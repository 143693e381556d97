"""What whole models computed, and in how many cycles, when it was recorded: a change of structure leaves it as it is.

``python -m tests.models.test_fingerprints`` records ``fingerprints.json`` anew. A model that was trained elsewhere has
other weights, so its entry holds the digest of the model file and is compared only where that is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from hwgen.hardware.design import run_reference
from hwgen.model.load import import_file
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import simulate
from tests.hwgen.conformance.fingerprints import words_digest
from tests.models.cache import ModelFixture
from tests.models.candidate import Plan, candidate, graph_inputs, input_words
from tests.models.char_transformer import char_transformer
from tests.models.digits import digits_cnn, digits_mlp
from tests.models.mnist_conv import mnist_conv
from tests.models.tinyml import ds_cnn, resnet8

pytestmark = pytest.mark.slow

FILE = Path(__file__).with_name("fingerprints.json")
MODELS = {
    "digits_mlp": digits_mlp,
    "digits_cnn": digits_cnn,
    "mnist_conv": mnist_conv,
    "resnet8": resnet8,
    "ds_cnn": ds_cnn,
    "char_transformer": char_transformer,
}
PLANS = (Plan("int8", "int8", 4), Plan("int4", "int6", 8), Plan("mxint4b16", "mxint8b16", 2))
SAMPLES = 2
WIRING = ("dse_fifo", "dse_fork2", "dse_fork3", "dse_fork4")  # buffers come and go with the search for them


def fingerprint(fixture: ModelFixture, plan: Plan, cache: BuildCache) -> dict[str, object]:
    """Digests of every operator's words, and the cycles, of a model under one plan on one device."""
    graph = import_file(fixture.onnx).graph
    inputs = graph_inputs(graph, np.load(fixture.dataset)["inputs"])
    design = candidate(graph, plan, {name: array[:32] for name, array in inputs.items()})
    words = input_words(design, {name: array[:SAMPLES] for name, array in inputs.items()})
    expected = run_reference(design, words)
    measured = simulate(design, words, cache, expected=expected)
    assert measured.exact, measured.deadlock or measured.first_wrong
    return {
        "latency": measured.latency_cycles,
        "interval": measured.interval_cycles,
        "words": {
            i.name: words_digest({p: expected[design.out_of[i.name, p].name] for p in i.operator.outputs})
            for i in design.instances
            if i.operator.module not in WIRING
        },
    }


def _source(fixture: ModelFixture) -> str:
    return hashlib.sha256(fixture.onnx.read_bytes() + fixture.dataset.read_bytes()).hexdigest()[:16]


@pytest.mark.parametrize("plan", PLANS, ids=["int8", "int4", "mxint4"])
@pytest.mark.parametrize("name", MODELS)
def test_words_and_cycles_are_those_on_record(name: str, plan: Plan, build_cache: BuildCache) -> None:
    fixture = MODELS[name]()
    stored = json.loads(FILE.read_text())[f"{name} {plan.weights}"]
    found = fingerprint(fixture, plan, build_cache)
    if stored["model"] == _source(fixture):
        assert found == {key: stored[key] for key in found}
    else:  # trained anew: other words, but the same hardware takes the same time
        assert found["words"].keys() == stored["words"].keys()


def record(cache: BuildCache) -> None:
    """Write the fingerprints of all models under all plans."""
    entries = {}
    for name, make in MODELS.items():
        fixture = make()
        for plan in PLANS:
            entries[f"{name} {plan.weights}"] = {"model": _source(fixture), **fingerprint(fixture, plan, cache)}
            print(
                name, plan, entries[f"{name} {plan.weights}"]["latency"], entries[f"{name} {plan.weights}"]["interval"]
            )
    FILE.write_text(json.dumps(entries, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    record(BuildCache(Path(os.environ["HEADRACE_TEST_CACHE"])))
