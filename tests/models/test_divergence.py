"""Every preset, and one by every optimizer: a training with a learning rate of 99 is stopped within 200 steps, in helpful words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.presets import PRESETS, PUBLISHED
from nncore.data.dataset import Dataset
from nncore.optimizers import OPTIMIZERS
from nncore.training.events import Failed
from nncore.training.trainer import Trainer

USUAL = ("sgd", "momentum", "adam")


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        *((name, optimizer) for name in PRESETS for optimizer in USUAL),
        *(("mnist-cnn", other) for other in OPTIMIZERS if other not in USUAL),
    ],
)
def test_a_rate_of_99(name, optimizer):
    """With the recipe of the preset's source, in small batches, which is quicker."""
    preset, rng = PRESETS[name], np.random.default_rng(0)
    shape = preset.input_shape if len(preset.input_shape) == 3 else (28, 28, 1)
    data = Dataset(rng.integers(256, size=(480, *shape), dtype=np.uint8), rng.integers(10, size=480), "noise")
    recipe = preset.recipe(PUBLISHED)
    config = replace(recipe, optimizer=optimizer, learning_rate=99.0, batch_size=min(16, recipe.batch_size))
    trainer = Trainer(preset.build(0, shape), data, config)
    with np.errstate(all="ignore"):
        *_, event = trainer.events()
    assert isinstance(event, Failed) and event.step <= 200
    assert "start again with a smaller learning rate, such as 0.0" in event.reason
    # Mostly those of step 0; two networks come back to the loss of guessing once. None after the last good loss is kept.
    assert trainer.best.step == event.kept_step <= event.since
    assert f"The weights of step {event.kept_step:,} are kept." in event.reason
