"""The recipe: what the next training is, without any form."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.in_view import DataInView
from app.core.recipe import Recipe
from app.training import Status
from models.presets import PRESETS, PUBLISHED, RECOMMENDED
from nncore.data import Dataset, synthetic, synthetic_street
from nncore.data.augment import AUGMENTATIONS
from nncore.errors import ConfigError


def test_a_preset_brings_its_own_settings():
    for name, preset in PRESETS.items():
        assert Recipe.of(name).config == preset.training and Recipe.of(name).limit is None
    with pytest.raises(ConfigError, match="no-such"):
        Recipe.of("no-such")


def test_another_network_keeps_what_belongs_to_no_network():
    recipe = Recipe.of("mnist-cnn").with_settings(seed=7, augmentation=AUGMENTATIONS["light"], epochs=99).with_limit(500)
    other = recipe.with_network("svhn-lenet")
    assert (other.config.seed, other.config.augmentation, other.limit) == (7, AUGMENTATIONS["light"], 500)
    assert other.config.epochs == PRESETS["svhn-lenet"].training.epochs and other.config.batch_size == 64
    plain = Recipe.of("mnist-cnn").with_network("svhn-lenet")
    assert plain.config == PRESETS["svhn-lenet"].training, "its augmentation, too"
    for name in (RECOMMENDED, PUBLISHED):
        assert plain.with_template(name).with_network("svhn-mlp").template == RECOMMENDED, "none of a template is nobody's choice"


def test_templates():
    recipe = Recipe.of("svhn-lenet").with_settings(seed=7).with_limit(500)
    assert recipe.template == RECOMMENDED
    published = recipe.with_template(PUBLISHED)
    assert (published.config.optimizer, published.config.learning_rate, published.config.batch_size) == ("sgd", 0.01, 250)
    assert (published.config.seed, published.limit, published.template) == (7, 500, PUBLISHED)
    assert published.with_settings(momentum=0.5).template is None
    assert published.with_template(RECOMMENDED) == recipe
    with pytest.raises(ConfigError, match="recommended and published"):
        recipe.with_template("other")


def test_the_form_brings_a_published_recipe_back(window, qtbot):
    window.show_panel("train")
    form, state = window.panel.recipe, window.lab.state
    state.recipe.set(Recipe.of("mnist-mlp"))
    assert form.template.currentText() == RECOMMENDED
    form.template.textActivated.emit(PUBLISHED)
    assert state.recipe.value.config == PRESETS["mnist-mlp"].published and form.fields["batch_size"].value() == 1
    assert form.template.currentText() == PUBLISHED
    state.change_recipe(epochs=2)
    assert form.template.currentIndex() == -1 and form.template.placeholderText() == "changed"


def test_a_fitting_network_is_preferred_to_one_that_takes_anything():
    recipe = Recipe.of("mnist-cnn")
    assert recipe.fitted((28, 28, 1)) is recipe
    assert recipe.fitted((32, 32, 3)).network == "svhn-lenet"
    assert PRESETS[recipe.fitted((20, 64, 1)).network].any_input


def test_a_job_is_what_the_recipe_says():
    data = synthetic("train", 60)
    recipe = Recipe.of("mnist-cnn").with_settings(learning_rate=0.01).with_limit(40)
    job = recipe.job(DataInView("synthetic", data, None))
    assert len(job.train_data) == 40 and job.config == recipe.config and job.preset is PRESETS["mnist-cnn"]
    assert len(recipe.with_limit(None).job(DataInView("synthetic", data, None)).train_data) == 60
    with pytest.raises(ConfigError, match="Data panel"):
        recipe.job(None)


def test_a_training_starts_without_any_panel(lab, qtbot):
    lab.state.data.set(DataInView("synthetic", synthetic("train", 200), None))
    lab.state.change_recipe(epochs=1)
    with qtbot.waitSignal(lab.training.ended, timeout=90_000):
        lab.start_training()
    assert lab.training.status is Status.IDLE and lab.store.get("mnist-cnn-1").status == "finished"


def test_other_data_brings_a_network_that_takes_it(lab):
    lab.state.data.set(DataInView("synthetic-street", synthetic_street("train", 40), None))
    assert lab.state.recipe.value.network == "svhn-lenet"
    lab.state.data.set(DataInView("wide", Dataset(np.zeros((9, 20, 64, 1), np.uint8), np.arange(9), "wide"), None))
    assert lab.state.recipe.value.preset.fits((20, 64, 1))
