"""Inspect's card of what a unit looks for: images and patches are those of nncore, of the unit, the moment and the data in view."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.edits import Edits
from app.core.in_view import DataInView
from app.core.timeline import Moment
from app.panels.inspect import unit_search
from app.panels.inspect.inspected import Unit
from app.panels.inspect.unit import UnitCard, unit_name
from models.presets import PRESETS
from nncore.data import synthetic
from nncore.explain.ablation import Silent
from nncore.explain.layers import layer_outputs
from nncore.explain.top_images import top_images
from nncore.prediction import Predictor
from tests.app.inspect_cards import bring
from tests.app.test_inspect_network import cnn, image, look_at, panel, settle

__all__ = ["cnn", "image", "panel"]


@pytest.fixture
def card(panel, cnn, image, tmp_path, monkeypatch) -> UnitCard:
    """The card, at the shipped network and conv2's unit 3, with forty images in view; its files lie in the test's folder."""
    monkeypatch.setattr(unit_search, "folder", lambda: tmp_path / "top")
    panel.lab.state.data.set(DataInView("synthetic", synthetic("train", 40), None))
    look_at(panel, cnn, image)
    found = bring(panel, UnitCard)
    panel.inspected.choose(Unit("relu2", (6, 5, 3)))
    settle()
    return found


def wait(card: UnitCard, qtbot) -> None:
    qtbot.waitUntil(lambda: card.search.is_current, timeout=120_000)
    settle()


def test_the_images_and_patches_are_those_that_excite_the_unit_most(card, cnn, qtbot):
    wait(card, qtbot)
    data = card.lab.state.data.value.train
    outputs = np.stack([layer_outputs(Predictor(cnn), image)["relu2"][..., 3] for image in data.images])
    strongest = np.argsort(-outputs.max(axis=(1, 2)), kind="stable")[:12]
    assert np.array_equal(card.images, data.images[strongest])
    assert card.title.text() == "WHAT CONV2 UNIT 3 LOOKS FOR"
    first = outputs[strongest[0]]
    row, column = np.unravel_index(first.argmax(), first.shape)
    left, top, width, height = card._mark(0)
    # conv2 of 3×3 behind a pool of 2 behind conv1 of 3×3: eight pixels each way, from 2·(place − 1) − 1 on, inside the image.
    assert (left, top) == (max(2 * column - 3, 0), max(2 * row - 3, 0)) and 0 < width <= 8 and 0 < height <= 8
    assert f"{first.max():.3f} for image {strongest[0]}" in card._words(0)
    rows = list(card._rows())
    assert rows[1][:2] == (1, int(strongest[0])) and abs(rows[1][3] - first.max()) < 1e-5
    card.grid.choose(0)
    probe = card.lab.state.probe.value
    assert np.array_equal(probe.picture, card.images[0]) and probe.label == int(data.labels[strongest[0]])


def test_another_unit_of_the_layer_needs_no_search_and_another_start_finds_the_file(card, qtbot, monkeypatch):
    wait(card, qtbot)
    searches = []
    monkeypatch.setattr(unit_search, "top_images", lambda *asked: searches.append(asked) or top_images(*asked))
    before = card.images
    card.inspected.choose(Unit("relu2", (0, 0, 7)))
    settle()
    assert card.search.is_current and not np.array_equal(card.images, before)
    card.search._found.clear()  # as at another start
    card.search.job = None
    card.inspected.choose(Unit("relu2", (6, 5, 3)))
    wait(card, qtbot)
    assert np.array_equal(card.images, before) and not searches


def test_images_of_another_moment_are_pale_until_those_of_this_one_are_found(card, cnn, image, qtbot):
    wait(card, qtbot)
    other = PRESETS["mnist-cnn"].build(seed=5)
    state = card.lab.state
    state.show_run(state.run.value, Moment(7, other.state_dict()))
    settle()
    assert card.grid._faded and len(card.images) and card._facts().endswith("as at step 0")
    wait(card, qtbot)
    assert not card.grid._faded
    *_, last = top_images(Predictor(other), state.data.value.train, "relu2")
    kept = last.result.indices[3][last.result.values[3] != 0]
    assert np.array_equal(card.images, state.data.value.train.images[kept])


def test_a_search_can_be_cancelled_and_begun_again(card, qtbot):
    assert card.search.is_busy and card.again.text() == "Cancel"
    card.again.click()
    assert not card.search.is_busy and card.again.text() == "Search" and not len(card.images)
    card.again.click()
    wait(card, qtbot)
    assert len(card.images) and not card.again.isVisible()


def test_edits_do_not_count(card, qtbot):
    wait(card, qtbot)
    before = card.images
    card.lab.state.edit(Edits((Silent("conv2", 3),)), "off")
    settle()
    assert card.search.is_current and np.array_equal(card.images, before)


def test_out_of_sight_nothing_is_searched(card):
    assert card.search.is_busy
    card.hide()
    settle()
    assert not card.search.is_busy and card.search.job is None


def test_an_image_grows_and_its_number_is_that_of_the_network(card, cnn, qtbot):
    assert card.grown.button.isEnabled()
    card.grown.button.click()
    qtbot.waitUntil(lambda: card.grown.made is not None, timeout=60_000)
    assert card.grown.button.text() == "Stop"
    card.grown.button.click()
    made = card.grown.made
    assert card.grown.button.text() == "Grow an image"
    outputs = dict(cnn.in_use().activations(made.image[None]))
    assert abs(outputs["relu2"][0, *made.place, 3] - made.activation) < 1e-4
    assert card.grown.words.words == f"excites it {made.activation:.2f}"
    card.inspected.choose(Unit("relu2", (6, 5, 4)))
    settle()
    assert card.grown.made is None, "it grew for another unit"


def test_a_unit_is_called_after_the_layer_that_makes_it():
    summary = tuple(PRESETS["digitlab-mnist"].build().summary())
    for layer, name in (("relu3", "conv3 unit 5"), ("pool1", "pool1 unit 5"), ("conv2", "conv2 unit 5"), ("input", "input unit 5")):
        assert unit_name(summary, Unit(layer, (0, 0, 5))) == name
