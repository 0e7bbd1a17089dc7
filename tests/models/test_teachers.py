"""Recipes with teachers: what is trained first, and what is learned of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.presets import preset
from models.recipes import RECIPES, Recipe
from nncore.data import synthetic
from nncore.data.dataset import Dataset
from nncore.layers import Flatten, Linear
from nncore.training.config import TrainConfig
from nncore.weights import load_weights
from scripts.ship_weights import LAST, trained_by


class Drawn(Recipe):
    """A recipe whose images need no files."""

    def datasets(self) -> tuple[Dataset, Dataset]:
        return synthetic("train", 200), synthetic("test", 50)


def same(data: Dataset) -> Dataset:
    return data


CONFIG = TrainConfig(epochs=1, batch_size=10, validation=20)
FIRST = Drawn("two-layer", "synthetic", 50, "nothing", same, CONFIG, "none")
OTHER = replace(FIRST, layers=lambda: [Flatten(), Linear(10)])


def test_teachers_are_trained_first_and_what_goes_on_begins_as_the_first_of_them(tmp_path):
    still = replace(CONFIG, learning_rate=1e-9)
    folder = trained_by("small", replace(FIRST, config=still, teachers=(FIRST, OTHER), goes_on=True), 3, tmp_path)
    first, other = (load_weights(tmp_path / f"small-teacher{n}-3" / LAST)[0] for n in (1, 2))
    assert other.parameter_count == 7850 and folder == tmp_path / "small-3"
    begun = preset("two-layer").build(3).state_dict()
    for name, values in load_weights(folder / LAST)[0].state_dict().items():
        np.testing.assert_allclose(values, first.state_dict()[name], atol=1e-6)
        assert not np.allclose(values, begun[name], atol=1e-4)


def test_teachers_of_other_seeds_are_trained_too_and_it_goes_on_from_that_of_its_own(tmp_path):
    still = replace(CONFIG, learning_rate=1e-9)
    folder = trained_by("small", replace(FIRST, config=still, teachers=(FIRST,), teacher_seeds=(0, 1), goes_on=True), 1, tmp_path)
    zero, one = (load_weights(tmp_path / f"small-teacher1-{seed}" / LAST)[0].state_dict() for seed in (0, 1))
    for name, values in load_weights(folder / LAST)[0].state_dict().items():
        np.testing.assert_allclose(values, one[name], atol=1e-6)
        assert not np.allclose(values, zero[name], atol=1e-4)


def test_what_is_there_is_not_trained_again(tmp_path):
    folder = trained_by("small", FIRST, 0, tmp_path)
    before = (folder / LAST).stat().st_mtime_ns
    assert trained_by("small", FIRST, 0, tmp_path) == folder and (folder / LAST).stat().st_mtime_ns == before
    trained_by("small", replace(FIRST, teachers=(OTHER,)), 0, tmp_path)
    assert not (tmp_path / "small-teacher1-0").exists()


def test_answers_of_teachers_change_what_is_learned(tmp_path):
    alone, taught = (
        load_weights(trained_by(name, replace(FIRST, teachers=teachers), 0, tmp_path) / LAST)[0]
        for name, teachers in (("alone", ()), ("taught", (OTHER,)))
    )
    assert any(not np.array_equal(values, taught.state_dict()[name]) for name, values in alone.state_dict().items())


def test_where_nothing_is_taught_it_goes_on_by_the_labels_alone(tmp_path):
    def run(name: str, **changed: object) -> dict[str, np.ndarray]:
        recipe = replace(FIRST, teachers=(FIRST,), goes_on=True, **changed)
        return load_weights(trained_by(name, recipe, 0, tmp_path) / LAST)[0].state_dict()

    untaught, by_labels, taught = (run("a", taught=0.0), run("b", taught=0.0, teacher_seeds=(0, 1)), run("c"))
    assert all(np.array_equal(values, by_labels[name]) for name, values in untaught.items()), "whoever teaches"
    assert any(not np.array_equal(values, taught[name]) for name, values in untaught.items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_teachers_hold_out_the_same_images_and_know_the_same_classes(recipe):
    for teacher in recipe.teachers:
        assert (teacher.data, teacher.held_out, teacher.by_photograph) == (recipe.data, recipe.held_out, recipe.by_photograph)
        assert teacher.build(0).output_shape == recipe.build(0).output_shape == (10,)
        test_teachers_hold_out_the_same_images_and_know_the_same_classes(teacher)
    if recipe.goes_on:
        assert recipe.teachers[0].build(0).config() == recipe.build(0).config()
