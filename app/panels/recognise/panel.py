"""Recognise: draw digits or open a picture, and see what the network reads on it, how sure it is, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout

from app.core.probe import Probe
from app.panels.base import Panel
from app.panels.recognise.batch import BatchPage
from app.panels.recognise.column import Column
from app.panels.recognise.history import HistoryRows
from app.panels.recognise.reading import ProbeReading
from app.panels.recognise.sheet import SheetCard
from app.panels.recognise.stages import StagesCard
from app.panels.recognise.teach import TeachCard, tab_stops
from app.panels.recognise.text import TextCard
from app.widgets.card import GAP
from app.widgets.digit_keys import typed_digit

COLUMN = 0.3, 252, 300
"""The share of the panel's width that the column at the right has, and its least and largest width in pixels."""
STRIP = 0.19, 112, 168
"""The same of the height of the strip at the bottom."""
LOW = 460
"""Height of a panel in pixels in which there is no room for the strip."""
TEXT, ROW = 220, 60
"""Height in pixels that the card of the text needs for itself, and for each row of the history."""


class RecognisePanel(Panel):
    """Left the sheet or the picture, right the text that was read, below the steps from the picture to the network."""

    def build(self) -> Iterator[None]:
        lab = self.lab
        self.reading = ProbeReading(lab, self)
        # From the outside in: what is given to another parent has its style worked out anew, with all that is in it.
        row = QHBoxLayout()
        row.setSpacing(GAP)
        self.content.addLayout(row, 1)
        self.sheet_card = SheetCard(lab, self.reading, self)
        row.addWidget(self.sheet_card, 1)
        yield
        self.batch = BatchPage(lab)
        self.sheet_card.add_page("Batch", "Read many pictures at once, into a table", self.batch)
        self.canvas, self.photo, self.tools = self.sheet_card.canvas, self.sheet_card.photo, self.sheet_card.tools
        yield
        self.column = Column()
        row.addWidget(self.column)
        self.text_card = TextCard(lab, self.reading)
        self.column.cards.addWidget(self.text_card, 1)
        self.history = HistoryRows(lab)
        self.text_card.body.addWidget(self.history)
        self.text_card.resized.connect(lambda height: self.history.set_rows(min((height - TEXT) // ROW, 3)))
        yield
        self.stages_card = StagesCard(lab)
        self.content.addWidget(self.stages_card)
        self.stages_card.opened.connect(self.sheet_card.open_stage)
        yield
        self.teach_card = TeachCard(lab)
        self.column.cards.addWidget(self.teach_card)
        yield
        self._order_tabs()
        lab.state.probe.subscribe(self._follow_probe)
        yield

    def _order_tabs(self) -> None:
        """Let Tab go through the panel as it is read."""
        text = self.text_card
        order = (
            *self.sheet_card.tab_stops, *self.batch.tab_stops, text.copy, text.text, text.next_button, text.save, self.history.rows,
            *tab_stops(self.teach_card), self.stages_card.row,
        )  # fmt: skip
        for one, next_one in pairwise(order):
            self.setTabOrder(one, next_one)

    def wire(self, actions: Mapping[str, QAction]) -> None:
        self.tools.wire(actions)

    def came_into_sight(self) -> None:
        self.reading.set_in_sight(True)

    def went_out_of_sight(self) -> None:
        self.reading.set_in_sight(False)

    def _follow_probe(self, _: Probe) -> None:
        self.setFocusProxy(self.sheet_card.view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.column.setFixedWidth(_share(self.width(), *COLUMN))
        self.stages_card.setVisible(self.height() >= LOW)
        self.stages_card.setFixedHeight(_share(self.height(), *STRIP))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = typed_digit(event)
        if digit is not None and any(view.hasFocus() for view in (self.canvas, self.photo, self.text_card.text)):
            self.lab.correct(digit)
        elif event.key() == Qt.Key.Key_Backspace and self.canvas.hasFocus():
            self.sheet_card.wipe_chosen()
        elif event.key() == Qt.Key.Key_Escape and self.sheet_card.views.currentWidget() is self.sheet_card.large:
            self.sheet_card.leave_stage()
        elif event.key() == Qt.Key.Key_Escape and self.lab.state.chosen.value is not None and not self.notice.isVisible():
            self.lab.state.choose(None)
        else:
            super().keyPressEvent(event)


def _share(whole: int, share: float, least: int, most: int) -> int:
    return min(max(round(whole * share), least), most)
