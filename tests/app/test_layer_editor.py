"""The editor of layers, driven as a person drives it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.core import own_networks
from app.core.in_view import DataInView
from app.core.layer_list import LayerList
from app.core.recipe import Recipe
from app.panels.train import layer_editor
from app.panels.train.network_box import NOT_KEPT
from app.panels.train.panel import TrainPanel
from app.training import Status
from models.presets import RECOMMENDED
from nncore.data import Dataset, synthetic, synthetic_street

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
TINY = LayerList.from_config({"input_shape": [28, 28, 1], "layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10}]})


@pytest.fixture
def panel(lab, qtbot, monkeypatch) -> TrainPanel:
    """The Train panel by itself, with data."""
    lab.state.data.set(DataInView("synthetic", synthetic("train", 60), None))
    made = TrainPanel(lab)
    qtbot.addWidget(made)
    made.resize(920, 700)
    made.show()
    qtbot.waitExposed(made)
    monkeypatch.setattr(made.editor.column.menu, "popup", lambda _: None)  # the offscreen platform shows no menus
    return made


@pytest.fixture
def editor(panel, qtbot):
    """The editor with mnist-cnn, all of its cards made."""
    return opened(panel, qtbot)


def opened(panel: TrainPanel, qtbot):
    panel._layers.edit.click()
    qtbot.waitUntil(lambda: panel.editor.column.isEnabled() and len(panel.editor.column.cards) > 0, timeout=5000)
    return panel.editor


def names(editor) -> list[str]:
    return [card.title for card in editor.column.cards]


def add(editor, place: int, kind: str) -> None:
    """Choose a layer in the menu of the button at `place`."""
    editor.column.adders[place].click()
    next(action for action in editor.column.menu.actions() if action.text() == kind).trigger()


def test_a_preset_is_edited_as_a_copy_kept_by_name_and_becomes_the_network(panel, editor, lab, qtbot):
    assert names(editor)[:3] == ["conv1", "relu1", "pool1"] and editor.name.text() == "my-mnist-cnn"
    editor.column.cards[0].fields["out_channels"].setValue(4)
    add(editor, 1, "batch norm")
    assert names(editor)[:3] == ["conv1", "norm1", "relu1"] and editor.column.cards[1].hasFocus()
    assert lab.state.recipe.value.network == "mnist-cnn", "nothing changes before it is kept"
    editor.name.setText("narrow")
    with qtbot.waitSignal(editor.closed, timeout=5000):
        editor.save.click()
    recipe = lab.state.recipe.value
    assert recipe.network == "narrow" and recipe.layers.layers[0]["out_channels"] == 4 and not editor.isVisible()
    assert [panel.recipe.template.model().item(row).isEnabled() for row in (0, 1)] == [
        True,
        False,
    ] and recipe.template == RECOMMENDED
    assert own_networks.read("narrow") == recipe.layers and recipe.job(lab.state.data.value).preset.name == "narrow"
    qtbot.waitUntil(lambda: panel.recipe.preset.findText("narrow") >= 0, timeout=5000)
    assert panel.recipe.preset.currentText() == "narrow" and panel.recipe.preset.itemText(0) == "narrow"
    assert panel._layers._parameters.text() == f"{recipe.preset.build().parameter_count:,} parameters"
    panel.recipe.preset.setCurrentIndex(panel.recipe.preset.findText("mlp"))
    assert lab.state.recipe.value.network == "mlp" and lab.state.recipe.value.layers is None
    panel.recipe.preset.setCurrentIndex(0)
    assert lab.state.recipe.value.layers == recipe.layers


def test_layers_are_moved_removed_and_brought_back_by_keys(editor):
    first = editor._edits.present
    editor.column.take_focus(2)
    card = editor.column.cards[2]
    QTest.keyClick(card, Qt.Key.Key_Up, ALT)
    assert names(editor)[:3] == ["conv1", "pool1", "relu1"] and editor.column.cards[1].hasFocus()
    QTest.keyClick(editor.column.cards[1], Qt.Key.Key_Down)
    assert editor.column.cards[2].hasFocus()
    QTest.keyClick(editor.column.cards[2], Qt.Key.Key_Delete)
    assert names(editor)[:3] == ["conv1", "pool1", "conv2"] and editor.column.cards[2].hasFocus()
    box = editor.column.cards[2].fields["kernel_size"]
    box.setFocus()
    box.stepUp()
    box.stepUp()
    assert editor._edits.present.layers[2]["kernel_size"] == (5, 5) and box.hasFocus()
    for _ in range(3):
        QTest.keyClick(editor.window().focusWidget(), Qt.Key.Key_Z, CTRL)
    assert editor._edits.present == first and not editor.undo_button.isEnabled(), "turns of one field are one edit"
    QTest.keyClick(editor, Qt.Key.Key_Y, CTRL)
    assert names(editor)[1] == "pool1"
    editor.column.cards[0].fields["stride"].setFocus()
    QTest.keyClick(editor.window().focusWidget(), Qt.Key.Key_Down, ALT)
    assert names(editor)[:2] == ["pool1", "conv1"], "also from within a field"


def test_a_layer_is_dragged_to_another_place(editor):
    cards = editor.column.cards
    QTest.mousePress(cards[1], Qt.MouseButton.LeftButton, pos=QPoint(12, 12))
    below = cards[1].mapFromGlobal(cards[2].mapToGlobal(QPoint(12, cards[2].height())))
    QTest.mouseMove(cards[1], QPoint(12, 30))
    QTest.mouseMove(cards[1], below)
    assert editor.column._mark.isVisible() and names(editor)[1] == "relu1"
    QTest.mouseRelease(cards[1], Qt.MouseButton.LeftButton, pos=below)
    assert names(editor)[:3] == ["conv1", "pool1", "relu1"] and not editor.column._mark.isVisible()


def test_a_layer_that_does_not_fit_is_marked_and_nothing_is_told_of_those_below(editor):
    for _ in range(3):
        add(editor, 6, "max pool")
    marked = [card.title for card in editor.column.cards if card.problem]
    assert marked == ["pool5"] and "remove a pool before it" in editor.column.cards[8].problem
    assert [cell.text() for cell in editor.column.cards[9]._cells] == ["–"] * 4
    assert not editor.save.isEnabled() and "pool5 needs" in editor.save.toolTip()
    assert editor._total.words.startswith("Above pool5")
    QTest.keyClick(editor.column.cards[8], Qt.Key.Key_Delete)
    assert not any(card.problem for card in editor.column.cards) and editor.save.isEnabled()
    QTest.keyClick(editor.column.cards[-1], Qt.Key.Key_Delete)
    assert "end in linear 10" in editor.column.end.text() and not editor.save.isEnabled()


def test_leaving_asks_only_where_edits_would_be_lost(panel, qtbot, monkeypatch):
    asked: list[bool] = []
    monkeypatch.setattr(layer_editor, "confirmed", lambda *_: asked.append(True) or asked != [True])
    editor = opened(panel, qtbot)
    QTest.keyClick(editor.column.cards[0], Qt.Key.Key_Escape)
    assert not editor.isVisible() and asked == []
    editor = opened(panel, qtbot)
    add(editor, 0, "relu")
    QTest.keyClick(editor.column.cards[0], Qt.Key.Key_Escape)
    assert editor.isVisible() and asked == [True]
    editor.cancel.click()
    assert not editor.isVisible() and len(asked) == 2 and panel.curves.loss.isVisible()
    assert names(opened(panel, qtbot))[0] == "conv1", "what was given up is gone"


def test_a_training_that_starts_brings_the_curves_back_unless_edits_would_be_lost(panel, lab, qtbot):
    editor = opened(panel, qtbot)
    lab.training.status_changed.emit(Status.STARTING)
    assert not editor.isVisible()
    editor = opened(panel, qtbot)
    add(editor, 0, "relu")
    with qtbot.waitSignal(lab.said) as said:
        lab.training.status_changed.emit(Status.STARTING)
    assert editor.isVisible() and said.args[0].startswith("The training is of mnist-cnn")


def test_a_name_that_cannot_be_is_told_and_nothing_is_lost(editor, lab, qtbot):
    editor.name.setText("mnist-cnn")
    with qtbot.waitSignal(lab.problem) as told:
        editor.save.click()
    assert "preset" in told.args[0].message and editor.isVisible() and len(editor.column.cards) == 10
    editor.name.setText(" ")
    assert not editor.save.isEnabled()


def test_a_disk_that_refuses_is_told_and_the_editor_stays(editor, lab, qtbot, monkeypatch, tmp_path):
    own_networks.networks_folder().parent.mkdir(exist_ok=True)
    own_networks.networks_folder().write_text("no folder")
    with qtbot.waitSignal(lab.problem, timeout=5000) as told:
        editor.save.click()
    assert "Could not write" in told.args[0].message
    assert editor.isVisible() and editor.save.isEnabled() and lab.state.recipe.value.network == "mnist-cnn"


def test_a_network_that_is_deleted_leaves_the_recipe_with_one_that_fits(panel, lab, qtbot, monkeypatch):
    monkeypatch.setattr(layer_editor, "confirmed", lambda *_: True)
    lab.keep_network("tiny", TINY, lambda _: None)
    qtbot.waitUntil(lambda: panel.recipe.preset.currentText() == "tiny", timeout=5000)
    editor = opened(panel, qtbot)
    assert editor.name.text() == "tiny" and editor.delete.isVisible()
    with qtbot.waitSignal(editor.closed, timeout=5000):
        editor.delete.click()
    assert lab.state.recipe.value == Recipe.of("mnist-cnn")
    qtbot.waitUntil(lambda: panel.recipe.preset.findText("tiny") < 0, timeout=5000)


def test_another_network_of_that_name_is_only_replaced_where_the_user_says_so(panel, lab, qtbot, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(layer_editor, "confirmed", lambda *words: asked.append(words[3]) or False)
    lab.keep_network("tiny", TINY, lambda _: None)
    qtbot.waitUntil(lambda: "tiny" in lab.own_networks.known, timeout=5000)
    older = TINY.insert(1, {"type": "ReLU"})
    lab.state.recipe.set(Recipe.of("tiny", older))  # as a run has it that was begun before
    editor = opened(panel, qtbot)
    editor.save.click()
    assert asked == ["Replace it"] and own_networks.read("tiny") == TINY and editor.isVisible()
    editor.name.setText("older")
    with qtbot.waitSignal(editor.closed, timeout=5000):
        editor.save.click()
    assert len(asked) == 1 and own_networks.read("older") == older


def test_what_is_kept_while_a_network_trains_leaves_the_recipe_as_it_is(lab, qtbot, monkeypatch):
    monkeypatch.setattr(lab.training, "status", Status.TRAINING)
    with qtbot.waitSignal(lab.said, timeout=5000) as said:
        lab.keep_network("tiny", TINY, lambda _: None)
    assert "when this training has ended" in said.args[0] and lab.state.recipe.value == Recipe.of("mnist-cnn")
    assert own_networks.read("tiny") == TINY


def test_the_network_of_a_run_that_is_not_kept_is_offered_as_such(panel, lab):
    lab.state.recipe.set(Recipe.of("gone", TINY))
    box = panel.recipe.preset
    assert box.currentText() == "gone (of the run)" and NOT_KEPT[:20] in box.currentData(Qt.ItemDataRole.ToolTipRole)


def test_the_layers_are_those_of_the_recipe_for_the_images_in_view(panel, lab):
    lab.state.recipe.set(Recipe.of("mlp"))
    assert panel._layers._parameters.text() == "109,386 parameters"
    wide = Dataset(np.zeros((9, 20, 64, 1), np.uint8), np.arange(9) % 10, "wide")
    lab.state.data.set(DataInView("wide", wide, None))
    assert panel._layers._parameters.text() == f"{20 * 64 * 128 + 128 + 128 * 64 + 64 + 650:,} parameters"


def test_other_images_in_view_are_those_that_the_edited_network_is_for(editor, lab):
    lab.state.data.set(DataInView("synthetic-street", synthetic_street("train", 40), None))
    assert editor._edits.present.input_shape == (32, 32, 3) and editor.column.cards[0]._cells[0].text() == "32×32×16"


def test_a_branch_needs_the_layers_of_the_run(lab, qtbot):
    lab.state.data.set(DataInView("synthetic", synthetic("train", 60), None))
    lab.state.recipe.set(Recipe.of("tiny", TINY).with_settings(epochs=1))
    with qtbot.waitSignal(lab.training.ended, timeout=60_000):
        lab.start_training()
    assert lab.branching.why_no_branch == ""
    lab.state.recipe.set(Recipe.of("tiny", TINY.insert(1, {"type": "ReLU"})))
    assert "other layers now than tiny-1" in lab.branching.why_no_branch
