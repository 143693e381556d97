import numpy as np
import pytest

from explorer.errors import DatasetError
from explorer.quality import default_metric, measure

OUTPUTS = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 2.0], [1.0, 0.0, 5.0]])
FLOAT = np.array([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0], [1.0, 0.0, 5.0]])
TARGETS = np.array([0, 1, 1])


def test_top1_breaks_ties_as_argmax_does():
    assert measure("top1", OUTPUTS, FLOAT, TARGETS) == pytest.approx(2 / 3)
    assert measure("top1", OUTPUTS, FLOAT, TARGETS) == (OUTPUTS.argmax(1) == TARGETS).mean()


def test_top5():
    wide = np.tile(np.arange(10.0), (2, 1))
    assert measure("top5", wide, wide, np.array([5, 4])) == 0.5
    assert measure("top5", OUTPUTS, FLOAT, TARGETS) == 1.0


def test_perplexity_of_certain_and_uniform_models():
    assert measure("perplexity", np.zeros((4, 8)), np.zeros((4, 8)), np.arange(4)) == pytest.approx(8.0)
    certain = 100 * np.eye(4)
    assert measure("perplexity", certain, certain, np.arange(4)) == pytest.approx(1.0)


def test_perplexity_of_tokens_equals_that_of_rows():
    logits = np.random.default_rng(0).normal(size=(3, 5, 7))
    targets = np.arange(15).reshape(3, 5) % 7
    rows = measure("perplexity", logits.reshape(15, 7), logits.reshape(15, 7), targets.ravel())
    assert measure("perplexity", logits, logits, targets) == pytest.approx(rows)


def test_mse_cosine_agreement():
    assert measure("mse", OUTPUTS, FLOAT, None) == pytest.approx(1 / 9)
    assert measure("mse", OUTPUTS, FLOAT, OUTPUTS) == 0.0
    assert measure("cosine", OUTPUTS, 2 * OUTPUTS, None) == pytest.approx(1.0)
    assert measure("agreement", OUTPUTS, FLOAT, None) == pytest.approx(2 / 3)
    assert measure("agreement", np.array([[1.0], [-1.0]]), np.array([[2.0], [3.0]]), None) == 0.5


def test_defaults():
    assert default_metric(OUTPUTS, None) == "agreement"
    assert default_metric(OUTPUTS, TARGETS) == "top1"
    assert default_metric(OUTPUTS, OUTPUTS.astype(np.float32)) == "mse"


def test_unusable_targets_are_explained():
    with pytest.raises(DatasetError, match="add an array targets"):
        measure("top1", OUTPUTS, FLOAT, None)
    with pytest.raises(DatasetError, match="outside 0"):
        measure("top1", OUTPUTS, FLOAT, np.array([0, 1, 3]))
    with pytest.raises(DatasetError, match="whole numbers"):
        measure("top1", OUTPUTS, FLOAT, np.array([0.0, 0.7, 1.0]))
    assert measure("top1", OUTPUTS, FLOAT, TARGETS.astype(np.float32)) == measure("top1", OUTPUTS, FLOAT, TARGETS)
    with pytest.raises(DatasetError, match="one class index"):
        measure("top1", OUTPUTS, FLOAT, np.zeros((3, 2), np.int64))
