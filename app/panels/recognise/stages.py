"""StagesCard: what happened to the picture on its way into the network, step by step."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPoint, QSize, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy

from app.core.look import Look
from app.core.probe import Kind, Probe
from app.lab import Lab
from app.widgets.card import Card, label
from app.widgets.paragraph import Paragraph
from app.widgets.pixels import picture_menu
from app.widgets.thumbnail_row import TITLE, Thumbnail, ThumbnailRow
from nncore.arrays import Array
from nncore.vision import Stage

NARROW = 480
"""Pixels that the strip needs at least in width."""
WORDS = 250
"""Pixels that are left for the words beside the thumbnails."""
LEAST, MOST = 36, 108
"""Least and largest side of a thumbnail in pixels."""
GAP, TITLED = 12, 116
"""Least pixels between two thumbnails, and from the left edge of one to that of the next so that every title has room."""
PAUSE = 250
"""Milliseconds of rest after which the stages of a drawing that goes on are shown."""
HINT = "Draw a digit, or open, drop or paste a picture: every step from it to the network appears here."


class StagesCard(Card):
    """A strip over the whole width. `opened` carries a stage that should be shown large."""

    opened = Signal(object)

    def __init__(self, lab: Lab) -> None:
        self._ways = label("each step can be opened large, saved, or made the probe", "dim")
        super().__init__("What happened", self._ways)
        self._lab = lab
        self.stages: tuple[Stage, ...] = ()
        """The stages that are shown."""
        self._of: object = None
        """The stages of the look that they come from."""
        self.row = ThumbnailRow("steps of the preparation", MOST, GAP, titled=True)
        self.words = Paragraph(120)
        self.words.show_words(HINT)
        holder = QHBoxLayout()
        holder.setSpacing(0)
        holder.addWidget(self.row)
        holder.addWidget(self.words, 1)
        self.body.addLayout(holder, 1)
        self.row.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)  # a row of few takes no more than that
        self.row.setFixedWidth(0)
        self.row.activated.connect(lambda place: self.opened.emit(self.stages[place]))
        self.row.menu_wanted.connect(self._open_menu)
        self._ways.hide()
        self._next: Look | None = None
        """The last look, where its stages are not shown yet."""
        self._pause = QTimer(self, interval=PAUSE, singleShot=True)
        self._pause.timeout.connect(self._show_next)
        lab.looking.looked.connect(self._take)
        if lab.looking.look is not None:
            self._take(lab.looking.look)

    def _take(self, look: Look) -> None:
        """Show a look: at once, but of a drawing that goes on when the hand rests, since a stroke should be answered first; and
        nothing as long as the strip is out of sight.
        """
        goes_on = look.question.probe.kind is Kind.DRAWING and bool(look.stages) and bool(self.stages)
        self._next = look
        if not self.isVisible():
            return
        if not goes_on:
            self._show_next()
        else:
            self._pause.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self._show_next)

    def _show_next(self) -> None:
        if self._next is not None:
            look, self._next = self._next, None
            self._show_look(look)

    def _show_look(self, look: Look) -> None:
        if self._of is look.stages and (look.stages or look.digit is None):
            return  # while a network trains, each look is at the same stages
        self._of = look.stages
        self.stages = told_stages(look)
        self.row.set_thumbnails([Thumbnail.of(stage.title, stage.pixels, stage.words) for stage in self.stages])
        self.words.show_words(" ".join(stage.words for stage in self.stages) or HINT)
        self._ways.setVisible(bool(self.stages))
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """That of a narrow strip: thumbnails become smaller where there is less room."""
        return QSize(NARROW, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Let the thumbnails be as large as height and width allow."""
        inside = self.contentsRect()
        high = inside.height() - self.title.height() - TITLE - 38
        wide = (inside.width() - 24 - WORDS) // max(len(self.stages), 1)
        side = min(max(min(high, wide - GAP), LEAST), MOST)
        self.row.set_side(side, min(max(side + GAP, TITLED), max(wide, side + GAP)) - side)  # titles have room where there is any
        self.row.setFixedWidth(self.row.width_wanted + (GAP if self.stages else 0))

    def _open_menu(self, place: int, at: QPoint) -> None:
        stage = self.stages[place]
        open_large = ("Open large", lambda: self.opened.emit(stage))
        picture_menu(self, at, stage.pixels, make_probe=lambda: show_stage(self._lab, stage.pixels), first=[open_large])


def show_stage(lab: Lab, pixels: Array) -> None:
    """Make the picture of a stage the probe."""
    lab.state.show_probe(Probe(pixels, "a stage of the preparation"), "a stage of the preparation")


def told_stages(look: Look) -> tuple[Stage, ...]:
    """The stages of a look that changed something. Where the network takes the picture as it is, what it takes is the only one."""
    every = look.stages
    if not every and look.digit is not None:
        height, width = look.digit.image.shape[:2]
        return (Stage(f"As the network sees it: {height}×{width}", look.digit.image, "The network takes the picture as it is."),)
    changed = [n == 0 or not _same(stage.pixels, every[n - 1].pixels) for n, stage in enumerate(every)]
    return tuple(stage for stage, differs in zip(every, changed, strict=True) if differs)


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and math.prod(a.shape) > 0 and np.array_equal(a, b)
