"""What the user's hands do to the probe and to their own digits: it is seen where one looks, and can be taken back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from app.core.probe import Kind, Probe
from app.panels import PANELS
from app.window import Window
from models.presets import PRESETS
from nncore.data import synthetic
from nncore.weights import save_weights
from tests.app.conftest import FIVE, ONE, draw
from tests.app.test_window import answered, drop

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def kept(isolated) -> list[str]:
    """The folders of the user's own digits, one for each file."""
    return sorted(path.parent.name for path in (isolated / "my_digits").glob("*/*.png"))


def keep(window: Window, qtbot, digit: int) -> None:
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=5000):
        window._actions[f"correct_{digit}"].trigger()


def wait_for_digits(window: Window, qtbot, count: int) -> None:
    qtbot.waitUntil(
        lambda: window.lab.state.data.value is not None and len(window.lab.state.data.value.train) == count, timeout=5000
    )


@pytest.fixture
def five(window, qtbot) -> Window:
    """A window with a five drawn on its sheet."""
    draw(window.panel.canvas, FIVE)
    answered(qtbot, window, 5)
    return window


def save_picture(path, digit: int):
    """A photo of a digit, dark on bright paper."""
    data = synthetic("test", 100)
    image = data.images[int(np.flatnonzero(data.labels == digit)[0]), ..., 0]
    Image.fromarray(255 - np.kron(image, np.ones((6, 6), np.uint8))).save(path)
    return path


# -- keeping digits


def test_a_digit_typed_into_a_panel_keeps_nothing(five, qtbot, isolated):
    for spec in PANELS:
        five.show_panel(spec.name)
        five.panel.setFocusProxy(None)
        five.panel.setFocus()
        QTest.keyClick(five.panel, Qt.Key.Key_3)
    qtbot.wait(50)
    assert kept(isolated) == [] and five.lab.state.acts.last.value.words == "stroke"


def test_a_click_beside_the_field_keeps_nothing(five, qtbot, isolated):
    five.show_panel("data")
    QTest.mouseClick(five.panel.browser.facts, Qt.MouseButton.LeftButton)
    for key in "1234":
        QTest.keyClicks(QApplication.focusWidget() or five, key)
    qtbot.wait(50)
    assert kept(isolated) == []


@pytest.mark.parametrize("where", ["probe", "button of the probe", "sheet", "picture"])
def test_a_digit_typed_into_the_probe_or_the_sheet_is_kept(five, qtbot, isolated, tmp_path, where):
    if where == "picture":
        drop(five, save_picture(tmp_path / "zero.png", 0))
        answered(qtbot, five, 0)
    places = {"probe": five.probe, "button of the probe": five.probe.undo, "sheet": five.panel.canvas, "picture": five.panel.photo}
    if where == "button of the probe":
        places[where] = five.probe._digits[2]
    places[where].setFocus()
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        QTest.keyClick(places[where], Qt.Key.Key_4)
    assert kept(isolated) == ["4"]


def test_a_digit_with_alt_is_kept_from_every_panel_and_from_a_field(five, qtbot, isolated):
    five.show_panel("data")
    five.panel.browser.search.setFocus()
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        QTest.keyClick(five.panel.browser.search, Qt.Key.Key_6, ALT)
    assert kept(isolated) == ["6"] and five.panel_name == "data"


def test_what_was_kept_is_said_in_the_probe_dock_and_undone_there(five, qtbot, isolated):
    assert not five.probe.confirmation.isVisible()
    keep(five, qtbot, 4)
    assert five.probe.confirmation.isVisible() and five.probe.confirmation.text() == "Kept as a 4"
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        five.probe.undo.click()
    assert kept(isolated) == [] and not five.probe.confirmation.isVisible()
    assert five.top_bar._said.words == "Undone: digit kept as a 4."
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        QTest.keyClick(five.panel.canvas, Qt.Key.Key_Y, CTRL)
    assert kept(isolated) == ["4"] and five.probe.confirmation.text() == "Kept as a 4"
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        QTest.keyClick(five.panel.canvas, Qt.Key.Key_Z, CTRL)
    assert kept(isolated) == [] and not five.panel.canvas.is_blank
    keep(five, qtbot, 4)
    draw(five.panel.canvas, ONE)
    assert not five.probe.confirmation.isVisible() and five.top_bar._said.words == "", "it is no longer about what is seen"


def test_the_same_digit_kept_again_changes_its_label(five, qtbot, isolated):
    for digit in (4, 7, 7):
        keep(five, qtbot, digit)
    assert kept(isolated) == ["7"] and five.probe.confirmation.text() == "Kept as a 7"
    for expected in (["4"], []):
        with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
            five._actions["undo"].trigger()
        assert kept(isolated) == expected


def test_a_digit_typed_before_the_answer_is_there_is_kept_with_the_picture_in_view(five, qtbot, isolated):
    one = np.pad(np.full((20, 4, 1), 255, np.uint8), ((4, 4), (12, 12), (0, 0)))
    five.lab.state.show_probe(Probe(one, "a one", kind=Kind.DATASET), "a one")
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        five.lab.correct(1)
    (path,) = (isolated / "my_digits" / "1").glob("*.png")
    assert np.array_equal(np.array(Image.open(path)), one[..., 0])


