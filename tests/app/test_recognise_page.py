"""Recognise with a page in view: one digit is chosen everywhere, corrected, taken back, copied and saved."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from app.core.look import LAYERS, Looker
from app.core.probe import Probe
from app.panels.inspect.columns import shown_of
from app.panels.recognise.panel import RecognisePanel
from app.window import Window
from benchmarks.drawn_pages import page
from tests.app.conftest import ONE, draw
from tests.app.test_hand import CTRL, kept

PAGE = ["20", "386"]


def read(window: Window, qtbot) -> RecognisePanel:
    """The panel, once the page has been read."""
    window.show_panel("recognise")
    panel = window.panel_named("recognise")
    window.lab.state.show_probe(Probe(page(PAGE, seed=4).picture, "page.png"), "page")
    qtbot.waitUntil(lambda: len(panel.photo.boxes) == 5, timeout=60_000)
    return panel


def looked_at(window: Window, qtbot, index: int) -> None:
    qtbot.waitUntil(lambda: window.lab.looking.look.question.chosen == index, timeout=20_000)


def test_one_digit_is_chosen_everywhere(window, qtbot):
    panel = read(window, qtbot)
    QTest.mouseClick(panel.photo, Qt.MouseButton.LeftButton, pos=panel.photo.box_rect(3).center().toPoint())
    looked_at(window, qtbot, 3)
    look = window.lab.looking.look
    assert look.digit is look.digits[3] and look.digit.answer.digit == 8
    assert window.probe.answer.text() == "8" and np.array_equal(window.probe.picture.pixels, look.digits[3].image)
    assert window.probe._origin.text() == "line 2, digit 2 of 3 — as the network sees it"
    assert panel.text_card.text._chosen == 3 and panel.photo.current == 3
    QTest.mouseClick(panel.text_card.text, Qt.MouseButton.LeftButton, pos=panel.text_card.text.cell(1).center())
    looked_at(window, qtbot, 1)
    window.show_panel("inspect")
    qtbot.waitUntil(lambda: LAYERS in window.lab.looking.look.results, timeout=20_000)
    qtbot.waitUntil(lambda: window.panel.inspected.look.value is not None, timeout=20_000)
    (values,) = [each.values for each in shown_of(window.panel.inspected.look.value, every=False) if each.title == "input"]
    assert np.array_equal(values, window.lab.looking.look.digits[1].image)
    window.lab.state.show_probe(Probe(page(["1"], seed=1).picture, "one.png"), "one")
    assert window.lab.state.chosen.value is None, "of another picture the first one"


def test_a_digit_that_is_typed_corrects_the_chosen_one_and_undo_takes_all_of_it_back(window, qtbot, isolated):
    panel = read(window, qtbot)
    QTest.mouseClick(panel.text_card.text, Qt.MouseButton.LeftButton, pos=panel.text_card.text.cell(4).center())
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        QTest.keyClick(panel.text_card.text, Qt.Key.Key_9)
    assert panel.reading.reading.text == "20\n389" and kept(isolated) == ["9"]
    assert panel.photo.boxes[4].corrected and panel.photo.boxes[4].text == "9"
    assert window.probe._origin.text() == "line 2, digit 3 of 3 — you say it is a 9"
    QTest.keyClick(panel.text_card.text, Qt.Key.Key_Home)
    window.lab.state.choose(0)
    (path,) = (isolated / "my_digits" / "9").glob("*.png")
    assert np.array_equal(np.array(Image.open(path)), window.lab.looking.look.digits[4].image[..., 0])
    assert panel.reading.reading.text == "20\n389", "it holds though another digit is chosen"
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        QTest.keyClick(panel.photo, Qt.Key.Key_Z, CTRL)
    assert panel.reading.reading.text == "20\n386" and kept(isolated) == [] and not panel.photo.boxes[4].corrected
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        QTest.keyClick(panel.photo, Qt.Key.Key_Y, CTRL)
    assert panel.reading.reading.text == "20\n389" and kept(isolated) == ["9"]


def test_one_image_has_one_label_whatever_was_said_and_taken_back_before(window, qtbot, isolated):
    read(window, qtbot)
    lab = window.lab

    def done(act) -> None:
        with qtbot.waitSignal(lab.own_digits.changed, timeout=20_000):
            act()

    done(lambda: lab.correct(4))
    lab.state.choose(2)
    done(lambda: lab.correct(5))
    lab.state.choose(0)
    done(lambda: lab.correct(7))
    done(lab.undo)
    assert kept(isolated) == ["4", "5"]
    done(lambda: lab.correct(9))
    assert kept(isolated) == ["5", "9"], "and not one of the 4 besides"


def test_text_is_copied_and_a_table_saved(window, qtbot, tmp_path, monkeypatch):
    panel = read(window, qtbot)
    panel.text_card.text.setFocus()
    QTest.keyClick(panel.text_card.text, Qt.Key.Key_C, CTRL)
    assert QGuiApplication.clipboard().text() == "20\n386"
    path = tmp_path / "out" / "table.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path.with_suffix("")), ""))
    panel.text_card.save.click()
    qtbot.waitUntil(lambda: window.top_bar._said.words == "Saved table.csv.", timeout=20_000)
    lines = path.read_text().splitlines()
    assert len(lines) == 6 and lines[0].startswith("line,place,digit,confidence") and lines[3].startswith("2,1,3,")
    (tmp_path / "a folder.csv").mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "a folder.csv"), ""))
    panel.text_card.save.click()
    qtbot.waitUntil(panel.notice.isVisible, timeout=20_000)
    assert "Could not write" in panel.notice.message.text()


def test_the_history_brings_a_page_back_with_its_corrections_and_a_drawing_to_go_on_with(window, qtbot):
    panel = read(window, qtbot)
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        window.lab.correct(7)
    QTest.keyClick(window, Qt.Key.Key_P)
    draw(panel.canvas, ONE)
    rows = panel.history.rows
    assert [each.title for each in rows.thumbnails] == ["drawing", "page.png"]
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=rows.cell(1).center())
    qtbot.waitUntil(lambda: panel.reading.reading.text == "70\n386", timeout=60_000)
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=rows.cell(0).center())
    assert len(panel.canvas.strokes) == 1 and panel.sheet_card.views.currentWidget() is panel.canvas
    qtbot.waitUntil(lambda: panel.reading.reading.text == "1", timeout=20_000)
    draw(panel.canvas, tuple((x + 0.3, y) for x, y in ONE))
    assert [each.title for each in rows.thumbnails] == ["drawing", "page.png"]


def test_a_stage_is_shown_large_and_escape_comes_back(window, qtbot):
    panel = read(window, qtbot)
    card = panel.stages_card
    titles = [each.title for each in card.row.thumbnails]
    assert titles[0] == "Picture" and titles[-1] == "Lines and digits" and "digits in 2 lines" in card.words.words
    assert panel.tools.isVisible()
    QTest.mouseClick(card.row, Qt.MouseButton.LeftButton, pos=card.row.cell(titles.index("Ink")).center())
    large = panel.sheet_card.large
    assert large.isVisible() and large.view.pixels is card.stages[titles.index("Ink")].pixels
    assert QApplication.focusWidget() is large.view and large.words.words.startswith("Ink: ")
    QTest.keyClick(large.view, Qt.Key.Key_Escape)
    assert panel.photo.isVisible() and panel.photo.hasFocus() and panel.tools.isVisible()


def test_a_page_that_takes_long_is_said_to_be_read(window, qtbot, monkeypatch):
    from threading import Event

    panel = read(window, qtbot)
    may_go_on, look = Event(), Looker.look

    def slow(looker, question):
        may_go_on.wait(60)
        return look(looker, question)

    monkeypatch.setattr(Looker, "look", slow)
    window.lab.state.show_probe(Probe(page(["53"], seed=1).picture, "slow.png"), "slow")
    assert panel.photo.boxes == () and panel.text_card.text.lines == []
    qtbot.waitUntil(lambda: panel.reading.is_waiting, timeout=5000)
    assert panel.sheet_card.facts.words == "slow.png · Reading…" and panel.text_card.text.hint == "Reading…"
    may_go_on.set()
    qtbot.waitUntil(lambda: panel.reading.reading.text == "53", timeout=60_000)
    assert panel.sheet_card.facts.words.startswith("slow.png · 1 line · 2 digits · ") and panel.sheet_card.facts.words.endswith("s")


def test_the_menu_of_a_digit_corrects_it(window, qtbot, monkeypatch):
    panel, menus = read(window, qtbot), []
    monkeypatch.setattr("app.panels.recognise.sheet.picture_menu", lambda *a, first, **k: menus.append(dict(first)))
    panel.photo.menu_wanted.emit(-1, QPoint())
    panel.photo.menu_wanted.emit(3, QPoint())
    assert menus[0] == {} and window.lab.state.chosen.value == 3
    menus[1]["This is a 6"]()
    qtbot.waitUntil(lambda: panel.reading.reading.text == "20\n366", timeout=20_000)
