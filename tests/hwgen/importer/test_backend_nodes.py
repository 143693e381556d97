"""ONNX's own node tests: the importer may refuse one, but it never gets one wrong and never crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hwgen.importer.backend_nodes import NodeTest, Outcome, Result, node_tests, outcome, page, rewrites

PAGE = Path(__file__).parents[3] / "docs" / "onnx_operators.md"
EVERY = 3  # tests of the default suite: each third one, of every operator that has as many


def mistakes(results: list[Result]) -> list[str]:
    return [
        f"{r.outcome.value}: {r.test.name} ({r.detail})" for r in results if r.outcome in (Outcome.WRONG, Outcome.CRASH)
    ]


def test_a_third_is_equal_or_refused() -> None:
    results = [outcome(test) for test in node_tests()[::EVERY]]
    assert not mistakes(results)
    assert sum(r.outcome is Outcome.EQUAL for r in results) >= 100


@pytest.mark.slow
def test_all_are_equal_or_refused_as_the_page_says() -> None:
    results = [outcome(test) for test in node_tests()]
    assert not mistakes(results)
    assert page(results) == PAGE.read_text("utf-8"), "run `python -m tests.hwgen.importer.backend_nodes`"


def _named(name: str) -> NodeTest:
    return next(test for test in node_tests() if test.name == name)


def test_a_wrong_result_is_noticed() -> None:
    test = _named("test_relu")
    assert outcome(test).outcome is Outcome.EQUAL
    wrong = NodeTest(test.name, test.operator, test.model, test.inputs, (test.expected[0] + 1,), test.rtol)
    assert outcome(wrong).outcome is Outcome.WRONG


def test_rewrites_turn_inputs_to_constants_and_add_a_batch() -> None:
    """A convolution as shipped feeds its weight; a scalar function of three axes has no batch."""
    (weight_fed, *_), (as_shipped, batched) = (
        list(rewrites(_named(n))) for n in ("test_conv_with_strides_padding", "test_relu")
    )
    assert not weight_fed.model.graph.initializer
    descriptions = {r.description for r in rewrites(_named("test_conv_with_strides_padding"))}
    assert descriptions == {
        "0 initialisers",
        "0 initialisers, a batch axis",
        "1 initialisers",
        "1 initialisers, a batch axis",
    }
    assert [len(r.model.graph.node) for r in (as_shipped, batched)] == [1, 2]
