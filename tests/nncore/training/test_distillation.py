"""Targets from what trained networks answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.errors import ConfigError
from nncore.layers import Flatten, Linear
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.distillation import with_answers


def teacher(seed: int, classes: int = 10) -> Network:
    return Network([Flatten(), Linear(classes)], (28, 28, 1), seed)


def test_targets_are_partly_the_mean_answer_and_partly_what_they_were():
    data, teachers = synthetic(count=40), [teacher(1), teacher(2)]
    mean = sum(Predictor(each).predict(data.images) for each in teachers) / 2
    found = with_answers(data, teachers, 0.25)
    np.testing.assert_allclose(found.targets, 0.25 * mean + 0.75 * np.eye(10)[data.labels], atol=1e-6)
    np.testing.assert_array_equal(found.images, data.images)
    again = with_answers(found, teachers[:1], 1.0)
    np.testing.assert_allclose(again.targets, Predictor(teachers[0]).predict(data.images), atol=1e-6)
    soft = replace(data, targets=np.full((40, 10), 0.1, np.float32))
    np.testing.assert_allclose(with_answers(soft, teachers, 0.5).targets, mean / 2 + 0.05, atol=1e-6)


def test_teachers_must_know_the_same_classes():
    data = synthetic(count=10)
    for teachers, share in (([], 0.5), ([teacher(1)], 1.5)):
        with pytest.raises(ConfigError, match="one network or more"):
            with_answers(data, teachers, share)
    with pytest.raises(ConfigError, match="10 classes"):
        with_answers(data, [teacher(1), teacher(1, 11)])
