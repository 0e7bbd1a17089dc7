"""The recipe of the shortest training can be trained, and its figures are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.core import own_networks
from app.core.recipe_file import read_recipe
from benchmarks.shortest import RECIPE, trained
from nncore.data import synthetic
from nncore.training.config import TrainConfig


def test_the_recipe_that_is_kept_trains(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    recipe = read_recipe(RECIPE)
    config = replace(TrainConfig(**recipe.settings), epochs=1, validation=20, seed=3)
    found = trained(own_networks.find(recipe.network), config, synthetic("train", 200), synthetic("test", 50))
    assert found["seed"] == 3 and 0 <= found["accuracy"] <= 1 and found["seconds"] > 0 and recipe.data == "mnist"
