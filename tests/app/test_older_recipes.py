"""Recipes that an earlier version kept for the next start."""

from __future__ import annotations

import pytest

from app.core.recipe import Recipe
from models.presets import PRESETS


@pytest.mark.parametrize(
    ("network", "kept", "schedule", "decay"),
    [
        ("two-layer", {}, "exponential", 0.95),
        ("two-layer", {"epoch_decay": 0.8}, "exponential", 0.8),
        ("two-layer", {"epoch_decay": 1.0}, "constant", 0.9),
        ("two-layer", {"epoch_decay": 1.0, "milestones": [5, 9]}, "steps", 0.9),
        ("two-layer", {"schedule": "cosine"}, "cosine", 0.95),
        ("mnist-cnn", {}, "steps", 0.9),
        ("mnist-cnn", {"milestones": []}, "constant", 0.9),
        ("mnist-cnn", {"milestones": [], "epoch_decay": 0.5}, "exponential", 0.5),
        ("mnist-mlp", {"schedule": "steps"}, "constant", 0.9),
        ("mlp", {"epoch_decay": 0.5}, "exponential", 0.5),
    ],
)
def test_a_recipe_that_an_earlier_version_kept_means_what_it_meant(network, kept, schedule, decay):
    recipe = Recipe.from_dict({"network": network, "settings": kept, "limit": None})
    assert (recipe.config.schedule, recipe.config.epoch_decay) == (schedule, decay)


@pytest.mark.parametrize("network", PRESETS)
def test_a_preset_that_nobody_had_changed_is_the_preset(network):
    assert Recipe.from_dict({"network": network, "settings": {}, "limit": None}) == Recipe.of(network)


def test_a_recipe_of_this_version_is_not_taken_for_an_earlier_one():
    recipe = Recipe.of("two-layer").with_settings(schedule="steps")
    assert Recipe.from_dict(recipe.as_dict()) == recipe
