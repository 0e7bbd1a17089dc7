"""Card: a titled frame, of which panels are composed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

GAP = 12
"""Pixels between cards."""


def label(text: str = "", role: str = "", wrap: bool = False) -> QLabel:
    """A label in one of the stylesheet's roles: title, dim, heading, answer, value."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


class Card(QFrame):
    """A frame with a title in capitals, widgets beside the title, and a `body` layout."""

    def __init__(self, title: str, *beside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(title)
        self.title = label(title.upper(), "title")
        self.header = QHBoxLayout()
        self.header.setSpacing(8)
        self.header.addWidget(self.title)
        self.header.addStretch(1)
        for widget in beside:
            self.header.addWidget(widget)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(8)
        layout.addLayout(self.header)
        layout.addLayout(self.body, 1)