def test_digits_that_were_typed_are_kept_though_the_window_closes_at_once(five, isolated):
    image = five.lab.looking.look.digit.image
    for digit in (4, 6):
        five.lab.own_digits.keep(digit, image // digit)
    five.close()
    assert kept(isolated) == ["4", "6"]


# -- one history


def test_undo_goes_back_through_all_that_was_done_to_the_probe(five, qtbot, isolated, tmp_path):
    canvas, state = five.panel.canvas, five.lab.state
    drawing = canvas.pixels()
    keep(five, qtbot, 5)
    drop(five, save_picture(tmp_path / "zero.png", 0))
    answered(qtbot, five, 0)
    five.show_panel("data")
    five.panel.gallery.choose(7)
    image = state.data.value.train.images[7]
    five.show_panel("inspect")
    five._actions["undo"].trigger()
    assert state.probe.value.origin == "zero.png" and five.probe._origin.text() == "zero.png"
    five._actions["undo"].trigger()
    assert np.array_equal(state.probe.value.picture, drawing) and kept(isolated) == ["5"]
    with qtbot.waitSignal(five.lab.own_digits.changed, timeout=5000):
        five._actions["undo"].trigger()
    assert kept(isolated) == [] and np.array_equal(state.probe.value.picture, drawing)
    five._actions["undo"].trigger()
    assert state.probe.value.picture is None and not five._actions["undo"].isEnabled()
    answered(qtbot, five, None)
    for _ in range(4):
        five._actions["redo"].trigger()
    assert np.array_equal(state.probe.value.picture, image) and not five._actions["redo"].isEnabled()
    qtbot.waitUntil(lambda: kept(isolated) == ["5"], timeout=5000)


def test_the_sheet_shows_what_was_undone(five, qtbot, tmp_path):
    canvas = five.panel.canvas
    before = canvas.pixels()
    draw(canvas, ONE)
    both = canvas.pixels()
    drop(five, save_picture(tmp_path / "zero.png", 0))
    answered(qtbot, five, 0)
    assert not canvas.isVisible()
    QTest.keyClick(five, Qt.Key.Key_Z, CTRL)
    assert canvas.isVisible() and np.array_equal(canvas.pixels(), both), "undo shows the sheet again, as it was"
    QTest.keyClick(five, Qt.Key.Key_Z, CTRL)
    assert np.array_equal(canvas.pixels(), before)


def test_a_field_in_focus_undoes_what_was_typed_there(five, qtbot):
    five.show_panel("data")
    field = five.panel.browser.search
    field.setFocus()
    QTest.keyClicks(field, "12")
    QTest.keyClick(field, Qt.Key.Key_Z, CTRL)
    assert isinstance(field, QLineEdit) and field.text() == "" and five.lab.state.probe.value.kind is Kind.DRAWING
    assert five.lab.state.acts.next is None, "the drawing stays"


def test_the_menu_says_what_is_undone_and_offers_only_what_can_be_done(window, qtbot):
    actions = window._actions
    names = ["undo", "redo", "clear", *(f"correct_{digit}" for digit in range(10))]
    assert not any(actions[name].isEnabled() for name in names)
    draw(window.panel.canvas, FIVE)
    answered(qtbot, window, 5)
    assert actions["undo"].text() == "Undo: stroke" and [name for name in names if not actions[name].isEnabled()] == ["redo"]
    button = window.panel.tools.buttons["undo"]
    assert button.text() == "Undo" and button.isEnabled(), "the button stays as wide as it is"
    actions["undo"].trigger()
    answered(qtbot, window, None)
    assert [name for name in names if actions[name].isEnabled()] == ["redo"] and actions["redo"].text() == "Redo: stroke"
    in_menus = {action for menu in window._menus.findChildren(QMenu) for action in menu.actions()}
    assert all(actions[name] in in_menus for name in names)


# -- the sheet


@pytest.mark.parametrize("panel", ["recognise", "train"])
def test_clear_with_a_picture_in_view_gives_an_empty_sheet(five, qtbot, tmp_path, panel):
    drop(five, save_picture(tmp_path / "zero.png", 0))
    answered(qtbot, five, 0)
    sheet = five.panel
    five.show_panel(panel)
    QTest.keyClick(five.panel, Qt.Key.Key_Delete)
    answered(qtbot, five, None)
    assert sheet.canvas.is_blank and sheet.sheet_card.views.currentWidget() is sheet.canvas
    five._actions["undo"].trigger()
    answered(qtbot, five, 0)


@pytest.mark.parametrize(("tool", "key"), [("pen", Qt.Key.Key_P), ("eraser", Qt.Key.Key_E)])
def test_pen_and_eraser_take_a_new_sheet_over_a_picture_and_show_which_is_chosen(five, qtbot, tmp_path, tool, key):
    panel = five.panel
    assert panel.tools.pen.isChecked() and not panel.tools.eraser.isChecked()
    drop(five, save_picture(tmp_path / "zero.png", 0))
    answered(qtbot, five, 0)
    assert not panel.tools.pen.isChecked() and not panel.tools.eraser.isChecked(), "neither is of use on a picture"
    QTest.keyClick(five, key)
    assert panel.canvas.isVisible() and panel.canvas.is_blank and panel.canvas.hasFocus()
    assert (panel.tools.pen.isChecked(), panel.tools.eraser.isChecked()) == (tool == "pen", tool == "eraser")
    five._actions["undo"].trigger()
    assert five.lab.state.probe.value.origin == "zero.png"


def test_choosing_the_tool_that_is_chosen_keeps_it_chosen(window):
    for _ in range(2):
        window.panel.tools.buttons["eraser"].click()
        assert window.panel.tools.eraser.isChecked() and window.panel.canvas.erasing


# -- several files


def test_pictures_that_are_dropped_together_can_be_stepped_through(window, qtbot, tmp_path):
    paths = [save_picture(tmp_path / f"{digit}.png", digit) for digit in (0, 1, 7)]
    assert not window.probe._together.isVisible()
    drop(window, *paths)
    for digit, step in ((0, window.probe._next), (1, window.probe._next), (7, window.probe._previous)):
        qtbot.waitUntil(lambda digit=digit: window.lab.state.probe.value.origin == f"{digit}.png", timeout=5000)
        assert window.probe._together.isVisible() and "of 3" in window.probe._place.text()
        assert (window.probe._previous.isEnabled(), window.probe._next.isEnabled()) == (digit != 0, digit != 7)
        step.click()
    qtbot.waitUntil(lambda: window.lab.state.probe.value.origin == "1.png", timeout=5000)
    drop(window, paths[2])
    qtbot.waitUntil(lambda: window.lab.state.probe.value.origin == "7.png", timeout=5000)
    assert not window.probe._together.isVisible()


def test_a_picture_that_cannot_be_read_is_told_and_stepped_over(window, qtbot, tmp_path):
    good = [save_picture(tmp_path / f"{digit}.png", digit) for digit in (0, 1)]
    bad = [tmp_path / "bad.png", tmp_path / "worse.png"]
    for path in bad:
        path.write_bytes(b"no picture")
    drop(window, bad[0], good[0], bad[1], good[1])
    qtbot.waitUntil(lambda: window.lab.state.probe.value.origin == "0.png", timeout=5000)
    assert "bad.png" in window.panel.notice.message.text() and window.probe._place.text() == "1 of 3 pictures"
    window.probe._next.click()
    qtbot.waitUntil(lambda: window.lab.state.probe.value.origin == "1.png", timeout=5000)
    assert "worse.png" in window.panel.notice.message.text() and window.probe._place.text() == "2 of 2 pictures"
    window.probe._previous.click()
    qtbot.waitUntil(lambda: window.lab.state.probe.value.origin == "0.png", timeout=5000)


def test_pictures_that_are_pasted_together_can_be_stepped_through(window, qtbot, tmp_path):
    paths = [save_picture(tmp_path / f"{digit}.png", digit) for digit in (0, 1)]
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    QGuiApplication.clipboard().setMimeData(mime)
    QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: window.lab.state.probe.value.together == tuple(paths), timeout=5000)


