from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hwgen.formal.cells import FAULTS, FULL, QUICK
from tests.hwgen.formal.prove import Proof, covers, proves, refutes, write_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("formal")
    write_models([*QUICK, *FAULTS], directory)
    return directory


def names(proofs: Sequence[Proof]) -> list[str]:
    return [proof.name for proof in proofs]


@pytest.mark.parametrize("proof", QUICK, ids=names(QUICK))
def test_no_loss_no_duplicate_no_reorder(proof: Proof, models: Path) -> None:
    holds, log = proves(proof, models)
    assert holds, log[-3000:]


@pytest.mark.parametrize("proof", FAULTS, ids=names(FAULTS))
def test_planted_bug_is_caught(proof: Proof, models: Path) -> None:
    caught, log = refutes(proof, models)
    assert caught, log[-3000:]


@pytest.mark.parametrize("proof", QUICK[::4], ids=names(QUICK[::4]))
def test_the_pipeline_fills(proof: Proof, models: Path) -> None:
    reached, log = covers(proof, models)
    assert reached, log[-3000:]


@pytest.mark.slow
def test_every_size(tmp_path: Path) -> None:
    write_models(FULL, tmp_path)
    assert [proof.name for proof in FULL if not proves(proof, tmp_path)[0]] == []
