"""EvaluationLine: what is shown, in words; while a long evaluation is under way how far it is, with a button that cancels it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.evaluating import Evaluating
from app.widgets.elided import Elided

LONG = 400
"""Milliseconds after which an evaluation is told of: a short one would only flicker."""
HEIGHT = 22


class EvaluationLine(QWidget):
    """A line of text and a button that is only there when it does something. It keeps its height."""

    def __init__(self, evaluating: Evaluating) -> None:
        super().__init__()
        self._evaluating, self._words = evaluating, ""
        self._is_told = False
        """Whether the evaluation under way has taken so long that it is told of."""
        self.text, self.button = Elided(), QToolButton()
        self.button.setProperty("role", "inline")
        self.button.clicked.connect(self._press)
        self.setFixedHeight(HEIGHT)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self._long = QTimer(self, interval=LONG, singleShot=True)
        self._long.timeout.connect(self._tell)
        evaluating.changed.connect(self._follow)
        evaluating.progressed.connect(self._follow)
        self._show()

    def show_words(self, words: str) -> None:
        """What to say while nothing long is under way."""
        self._words = words
        self._show()

    def _follow(self) -> None:
        if not self._evaluating.is_coming or self._evaluating.is_cancelled:
            self._long.stop()
            self._is_told = False
        elif not self._is_told and not self._long.isActive():
            self._long.start()
        self._show()

    def _tell(self) -> None:
        self._is_told = self._evaluating.is_coming
        self._show()

    def _show(self) -> None:
        found = self._evaluating
        if found.is_cancelled:
            words, act = "Cancelled: not evaluated.", "Evaluate"
        elif self._is_told:
            words = f"{found.progress:,} of {found.count:,} evaluated" if found.count else "being opened…"
            act = "Cancel"
        else:
            words, act = self._words, ""
        self.text.show_words(words)
        self.button.setText(act)
        self.button.setVisible(bool(act))

    def _press(self) -> None:
        if self._evaluating.is_cancelled:
            self._evaluating.again()
        else:
            self._evaluating.cancel()