def test_files_of_several_kinds_are_all_opened_and_what_is_left_out_is_named(window, qtbot, tmp_path):
    weights = [tmp_path / f"{name}.safetensors" for name in ("w", "x")]
    for path in weights:
        save_weights(path, PRESETS["two-layer"].build(), {"network": "tiny"})
    (tmp_path / "mine" / "3").mkdir(parents=True)
    save_picture(tmp_path / "mine" / "3" / "a.png", 3)
    drop(window, save_picture(tmp_path / "zero.png", 0), weights[0], weights[1], tmp_path / "mine")
    qtbot.waitUntil(lambda: window.lab.state.probe.value.origin == "zero.png", timeout=5000)
    qtbot.waitUntil(lambda: window.lab.state.network.value.source == "w.safetensors", timeout=5000)
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == str(tmp_path / "mine"), timeout=5000)
    assert window.panel_name == "data"
    assert window.top_bar._said.words == "Taken: data mine, weights w.safetensors, picture zero.png."
    assert window.panel.notice.message.text() == "One weights file is opened at a time, so x.safetensors was left out."


# -- variations


def test_where_nothing_varies_the_variations_say_so_and_offer_to_vary(window, qtbot):
    window.show_panel("data")
    window.panel.gallery.choose(5)
    QTest.keyClick(window.panel.gallery, Qt.Key.Key_V)
    view = window.panel.variations
    assert not view.grid.isVisible() and view.vary.isVisible() and view.vary.hasFocus() and not view.another.isEnabled()
    view.vary.click()
    assert view.names.currentText() == "light" and view.grid.isVisible() and view.another.hasFocus()
    image = window.lab.state.data.value.train.images[5]
    qtbot.waitUntil(lambda: view.varied is not None and not (view.varied.images == image).all(), timeout=10_000)
    assert len({each.tobytes() for each in view.varied.images}) > 12
