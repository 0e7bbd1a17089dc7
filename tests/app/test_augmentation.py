"""Augmentation in the window: seen beside the original, set by name or slider, and used by the next training."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.varied import variations
from app.panels.augmentation import in_words, name_of
from nncore.data import synthetic
from nncore.data.augment import AUGMENTATIONS, Augmentation
from nncore.errors import ConfigError


@pytest.fixture
def view(window, qtbot):
    """The page of variations, opened by the key from the gallery's image 5."""
    window.show_panel("data")
    panel = window.panel
    panel.gallery.choose(5)
    QTest.keyClick(panel.gallery, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: panel.variations.varied is not None, timeout=10_000)
    return panel.variations


def wait_for(qtbot, view, different_from) -> np.ndarray:
    qtbot.waitUntil(lambda: view.varied is not different_from, timeout=10_000)
    return view.varied.images


def test_variations_stand_beside_the_original_with_the_networks_answers(window, qtbot, view):
    data = window.lab.state.data.value.train
    assert view.isVisible() and np.array_equal(view.original.pixels, data.images[5])
    assert (view.varied.images == data.images[5]).all(), "nothing is varied yet"
    before = view.varied
    view.names.textActivated.emit("strong")
    images = wait_for(qtbot, view, before)
    assert len(images) == len(view.grid) and all(not np.array_equal(image, data.images[5]) for image in images)
    expected = variations(data.images[5], AUGMENTATIONS["strong"], len(images), 0, None, None).images
    assert np.array_equal(images, expected)
    right = sum(answer.digit == data.labels[5] for answer in view.varied.answers)
    assert f"reads {right} of {len(images)} as a {data.labels[5]}" in view._tally.text()


def test_a_slider_changes_how_far_the_same_variations_go(window, qtbot, view):
    before = view.varied
    view._sliders["rotate"].setValue(40)
    turned = wait_for(qtbot, view, before)
    assert window.lab.state.recipe.value.config.augmentation == Augmentation(rotate=18) and view.names.currentText() == "own"
    assert "rotation ±18°" in in_words(window.lab.state.recipe.value.config.augmentation)
    before = view.varied
    QTest.keyClick(view.another, Qt.Key.Key_V)
    others = wait_for(qtbot, view, before)
    assert not np.array_equal(turned, others)
    view.names.textActivated.emit("light")
    assert window.lab.state.recipe.value.config.augmentation == AUGMENTATIONS["light"] and view.names.findText("own") == -1
    assert view._sliders["shift"].value() == 19 and view._values["rotate"].text() == "±8°"


def test_a_variation_becomes_the_probe_and_escape_returns_to_the_gallery(window, qtbot, view):
    before = view.varied
    view.names.textActivated.emit("strong")
    images = wait_for(qtbot, view, before)
    view.grid.choose(3)
    probe = window.lab.state.probe.value
    assert np.array_equal(probe.picture, images[3]) and probe.label == window.lab.state.data.value.train.labels[5]
    QTest.keyClick(view.another, Qt.Key.Key_Escape)
    assert window.panel.gallery.isVisible() and window.panel.gallery.current == 5


def test_the_recipe_trains_with_it_and_the_next_start_remembers_it(window, make_window, qtbot, isolated):
    recipe = window.panel_named("train").recipe
    assert window.lab.state.recipe.value.config.augmentation == Augmentation()
    recipe.fields["augmentation"].textActivated.emit("light")
    config = window.lab.state.recipe.value.config
    assert config.augmentation == AUGMENTATIONS["light"] and config.validation == 1 / 6
    recipe.fields["validation"].setValue(25)
    assert window.lab.state.recipe.value.config.validation == 0.25
    window.lab.show_augmentation()
    assert window.panel_name == "data" and window.panel.variations.isVisible()
    window.close()
    kept = json.loads((window.lab.settings.folder / "settings.json").read_text())
    assert kept["recipe"]["settings"]["augmentation"] == AUGMENTATIONS["light"].as_dict()
    again = make_window()
    assert again.panel_named("train").recipe.fields["augmentation"].currentText() == "light"


def test_settings_of_another_version_count_as_none(make_window, tmp_path):
    folder = tmp_path / "config" / "digitlab"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(
        json.dumps({"recipe": {"network": "mnist-cnn", "settings": {"augmentation": {"blur": 3}}, "limit": None}})
    )
    assert make_window().lab.state.recipe.value.config.augmentation == Augmentation()


def test_names_and_words():
    assert [name_of(each) for each in AUGMENTATIONS.values()] == list(AUGMENTATIONS)
    assert name_of(replace(AUGMENTATIONS["light"], noise=1)) == "own"
    assert in_words(Augmentation()) == "each image as it is"
    assert in_words(Augmentation(scale=0.1, noise=5)) == "size ±10 %, noise ≤5 of 255"


def test_images_of_another_size_are_varied_without_answers():
    image = synthetic("test", 1).images[0, :20]
    found = variations(image, AUGMENTATIONS["strong"], 3, 0, None, None)
    assert found.images.shape == (3, 20, 28, 1) and found.answers == ()
    with pytest.raises(ConfigError):
        Augmentation.from_dict({"blur": 1})


def test_large_images_get_fewer_variations():
    image = np.zeros((320, 320, 3), np.uint8)
    assert len(variations(image, AUGMENTATIONS["light"], 24, 0, None, None).images) == 4


def test_while_a_network_trains_only_the_answers_change(window, qtbot, view):
    before = view.varied
    view.names.textActivated.emit("strong")
    images = wait_for(qtbot, view, before)
    view.grid.choose(7)
    moment, before = window.lab.state.moment.value, view.varied
    blank = {name: np.zeros_like(value) for name, value in moment.state.items()}
    window.lab.state.moment.set(replace(moment, state=blank))
    assert np.array_equal(wait_for(qtbot, view, before), images)
    assert view.grid.current == 7 and {answer.digit for answer in view.varied.answers} == {0}


def test_what_is_shown_of_one_image_is_never_said_to_be_of_another(window, qtbot, view):
    view.show_item(replace(view._item, index=9))
    view.grid.choose(2)  # before the variations of image 9 are there
    probe = window.lab.state.probe.value
    assert "image 5" in probe.origin and np.array_equal(probe.picture, window.lab.state.data.value.train.images[5])


def test_without_an_image_in_sight_the_first_is_varied_and_without_data_it_is_said(window, qtbot):
    window.show_panel("data")
    window.panel.browser.grid.set_images(np.empty((0, 28, 28, 1), np.uint8), str)
    window.lab.show_augmentation()
    assert window.panel.variations.isVisible()
    window.lab.state.data.set(None)
    said = []
    window.lab.said.connect(said.append)
    window.lab.show_augmentation()
    assert not window.panel.variations.isVisible() and "choose a dataset" in said[0]
