"""EditsStrip: says in every panel that the network which looks at the probe is changed, and takes that back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from app.core.edits import NO_EDITS, Edits, words
from app.lab import Lab
from app.theme import svg_pixmap, theme
from app.widgets.elided import Elided

NOTION = (
    "All answers to the picture, and all that Inspect shows of it, come from the network with these changes, at every moment of "
    "this run. The run itself, its training, its evaluations and what is saved are not changed. Another run begins without changes."
)


class EditsStrip(QFrame):
    """Hidden while nothing is changed."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.setObjectName("edits")
        self._lab = lab
        self._sign, self.words = QLabel(), Elided("value")
        self.undo, self.undo_all = QPushButton("Undo"), QPushButton("Undo all")
        self.undo.setToolTip("Take the last change back")
        self.undo_all.setToolTip("Show the network again as it was trained")
        self.undo.clicked.connect(self._undo)
        self.undo_all.clicked.connect(lambda: lab.state.edit(NO_EDITS, "changes of the network taken back"))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 16, 4)
        row.setSpacing(8)
        row.addWidget(self._sign)
        row.addWidget(self.words, 1)
        for button in (self.undo, self.undo_all):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
            row.addWidget(button)
        self.setToolTip(NOTION)
        theme().changed.connect(self._tint)
        self._tint()
        lab.state.edits.subscribe(self._show)

    def _show(self, edits: Edits) -> None:
        told = f"The network is changed: {edits}" if edits else ""
        self.words.show_words(told)
        self.setAccessibleName(told)
        self.undo_all.setEnabled(len(edits.steps) > 1)
        self.setVisible(bool(edits))

    def _undo(self) -> None:
        edits = self._lab.state.edits.value
        if edits:
            self._lab.state.edit(edits.before, f"taken back: {words(edits.steps[-1])}")

    def _tint(self) -> None:
        self._sign.setPixmap(svg_pixmap("warning", 16, theme().colors.second, self.devicePixelRatioF()))
