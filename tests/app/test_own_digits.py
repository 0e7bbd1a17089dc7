"""The user's own digits in the gallery: deleted, given another label, several at once, and brought back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest

from app.core.probe import Probe
from app.widgets import image_grid
from app.window import Window
from tests.app.test_hand import CTRL, keep, kept, wait_for_digits
from tests.app.test_window import answered


@pytest.fixture
def mine(window, qtbot, isolated, rng) -> Window:
    """A window that shows five of the user's own digits, 0 to 4, in the gallery."""
    for digit in range(5):
        image = rng.integers(0, 256, (28, 28), np.uint8)
        image[[0, -1]] = 0
        (isolated / "my_digits" / str(digit)).mkdir(parents=True)
        Image.fromarray(image).save(isolated / "my_digits" / str(digit) / "a.png")
    window.show_panel("data")
    window.lab.opener.open_data("my_digits")
    wait_for_digits(window, qtbot, 5)
    window.panel.gallery.setFocus()
    return window


def test_own_digits_are_deleted_in_the_gallery_and_come_back(mine, qtbot, isolated):
    gallery = mine.panel.gallery
    gallery.choose(2)
    probe = mine.lab.state.probe.value
    QTest.keyClick(gallery, Qt.Key.Key_Delete)
    wait_for_digits(mine, qtbot, 4)
    assert kept(isolated) == ["0", "1", "3", "4"] and len(gallery) == 4 and gallery.current == 2
    assert mine.lab.state.probe.value is probe, "Delete has not cleared the probe"
    assert mine.probe.confirmation.isVisible() and mine.probe.confirmation.text() == "Deleted 1 of your digits"
    QTest.keyClick(gallery, Qt.Key.Key_Delete)
    wait_for_digits(mine, qtbot, 3)
    assert kept(isolated) == ["0", "1", "4"]
    for expected in (["0", "1", "3", "4"], ["0", "1", "2", "3", "4"]):
        QTest.keyClick(gallery, Qt.Key.Key_Z, CTRL)
        wait_for_digits(mine, qtbot, len(expected))
        assert kept(isolated) == expected


def test_own_digits_get_another_label_in_the_gallery(mine, qtbot, isolated):
    gallery = mine.panel.gallery
    mine.panel.browser.classes.setCurrentIndex(2)  # the digit 1
    gallery.choose(0)
    image = gallery.image(0).copy()
    menu = mine.panel.browser.label_menu(0)
    assert gallery.takes_key(Qt.Key.Key_L) and [action.text() for action in menu.actions()] == [
        f"This is a &{n}" for n in range(10)
    ]
    with qtbot.waitSignal(mine.lab.own_digits.changed, timeout=5000):
        menu.actions()[9].trigger()
    assert kept(isolated) == ["0", "2", "3", "4", "9"]
    qtbot.waitUntil(lambda: 9 in mine.lab.state.data.value.train.labels, timeout=5000)
    assert mine.panel.browser.classes.currentText() == "1" and len(gallery) == 0, "what is filtered stays so"
    mine.panel.browser.classes.setCurrentIndex(10)
    assert np.array_equal(gallery.image(0), image) and mine.probe.confirmation.text() == "Relabelled as a 9"
    mine._actions["undo"].trigger()
    qtbot.waitUntil(lambda: kept(isolated) == ["0", "1", "2", "3", "4"], timeout=5000)


def click(gallery, position: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, modifier, gallery.cell_rect(position).center())


def test_several_own_digits_are_deleted_and_relabelled_at_once(mine, qtbot, isolated):
    gallery = mine.panel.gallery
    click(gallery, 1)
    click(gallery, 3, Qt.KeyboardModifier.ShiftModifier)
    click(gallery, 2, CTRL)
    assert gallery.chosen_with(1) == [1, 3] and gallery.chosen_with(0) == [0], "what is not chosen is meant alone"
    QTest.keyClick(gallery, Qt.Key.Key_Delete)
    wait_for_digits(mine, qtbot, 3)
    assert kept(isolated) == ["0", "2", "4"] and mine.probe.confirmation.text() == "Deleted 2 of your digits"
    mine._actions["undo"].trigger()
    wait_for_digits(mine, qtbot, 5)
    QTest.keyClick(gallery, Qt.Key.Key_A, CTRL)
    with qtbot.waitSignal(mine.lab.own_digits.changed, timeout=5000):  # the files change before it can be undone
        mine.panel.browser.relabel(gallery.current, 4)
    assert kept(isolated) == ["4"] * 5
    mine._actions["undo"].trigger()
    qtbot.waitUntil(lambda: kept(isolated) == ["0", "1", "2", "3", "4"], timeout=5000)


