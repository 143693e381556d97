"""The key of stored evaluations changes with whatever could change an evaluation, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.provenance import evaluation_key, toolchain_digest

SPEC = {"model": "sha256:m", "dataset": None, "metric": None, "search": {"seed": 1, "trials": 5}, "labels": {"a": "b"}}


def test_the_source_of_the_evaluator_in_use_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "own_evaluator"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "evaluate.py").write_text("FACTOR = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = toolchain_digest("own_evaluator.evaluate:Own")
    toolchain_digest.cache_clear()
    assert toolchain_digest("own_evaluator.evaluate:Own") == before
    toolchain_digest.cache_clear()
    (package / "evaluate.py").write_text("FACTOR = 2")
    assert toolchain_digest("own_evaluator.evaluate:Own") != before


def test_what_only_steers_the_search_is_not_in_the_key() -> None:
    key = evaluation_key(SPEC, "sha256:c", "t")
    longer = {**SPEC, "search": {"seed": 1, "trials": 500}, "labels": {}}
    assert evaluation_key(longer, "sha256:c", "t") == key
    assert evaluation_key({**SPEC, "space": {"max_lanes": 8}}, "sha256:c", "t") == key


@pytest.mark.parametrize(
    "change",
    [
        {"model": "sha256:n"},
        {"dataset": "sha256:d"},
        {"metric": "mse"},
        {"search": {"seed": 2}},
        {"constraints": [{"metric": "est_lut", "max": 1}]},
        {"platform": {"clock_mhz": 300.0}},
        {"simulation": {"samples": 9}},
        {"space": {"rounding": "half_even"}},
        {"space": {"per_channel": False}},
    ],
)
def test_what_an_evaluation_depends_on_is_in_the_key(change: dict[str, object]) -> None:
    assert evaluation_key({**SPEC, **change}, "sha256:c", "t") != evaluation_key(SPEC, "sha256:c", "t")
    assert evaluation_key(SPEC, "sha256:other", "t") != evaluation_key(SPEC, "sha256:c", "t")
    assert evaluation_key(SPEC, "sha256:c", "u") != evaluation_key(SPEC, "sha256:c", "t")
