"""Recognise from the first stroke to the table: three digits are written, one is corrected and taken back, the hand is learned,
and a page that is dropped is read, checked and saved."""

from __future__ import annotations

import csv

from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from app.core import own_digits
from app.panels.recognise.panel import RecognisePanel
from app.teaching import Phase
from app.window import Window
from benchmarks.drawn_pages import page
from tests.app.conftest import FIVE, ONE, draw
from tests.app.test_hand import kept
from tests.app.test_teaching import keep, style

SEVEN = ((0.3, 0.2), (0.5, 0.2), (0.7, 0.2), (0.6, 0.45), (0.5, 0.7), (0.45, 0.8))


def write(panel: RecognisePanel) -> None:
    """Write a 5, a 1 and a 7 side by side."""
    panel.canvas.pen_width = 14
    for number, shape in enumerate((FIVE, ONE, SEVEN)):
        draw(panel.canvas, tuple((0.42 * (number - 1) + 0.42 * x + 0.29, 0.3 + 0.42 * y) for x, y in shape))


def drop(window: Window, path) -> None:
    """Drop a file on the window, as the system does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    at = window.rect().center()
    entering = QDragEnterEvent(at, *how)
    QApplication.sendEvent(window, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(at), *how))


def test_from_the_first_stroke_to_the_table(window, qtbot, isolated, monkeypatch, tmp_path):
    monkeypatch.setattr("app.core.teaching.STEPS", 20)
    monkeypatch.setattr("app.core.teaching_in_turn.LONGEST", 0.0)
    monkeypatch.setattr("app.core.teaching_figures.MOST_LOST", 1.0)  # so few steps leave no time to find back to what was known
    window.resize(1280, 800)
    window.show_panel("recognise")
    panel = window.panel_named("recognise")
    text = panel.text_card.text

    # Three digits are written, and the middle one is corrected.
    write(panel)
    qtbot.waitUntil(lambda: panel.reading.reading.text == "517", timeout=20_000)
    QTest.mouseClick(text, Qt.MouseButton.LeftButton, pos=text.cell(1).center())
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        QTest.keyClick(text, Qt.Key.Key_4)
    assert panel.reading.reading.text == "547" and kept(isolated) == ["4"]

    # Undo takes the correction back, and the digit that was kept.
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert panel.reading.reading.text == "517" and kept(isolated) == []

    # The network learns a hand that it cannot read.
    keep(isolated / "my_digits", style("mirrored"))
    window.lab.teaching.refresh()
    qtbot.waitUntil(lambda: window.lab.teaching.kept.count == 20, timeout=10_000)
    QTest.mouseClick(panel.teach_card.learn, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.teaching.taught is not None, timeout=60_000)
    qtbot.waitUntil(lambda: window.lab.teaching.phase is Phase.IDLE, timeout=60_000)
    assert window.lab.state.run.value.name == "my handwriting" and window.lab.teaching.taught.own.after > 0.5
    QTest.mouseClick(panel.teach_card.undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.state.run.value.name != "my handwriting", timeout=20_000)

    # A page is dropped, of which half a digit is torn off; the key N leads there, and the user says what it is.
    written = page(["2075", "386"], seed=4)
    x, y, width, height = written.boxes[2]
    torn = written.picture.copy()
    torn[y + height // 2 : y + height + 3, x - 3 : x + width + 3] = torn[0, 0]
    path = tmp_path / "page.png"
    Image.fromarray(torn[..., 0] if torn.shape[2] == 1 else torn).save(path)
    drop(window, path)
    qtbot.waitUntil(lambda: len(panel.photo.boxes) == 7, timeout=60_000)
    assert panel.text_card.counts.words == "6 sure" and "line 1" in panel.text_card.to_check.words
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.lab.state.chosen.value == 2
    qtbot.waitUntil(lambda: window.probe.words.words.startswith("not sure: 7 or "), timeout=20_000)
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        QTest.keyClick(panel.photo, Qt.Key.Key_7)
    assert panel.reading.reading.text == "2075\n386" and not panel.text_card.next_button.isEnabled()

    # The table is saved.
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "read.csv"), ""))
    QTest.mouseClick(panel.text_card.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil((tmp_path / "read.csv").exists, timeout=20_000)
    rows = list(csv.DictReader((tmp_path / "read.csv").read_text("utf-8").splitlines()))
    assert "".join(row["digit"] for row in rows) == "2075386"
    assert [row["corrected"] for row in rows] == ["false"] * 2 + ["true"] + ["false"] * 4
    assert len(own_digits.files()) == 21, "the hand, and the 7 that was torn"
