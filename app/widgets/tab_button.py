"""TabButton: the name of one of several pages."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QToolButton

SPARE = 8
"""Pixels that the style takes from the room of the name."""


class TabButton(QToolButton):
    """A name that is pressed to bring its page into sight, and stays pressed meanwhile."""

    def __init__(self, text: str, checked: bool = False) -> None:
        super().__init__(text=text, checkable=True, checked=checked, focusPolicy=Qt.FocusPolicy.StrongFocus)
        self.setProperty("role", "tab")

    def sizeHint(self) -> QSize:
        """Of the name in bold, as it is while its page is in sight: otherwise it would be cut, or push the others."""
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        wider = QFontMetrics(bold).horizontalAdvance(self.text()) - self.fontMetrics().horizontalAdvance(self.text())
        return super().sizeHint() + QSize(max(wider, 0) + SPARE, 0)
