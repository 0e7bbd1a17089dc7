"""TextCard: the text that was read, what of it should be looked at again, and the ways to take it elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout

from app.core.probe import Probe
from app.errors import PICTURE, Problem
from app.lab import Lab
from app.panels.recognise.reading import ProbeReading
from app.threads.task import Task
from app.widgets.card import Card
from app.widgets.elided import Elided
from app.widgets.scrolled import Scrolled
from app.widgets.text_read import TextDigit, TextRead
from nncore.files import write_atomically

NOTHING_YET = "Draw digits, or open, drop or paste a picture: what is read appears here."
TABLE = "Table (*.csv)"
LEAST = 72
"""Pixels of height that the text has at least: two lines."""


class TextCard(Card):
    """Digits are chosen in it by click and arrows; digits that are typed then correct them."""

    resized = Signal(int)
    """The card has another height, in pixels."""

    def __init__(self, lab: Lab, reading: ProbeReading) -> None:
        self.copy = QToolButton(text="Copy")
        self.copy.setProperty("role", "link")
        self.copy.setToolTip("Copy the text, a line for each line of digits (Ctrl+C while the text has the keyboard)")
        self.copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        super().__init__("Text read", self.copy)
        self._lab, self._reading = lab, reading
        self.text = TextRead(NOTHING_YET)
        self._scroll = Scrolled(self.text, LEAST)
        self.text.laid_out.connect(self._scroll.updateGeometry)
        self._scroll.verticalScrollBar().rangeChanged.connect(lambda *_: self._reveal())  # text or room have another height
        self.counts, self.to_check = Elided(), ToCheck()
        self.next_unsure = QAction("Next unsure", self, shortcut="N")
        self.next_unsure.setToolTip("Next unsure: go to the next digit of which the network is not sure (N)")
        self.next_unsure.triggered.connect(self._go_on)
        self.addAction(self.next_unsure)
        self.to_check.clicked.connect(self._go_on)
        self.next_button, self.save = QPushButton("Next unsure"), QPushButton("Save CSV…")
        self.next_button.setToolTip(self.next_unsure.toolTip())
        self.next_button.clicked.connect(self._go_on)
        self.save.setToolTip("Save a table of the digits: place, answer, how sure, where on the picture, and what you corrected")
        self.save.clicked.connect(self._ask_and_save)
        self.copy.clicked.connect(self._copy)
        self.text.copy_wanted.connect(self._copy)
        self.text.chosen.connect(lab.state.choose)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.next_button)
        row.addWidget(self.save)
        row.addStretch(1)
        self.body.addWidget(self._scroll)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.counts)
        words.addWidget(self.to_check)
        self.body.addLayout(words)
        self.body.addLayout(row)
        self.body.addStretch(1)
        reading.changed.connect(self._show)
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit(self.height())

    def _show(self) -> None:
        reading, chosen = self._reading.reading, self._reading.chosen
        lines = [
            [TextDigit(each.digit, each.index, each.is_sure, each.correction is not None, each.words) for each in line]
            for line in reading.lines
        ]
        self.text.set_lines(lines, self._hint())
        self.text.set_pale(self._reading.is_waiting)
        self.text.set_chosen(chosen.index if chosen is not None and len(reading.found) > 1 else -1)
        self._reveal()
        self.counts.show_words(reading.counts if reading.found else "")
        self.to_check.show_words(reading.to_check(self._last_chosen))
        for button in (self.copy, self.save):
            button.setEnabled(bool(lines))
        for part in (self.next_button, self.next_unsure):
            part.setEnabled(bool(reading.unsure))

    def _reveal(self) -> None:
        """Scroll so that the line of the digit that is looked at is in sight, and half a line around it where there is room."""
        cell = self.text.chosen_cell
        if cell is not None:
            self._scroll.ensureVisible(cell.center().x(), cell.center().y(), 0, cell.height())

    def _hint(self) -> str:
        look = self._reading.look
        if self._lab.state.probe.value.picture is None:
            return NOTHING_YET
        if self._reading.is_waiting:
            return "Reading…"
        return "No digits found." if look is not None and look.error is None else ""

    @property
    def _last_chosen(self) -> int:
        """The index after which the next unsure digit is looked for; −1 where nobody has chosen a digit yet."""
        chosen = self._lab.state.chosen.value
        return -1 if chosen is None else chosen

    def _go_on(self) -> None:
        """Choose the next digit that is not sure."""
        found = self._reading.reading.next_unsure(self._last_chosen)
        if found is not None:
            self._lab.state.choose(found.index)
            self.text.setFocus()

    def _copy(self) -> None:
        if text := self._reading.reading.text:
            QGuiApplication.clipboard().setText(text)
            self._lab.said.emit("Copied the text.")

    def _ask_and_save(self) -> None:
        """Ask for a file and write the table there, in the background."""
        proposed = Path(self._lab.settings["last_folder"]) / f"{_stem(self._lab.state.probe.value)}.csv"
        table = self._reading.reading.csv()
        name, _ = QFileDialog.getSaveFileName(self, "Save the digits as a table", str(proposed), TABLE)
        if not name:
            return
        path = Path(name if Path(name).suffix else f"{name}.csv")

        def done(_: object) -> None:
            self._lab.said.emit(f"Saved {path.name}.")
            self._lab.solved.emit(PICTURE)

        def failed(problem: Problem) -> None:
            self._lab.problem.emit(replace(problem, about=PICTURE))

        Task(lambda: write_atomically(path, table.encode()), done, failed).begin()


class ToCheck(Elided):
    """A line in the second colour that can be clicked."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__("wrong")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.words:
            self.clicked.emit()


def _stem(probe: Probe) -> str:
    """A name for a file about the probe."""
    kept = "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in probe.origin)
    return Path(kept[:80]).stem or "digits"
