"""WhatDiffers: the card with the settings that the ticked runs do not share."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from app.core.differences import differences
from app.lab import Lab
from app.theme import font, theme
from app.widgets.card import Card, label
from app.widgets.swatch import swatch_icon

LEAST = 110
"""Least height of the table in pixels."""
NARROWEST = 62
"""Least pixels of a column. Columns share the width; where all of them have so few, they are scrolled."""


class WhatDiffers(Card):
    """A row for each setting that differs, a column for each ticked run. What is not as in the first run is emphasised."""

    def __init__(self, lab: Lab) -> None:
        super().__init__("What differs")
        self._lab = lab
        self.table = QTableWidget(0, 0, showGrid=False)
        self.table.setAccessibleName("what differs between the ticked runs")
        settings = self.table.verticalHeader()  # which stays in sight when the columns are scrolled
        settings.setDefaultSectionSize(26)
        settings.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        settings.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        settings.setHighlightSections(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setMinimumHeight(LEAST)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(NARROWEST)
        # Names are cut by the header's own font and margins, which must be those that the stylesheet has them drawn with.
        header.setFont(font(bold=True))
        header.setStyleSheet("QHeaderView::section { padding: 6px 4px; }")
        header.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of runs differ at their ends
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.words = label("", "dim", wrap=True)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.words)
        self.body.addStretch(0)
        lab.comparing.ticked_changed.connect(self._show)
        theme().changed.connect(self._show)
        self._show()

    def hasHeightForWidth(self) -> bool:
        return False  # a wrapped sentence would have the whole panel laid out by the heights that its parts would like best

    def _show(self) -> None:
        """Compare the ticked runs."""
        ticked = self._lab.comparing.ticked
        found, same = differences([each.run for each in ticked]) if len(ticked) > 1 else ([], 0)
        self.table.setVisible(bool(found))
        self.words.setText(_words(len(ticked), len(found), same))
        self.table.setRowCount(len(found))
        self.table.setColumnCount(len(ticked))
        if not found:
            return
        for place, each in enumerate(ticked):
            head = QTableWidgetItem(swatch_icon(each.color, self.devicePixelRatioF()), each.run.name)
            head.setToolTip(each.run.name)
            self.table.setHorizontalHeaderItem(place, head)
        colors = theme().colors
        for row, difference in enumerate(found):
            self.table.setVerticalHeaderItem(row, QTableWidgetItem(difference.title))
            for column, text in enumerate(difference.values):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column in difference.differing:
                    item.setFont(font(bold=True))
                    item.setForeground(QColor(colors.text))
                else:
                    item.setForeground(QColor(colors.dim))
                self.table.setItem(row, column, item)


def _words(ticked: int, differ: int, same: int) -> str:
    """What stands below the table, or in its place."""
    if ticked < 2:
        return "Tick two runs or more: the settings that they do not share stand here."
    if not differ:
        return "All settings are the same."
    others = "1 other setting is" if same == 1 else f"{same} other settings are"
    return f"{others} the same. What is not as in the first run is emphasised."
