"""The recipes of the networks that ship."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.presets import PRESETS, preset
from models.recipes import RECIPES
from models.shipped import WEIGHTS, cards
from nncore.layers import Linear
from nncore.training.config import TrainConfig
from nncore.weights import load_weights
from scripts.ship_weights import lineage


def test_every_recipe_has_a_preset_of_less_than_two_megabytes():
    for name, recipe in RECIPES.items():
        assert name == recipe.preset and name in PRESETS
        network = preset(name).build()
        assert 4 * network.parameter_count < 1_900_000
        assert isinstance(network.layers[-1], Linear)  # it takes the temperature


def test_the_recommended_recipe_is_of_the_kind_that_the_weights_come_from():
    for name, recipe in RECIPES.items():
        first = recipe
        while first.goes_on:
            first = first.teachers[0]
        own, shipped = preset(name).training.as_dict(), first.config.as_dict()
        assert {key for key in own if own[key] != shipped[key]} <= {"epochs", "augmentation", "validation", "validate_every"}
        going_on = recipe.config.as_dict()
        assert {key for key in shipped if shipped[key] != going_on[key]} <= {"epochs", "learning_rate", "augmentation"}


def test_images_that_are_held_out_are_no_part_of_what_is_learned_from(real_mnist):
    data, held_out = RECIPES["digitlab-mnist"].datasets()
    seen = {image.tobytes() for image in data.images}
    assert len(held_out) == 3000
    # Some of MNIST's images are there twice.
    assert sum(image.tobytes() in seen for image in held_out.images) < 5
    assert np.bincount(held_out.labels).min() > 250


def test_what_ships_is_what_its_recipe_says():
    for name, recipe in RECIPES.items():
        if name not in cards():
            continue
        card, (network, info) = cards()[name], load_weights(WEIGHTS / f"{name}.safetensors")
        assert network.config() == preset(name).build().config()
        assert TrainConfig.from_dict(card["config"]) == replace(recipe.config, seed=card["seed"])
        assert {key: card[key] for key in lineage(recipe)} == lineage(recipe)
        assert info["test_accuracy"] == card["test_accuracies"][str(card["seed"])] == card["test_accuracy"]
        assert card["calibration_error"] < min(card["calibration_error_before"], 0.02)
        page = (WEIGHTS / f"{name}.md").read_text("utf-8")
        assert f"{card['test_accuracy']:.2%}" in page and card["limits"] in page and card["command"] in page
