"""The temperature of a network's answers."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.calibration import fit_temperature, fold_temperature
from nncore.errors import ConfigError, DataError
from nncore.layers import Linear, ReLU
from nncore.losses import log_softmax, softmax
from nncore.network import Network


def answers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn by the very probabilities that they mean."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((count, 10))
    labels = (softmax(logits).cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return logits, np.minimum(labels, 9)


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_what_made_answers_too_sure_or_not_sure_enough(factor):
    logits, labels = answers(20_000)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.03)
    assert fit_temperature(log_softmax(factor * logits), labels) == pytest.approx(factor, rel=0.03)


def test_a_folded_temperature_scales_the_logits_and_changes_no_answer():
    network, x = Network([Linear(6), ReLU(), Linear(4)], (5,), 1), np.random.default_rng(0).random((7, 5), np.float32)
    before = network.forward(x).copy()
    fold_temperature(network, 2.5)
    np.testing.assert_allclose(network.forward(x), before / 2.5, rtol=1e-5, atol=1e-6)


def test_what_has_no_temperature_is_told():
    with pytest.raises(DataError, match="there are none"):
        fit_temperature(np.empty((0, 10)), np.empty(0, np.int64))
    with pytest.raises(ConfigError, match="last linear layer"):
        fold_temperature(Network([Linear(4), ReLU()], (5,), 0), 1.5)
    with pytest.raises(ConfigError, match="positive"):
        fold_temperature(Network([Linear(4)], (5,), 0), 0.0)
