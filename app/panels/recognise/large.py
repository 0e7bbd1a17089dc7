"""LargeStage: one stage of the preparation in the sheet's place."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.lab import Lab
from app.panels.recognise.levels import show_levels
from app.panels.recognise.stages import show_stage
from app.widgets.elided import Elided
from app.widgets.pixels import picture_menu
from app.widgets.zoom_picture import ZoomPicture
from nncore.vision import Stage


class LargeStage(QWidget):
    """`left` tells that the user has seen enough of it."""

    left = Signal()

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self.view = ZoomPicture("stage")
        self.words = Elided()
        self.back = QPushButton("‹ Back")
        self.back.setToolTip("Back to the sheet or the picture (Esc)")
        probe = QPushButton("Make it the probe")
        self.tab_stops = (self.back, probe, self.view)
        """The widgets that take the keyboard's focus, in order."""
        probe.setToolTip("Let the network look at this picture in place of the one that it was made from")
        self.back.clicked.connect(self.left)
        probe.clicked.connect(self._make_probe)
        self.view.menu_wanted.connect(self._open_menu)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.back)
        row.addWidget(self.words, 1)
        row.addWidget(probe)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        self.setFocusProxy(self.view)

    def show_stage(self, stage: Stage) -> None:
        """Show a stage, with what was done."""
        self.words.show_words(f"{stage.title}: {stage.words}" if stage.words else stage.title)
        show_levels(self.view, stage.pixels)

    def forget(self) -> None:
        """Let go of the stage that was shown."""
        self.view.set_pixels(None)

    def _make_probe(self) -> None:
        if self.view.pixels is not None:
            show_stage(self._lab, self.view.pixels)

    def _open_menu(self, _: int, at: QPoint) -> None:
        if self.view.pixels is not None:
            picture_menu(self, at, self.view.pixels, make_probe=self._make_probe)
