"""Switching units off in Inspect: what is measured is what nncore says, and what is told belongs to what is in view."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.core.edits import NO_EDITS
from app.core.in_view import DataInView
from app.core.split import Split
from app.edits_strip import EditsStrip
from app.panels.inspect.inspected import Unit, Weight
from app.panels.inspect.off import OffCard
from nncore.data import synthetic
from nncore.explain import ablation
from nncore.explain.ablation import Silent, WeightEdit
from nncore.prediction import Predictor
from tests.app.inspect_cards import bring
from tests.app.test_inspect_network import cnn, image, look_at, panel, settle

__all__ = ["cnn", "image", "panel"]


@pytest.fixture
def card(panel, cnn, image) -> OffCard:
    """The card, at the shipped network and conv2's unit 3, with a hundred test images in view."""
    panel.lab.state.data.set(DataInView("synthetic", synthetic("train", 20), synthetic("test", 100)))
    look_at(panel, cnn, image)
    found = bring(panel, OffCard)
    panel.inspected.choose(Unit("relu2", (6, 5, 3)))
    settle()
    return found


def measure(card: OffCard, qtbot) -> None:
    card.row.measure.click()
    qtbot.waitUntil(lambda: not card.lab.ablating.is_busy, timeout=60_000)
    settle()


def test_confusion_before_and_after_is_that_of_the_two_networks(card, cnn, qtbot):
    assert not card.row.measure.isEnabled(), "nothing is changed yet"
    card.row.switch.click()
    card.layer.click()
    assert card.lab.state.edits.value.steps == (Silent("conv2", 3), Silent("conv2"))
    measure(card, qtbot)
    test = card.lab.state.data.value.test
    before, after = (
        Predictor(network).evaluate(test)
        for network in (cnn, ablation.Edits(frozenset({Silent("conv2", 3), Silent("conv2")})).apply(cnn))
    )
    assert np.array_equal(card.before.counts, before.confusion) and np.array_equal(card.after.counts, after.confusion)
    assert card.row.words.words == f"{100 * before.accuracy:.2f} → {100 * after.accuracy:.2f} %"
    assert after.accuracy < before.accuracy
    assert np.array_equal(card.export().arrays["lost"], ablation.changes(before, after)["lost"])
    for name, value in cnn.state_dict().items():
        assert np.array_equal(card.lab.state.moment.value.state[name], value), "the moment in view stays as it was"


def test_what_was_measured_with_other_edits_is_pale_and_says_which(card, qtbot):
    card.row.switch.click()
    measure(card, qtbot)
    assert not card.after.is_faded and not card.older.words
    card.row.switch.click()
    settle()
    assert card.lab.state.edits.value == NO_EDITS and card.after.is_faded and not card.row.words.words
    assert card.older.words == "of conv2 unit 3 is off, step 0"
    card.lab.state.acts.undo()
    settle()
    assert not card.after.is_faded and card.row.words.words


def test_a_weight_that_is_chosen_gets_another_value(card):
    assert not card.weight.isVisible()
    card.inspected.choose_weight(Weight("conv1.weight", (0, 1, 0, 3)))
    settle()
    assert card.weight.isVisible()
    assert abs(card.weight.value() - card.lab.state.moment.value.state["conv1.weight"][0, 1, 0, 3]) < 1e-4
    card.weight.setValue(-2.5)
    card.set_weight.click()
    assert card.lab.state.edits.value.steps == (WeightEdit("conv1.weight", (0, 1, 0, 3), -2.5),)


def test_measuring_can_be_cancelled(card, qtbot):
    card.lab.state.data.set(DataInView("synthetic", synthetic("train", 20), synthetic("test", 5000)))
    card.row.switch.click()
    card.row.measure.click()
    assert card.row.measure.text() == "Cancel"
    card.row.measure.click()
    qtbot.waitUntil(lambda: not card.lab.ablating.is_busy, timeout=60_000)
    assert card.lab.ablating.effect is None and card.row.measure.text() == "Accuracy"


def test_images_without_classes_that_the_network_knows_are_not_measured_on(card):
    letters = synthetic("test", 30)
    card.lab.state.data.set(DataInView("letters", letters, None))
    card.row.switch.click()
    settle()
    assert card.lab.ablating.chosen is None and not card.row.measure.isEnabled()
    assert card.hint.text().startswith("No images to measure it on")
    card.lab.state.run.value.held_out = letters
    card.lab.state.run.tell()
    assert card.lab.ablating.chosen is Split.HELD_OUT and card.row.measure.isEnabled()


def test_the_strip_tells_what_is_changed_and_takes_it_back_one_by_one(card, lab, qtbot):
    strip = EditsStrip(lab)
    qtbot.addWidget(strip)
    assert strip.isHidden()
    card.row.switch.click()
    card.layer.click()
    assert not strip.isHidden() and strip.words.words == "The network is changed: conv2 unit 3 is off, conv2 is off"
    qtbot.mouseClick(strip.undo, Qt.MouseButton.LeftButton)
    assert lab.state.edits.value.steps == (Silent("conv2", 3),)
    card.layer.click()
    qtbot.mouseClick(strip.undo_all, Qt.MouseButton.LeftButton)
    assert strip.isHidden() and not lab.state.edits.value
    lab.undo()
    assert len(lab.state.edits.value.steps) == 2, "undo takes back that they were taken back"
