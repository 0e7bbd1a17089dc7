"""Column: cards below each other, which are scrolled where the window is too low for them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.widgets.card import GAP


class Column(QScrollArea):
    """`cards` is the layout that holds them."""

    def __init__(self) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner, holder = _Shrinking(), QWidget()
        self.cards = QVBoxLayout(inner)
        self.cards.setContentsMargins(0, 0, 0, 0)
        self.cards.setSpacing(GAP)
        around = QVBoxLayout(holder)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(inner)
        self.setWidget(holder)


class _Shrinking(QWidget):
    """Is as low as its cards allow. Where a text in one of them is wrapped, Qt would give them all that they would like to have."""

    def hasHeightForWidth(self) -> bool:
        return False
