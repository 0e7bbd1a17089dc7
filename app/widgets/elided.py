"""Texts and buttons that keep their width whatever they say, so that nothing beside them moves."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolButton

CHIP_ROOM = 46
"""Pixels of a chip that are not its text: icon, padding, frame."""
LEAST_CHIP = 70
"""Least width of a chip in pixels."""


class Elided(QLabel):
    """A line of text that ends in … where there is no room for more; its tooltip then holds all of it.

    It takes the width that it is given: `width` pixels, or where that is 0 what the layout has left. Another text is painted
    without asking the layout, which a label's own `setText` would set going in the whole window.
    """

    def __init__(self, role: str = "dim", width: int = 0) -> None:
        super().__init__()
        self.setProperty("role", role)
        self._width, self._shown = width, ""
        policy = QSizePolicy.Policy.Fixed if width else QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, QSizePolicy.Policy.Preferred)
        self.words = ""
        """The whole text."""

    def show_words(self, words: str) -> None:
        """Show a text in place of the one before."""
        if words != self.words:
            self.words = words
            self.setAccessibleName(words)
            self._elide()

    def text(self) -> str:
        """The text as it is shown."""
        return self._shown

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._elide()

    def sizeHint(self) -> QSize:
        return QSize(self._width, self.fontMetrics().height())

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        self.style().drawItemText(
            QPainter(self),
            self.contentsRect(),
            int(self.alignment()),
            self.palette(),
            self.isEnabled(),
            self._shown,
            self.foregroundRole(),
        )

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideRight, self.width())
        if shown != self._shown:
            self._shown = shown
            self.update()
        tip = self.words if shown != self.words else ""
        if tip != self.toolTip():
            self.setToolTip(tip)


class Chip(QToolButton):
    """A button with an icon and a text, `width` pixels wide where there is room, and shortened in its middle where it is longer."""

    def __init__(self, width: int) -> None:
        super().__init__(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup)
        self._width, self._words = width, ""
        self.setProperty("role", "chip")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_words(self, words: str) -> None:
        """Show a text in place of the one before."""
        self._words = words
        self.setStatusTip(words)
        self._elide()

    def sizeHint(self) -> QSize:
        return QSize(self._width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST_CHIP, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideMiddle, self.width() - CHIP_ROOM))