def test_one_image_is_chosen_at_a_time_where_the_images_are_not_ones_own(window):
    window.show_panel("data")
    gallery = window.panel.gallery
    click(gallery, 1)
    click(gallery, 3, CTRL)
    assert gallery.current == 3 and gallery.chosen_with(3) == [3]


def test_a_digit_that_was_relabelled_stays_chosen_and_the_probe_shows_its_new_label(mine, qtbot, isolated):
    gallery, state = mine.panel.gallery, mine.lab.state
    (isolated / "my_digits" / "1" / "a.png").rename(isolated / "my_digits" / "1" / "b.png")
    mine.lab.opener.open_data("my_digits")
    qtbot.waitUntil(lambda: state.data.value.files[1].name == "b.png", timeout=5000)
    gallery.choose(1)
    image = gallery.image(1).copy()
    for position, digit, act in ((4, 9, lambda: mine.panel.browser.relabel(1, 9)), (1, 1, mine._actions["undo"].trigger)):
        act()
        qtbot.waitUntil(lambda digit=digit: state.probe.value.label == digit, timeout=5000)
        assert gallery.current == position and np.array_equal(gallery.image(position), image)
        assert state.probe.value.origin == f"Your own digits training image {position}"
    QTest.keyClick(gallery, Qt.Key.Key_Delete)
    wait_for_digits(mine, qtbot, 4)
    assert gallery.current == 1 and state.probe.value.label == 1, "another image is not made the probe"


def test_the_context_menu_offers_files_of_ones_own_alone(mine, qtbot, monkeypatch):
    gallery, offered = mine.panel.gallery, []
    monkeypatch.setattr(
        image_grid, "picture_menu", lambda *_, more, **__: offered.append({words.split("\t")[0] for words, _ in more})
    )

    def open_menu() -> None:
        at = gallery.cell_rect(0).center()
        gallery.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, gallery.mapToGlobal(at)))

    open_menu()
    assert "Delete" in offered[0] and "Give another label…" in offered[0]
    mine.lab.opener.open_data("synthetic")
    wait_for_digits(mine, qtbot, 10_000)
    open_menu()
    assert "Delete" not in offered[1] and "Give another label…" not in offered[1]


def test_delete_clears_the_probe_where_the_images_are_not_ones_own(window, qtbot):
    window.show_panel("data")
    window.panel.gallery.setFocus()
    window.panel.gallery.choose(3)
    QTest.keyClick(window.panel.gallery, Qt.Key.Key_Delete)
    assert window.lab.state.probe.value.picture is None and len(window.panel.gallery) == 10_000


def test_the_gallery_and_the_closer_look_follow_what_is_kept_and_removed(mine, qtbot):
    panel, browser = mine.panel, mine.panel.browser
    panel.gallery.choose(1)
    QTest.keyClick(panel.gallery, Qt.Key.Key_Return)
    mine.lab.state.show_probe(Probe(np.pad(np.full((20, 4, 1), 255, np.uint8), ((4, 4), (12, 12), (0, 0))), "a one"), "a one")
    answered(qtbot, mine, 1)
    keep(mine, qtbot, 1)
    wait_for_digits(mine, qtbot, 6)
    assert panel.closer.isVisible() and panel.closer._place.text() == "3 of 6 in the gallery", "the same image"
    after = browser.item(3).pixels
    browser.delete(2)
    wait_for_digits(mine, qtbot, 5)
    assert panel.closer.isVisible() and np.array_equal(panel.closer.view.pixels, after), "the next one has taken its place"


def test_when_the_last_own_digit_is_deleted_the_gallery_is_empty_and_undo_fills_it(mine, qtbot, isolated):
    for count in (4, 3, 2, 1):
        mine.panel.browser.delete(0)
        wait_for_digits(mine, qtbot, count)
    mine.panel.browser.delete(0)
    qtbot.waitUntil(lambda: mine.lab.state.data.value is None, timeout=5000)
    assert kept(isolated) == [] and not mine.panel.notice.isVisible() and mine.panel.browser.use_built_in.isVisible()
    mine._actions["undo"].trigger()
    wait_for_digits(mine, qtbot, 1)
    assert kept(isolated) == ["4"] and mine.lab.state.data.value.spec == "my_digits"
