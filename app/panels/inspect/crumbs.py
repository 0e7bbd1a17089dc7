"""Crumbs: the way from the unit that was chosen first to the one that is looked at, and back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.widgets.elided import Elided

MOST = 3
"""Steps of the way that are shown besides the last."""


class Crumbs(QWidget):
    """A button for each of the last steps, and in words where one is."""

    gone_back = Signal(int)
    """So many steps back."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self.buttons = [QToolButton(focusPolicy=Qt.FocusPolicy.StrongFocus) for _ in range(MOST)]
        for number, button in enumerate(self.buttons):
            button.setProperty("role", "link")
            button.clicked.connect(lambda _=False, back=MOST - number: self.gone_back.emit(back))
            row.addWidget(button)
        self.here = Elided("value")
        row.addWidget(self.here, 1)

    def show_way(self, steps: Sequence[str], here: str) -> None:
        """Show the steps before, the first first, and where one is."""
        last = list(steps[-MOST:])
        for number, button in enumerate(self.buttons):
            at = number - (MOST - len(last))
            button.setVisible(at >= 0)
            if at >= 0:
                button.setText(f"{last[at]} ‹")
                button.setToolTip(f"Back to {last[at]}")
        self.here.show_words(here)
