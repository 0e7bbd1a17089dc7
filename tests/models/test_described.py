"""Networks of the user's own: made from a description, as a preset is made from code."""

from __future__ import annotations

import numpy as np
import pytest

from models.presets import PRESETS, PUBLISHED, RECOMMENDED, TEMPLATES, described
from nncore.errors import ConfigError


@pytest.mark.parametrize("name", PRESETS)
def test_a_described_network_is_the_one_that_was_described(name):
    first = PRESETS[name].build(3)
    again = described("mine", first.config()).build(3)
    assert again.config() == first.config()
    assert all(np.array_equal(value, again.state_dict()[key]) for key, value in first.state_dict().items())


def test_it_has_one_recipe():
    mine = described("mine", PRESETS["svhn-lenet"].build().config())
    assert mine.is_own and mine.templates == TEMPLATES[:1]
    assert mine.recipe(RECOMMENDED) == PRESETS["mnist-cnn"].training
    with pytest.raises(ConfigError, match="published"):
        mine.recipe(PUBLISHED)


def test_images_of_another_size_are_taken_where_the_layers_can_work_on_them():
    mine = described("mine", PRESETS["mnist-cnn"].build().config())
    assert mine.fits((28, 28, 1)) and mine.fits((32, 32, 3)) and not mine.fits((3, 3, 1))
    assert mine.build(0, (32, 32, 3)).input_shape == (32, 32, 3) and mine.build().input_shape == (28, 28, 1)


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"input_shape": [28, 28, 1], "layers": []},
        {"input_shape": [28, 28, 1], "layers": [{"type": "Linear", "out_features": 10}]},
        {"input_shape": [28, 28, 1], "layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10_000_000}]},
    ],
)
def test_what_describes_no_network_is_refused(description):
    with pytest.raises(ConfigError):
        described("mine", description)
