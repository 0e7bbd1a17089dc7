"""The cards of the editor: all settings, refusals beside the field, dragging, and how few are made."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.core.layer_list import LayerList
from app.panels.train import layer_column, layer_editor
from tests.app.test_layer_editor import CTRL, add, editor, names, opened, panel

__all__ = ["editor", "panel"]


def typed(field, text: str) -> None:
    """Type a number in a field, and end with Return."""
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def layer(editor, place: int) -> dict[str, object]:
    return editor._edits.present.layers[place]


def test_what_few_networks_need_is_behind_more_and_said_where_it_is_not_as_usual(editor):
    card = editor.column.cards[0]
    assert "weight_decay" not in card.fields and not card._unusual.isVisible()
    QTest.keyClick(card.more, Qt.Key.Key_Space)
    assert card.fields["weight_decay"].isVisible() and card.fields["weight_decay"].accessibleName() == "conv1 weight decay"
    typed(card.fields["weight_decay"], "1e-4")
    typed(card.fields["padding across"], "2")
    QTest.keyClick(card.fields["initializer"].name, Qt.Key.Key_Down)
    assert layer(editor, 0) == layer(editor, 0) | {"weight_decay": 1e-4, "padding": (1, 2), "initializer": "he_uniform"}
    card.fields["initializer"].name.setCurrentText("normal")
    card.fields["initializer"].name.textActivated.emit("normal")
    typed(card.fields["initializer"].deviation, "0.3")
    QTest.keyClick(card.fields["weight_decay"], Qt.Key.Key_Up)
    assert layer(editor, 0)["initializer"] == 0.3 and layer(editor, 0)["weight_decay"] == 1e-3
    card.more.click()
    assert card._unusual.text() == "normal 0.3 · decay 0.001 · padding 1×2"


def test_a_number_that_cannot_be_is_refused_beside_its_field_with_what_would_fit(editor):
    first = editor._edits.present
    field = editor.column.cards[2].fields["kernel_size"]
    typed(field, "1000000000")
    assert editor.column.cards[2].problem == "The window can be 1 to 28 here, not 1,000,000,000." and field.value() == 2
    typed(editor.column.cards[0].fields["out_channels"], "0")
    assert "channels can be 1 to" in editor.column.cards[0].problem and not editor.column.cards[2].problem
    assert editor._edits.present == first
    add(editor, 1, "dropout")
    typed(editor.column.cards[1].fields["p"], "1.5")
    assert "below 1, not 1.5" in editor.column.cards[1].problem and layer(editor, 1)["p"] == 0.25
    QTest.keyClick(editor.column.cards[1].fields["p"], Qt.Key.Key_Up)
    assert layer(editor, 1)["p"] == 0.3 and not editor.column.cards[1].problem


def test_a_drag_is_given_up_by_escape_and_the_editor_stays(editor):
    card, place = editor.column.cards[1], QPoint(12, 12)
    QTest.mousePress(card, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(card, QPoint(12, 60))
    assert editor.column._mark.isVisible()
    QTest.keyClick(card, Qt.Key.Key_Escape)
    QTest.mouseRelease(card, Qt.MouseButton.LeftButton, pos=QPoint(12, 300))
    assert not editor.column._mark.isVisible() and editor.isVisible() and names(editor)[1] == "relu1"


def test_a_layer_that_is_held_at_the_edge_scrolls_the_list(editor, qtbot):
    card, bar = editor.column.cards[0], editor.column.verticalScrollBar()
    QTest.mousePress(card, Qt.MouseButton.LeftButton, pos=QPoint(12, 12))
    QTest.mouseMove(card, QPoint(12, 40))
    QTest.mouseMove(card, card.mapFromGlobal(editor.column.mapToGlobal(QPoint(12, editor.column.height() - 4))))
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() > 0, timeout=10_000)
    QTest.keyClick(card, Qt.Key.Key_Escape)
    assert not editor.column._scrolling.isActive()


def test_cards_are_made_one_after_the_other_and_used_again(panel, qtbot, monkeypatch):
    made: list[str] = []
    usual = layer_column.LayerCard
    monkeypatch.setattr(layer_column, "LayerCard", lambda type: made.append(type) or usual(type))
    monkeypatch.setattr(layer_editor, "AT_A_TIME", 0)
    panel._layers.edit.click()
    assert made == [], "the page is there before the first card"
    panel.editor._show_more()
    assert len(made) == 1
    editor = opened(panel, qtbot)
    assert len(made) == 10
    cards = list(editor.column.cards)
    cards[0].fields["out_channels"].setValue(9)
    QTest.keyClick(cards[3], Qt.Key.Key_Delete)
    QTest.keyClick(editor, Qt.Key.Key_Z, CTRL)
    assert editor.column.cards == cards, "the card that was removed came back"
    monkeypatch.setattr(layer_editor, "confirmed", lambda *_: True)
    editor.cancel.click()
    assert opened(panel, qtbot).column.cards == cards and len(made) == 10


def test_what_was_saved_or_given_up_can_be_brought_back_when_the_editor_is_opened_again(panel, qtbot, monkeypatch):
    monkeypatch.setattr(layer_editor, "confirmed", lambda *_: True)
    editor = opened(panel, qtbot)
    editor.column.cards[0].fields["out_channels"].setValue(9)
    editor.cancel.click()
    editor = opened(panel, qtbot)
    assert layer(editor, 0)["out_channels"] == 16
    editor.redo_button.click()
    assert layer(editor, 0)["out_channels"] == 9
    with qtbot.waitSignal(editor.closed, timeout=5000):
        editor.save.click()
    editor = opened(panel, qtbot)
    assert not editor._edits.is_changed and layer(editor, 0)["out_channels"] == 9
    editor.undo_button.click()
    assert layer(editor, 0)["out_channels"] == 16 and editor._edits.is_changed


def test_a_network_that_is_too_long_is_listed_and_not_edited(panel, lab, qtbot):
    many = LayerList.from_config(
        {
            "input_shape": [28, 28, 1],
            "layers": [{"type": "Flatten"}, *[{"type": "ReLU"}] * 498, {"type": "Linear", "out_features": 10}],
        }
    )
    lab.keep_network("many", many, lambda _: None)
    qtbot.waitUntil(lambda: lab.state.recipe.value.network == "many", timeout=5000)
    assert panel._layers._others.text() == "… and 400 more layers"
    with qtbot.waitSignal(lab.problem) as told:
        panel._layers.edit.click()
    assert "many has 500 layers; up to 120" in told.args[0].message and not panel.editor.isVisible()


@pytest.mark.parametrize("count", [119, 120])
def test_no_more_layers_are_added_than_can_be_shown(editor, lab, qtbot, monkeypatch, count):
    monkeypatch.setattr(layer_column, "MOST_EDITED", 10 + count - 119)
    told: list[str] = []
    lab.problem.connect(lambda problem: told.append(problem.message))
    add(editor, 0, "relu")
    assert (len(editor.column.cards), len(told)) == ((10, 1) if count == 119 else (11, 0))
