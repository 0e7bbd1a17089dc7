"""Distillation: what trained networks answer, as targets to learn from (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nncore.data.dataset import Dataset
from nncore.errors import ConfigError
from nncore.network import Network
from nncore.prediction import Predictor


def with_answers(data: Dataset, teachers: Sequence[Network], share: float = 0.5) -> Dataset:
    """The data with targets of which `share` is the mean of the teachers' probabilities, and the rest what the targets were.

    Raises ConfigError where there are no teachers, where the share is not from 0 to 1, or where images or classes do not fit.
    """
    if not teachers or not 0 <= share <= 1:
        raise ConfigError(f"Targets take the answers of one network or more, and a share from 0 to 1, not {share!r:.40}.")
    classes = (len(data.class_names),)
    if any(teacher.output_shape != classes for teacher in teachers):
        raise ConfigError(f"A teacher of {data.name} must tell its {classes[0]} classes apart, and no more.")
    answers = sum(Predictor(teacher).predict(data.images).astype(np.float64) for teacher in teachers) / len(teachers)
    targets = share * answers + (1 - share) * data.soft_targets()
    return replace(data, targets=targets.astype(np.float32))
