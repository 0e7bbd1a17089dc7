"""MarkLines: thin lines in a plot where something happened, each with a short label where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from app.theme import font, theme

NEAR = 4
"""How many pixels from a line the mouse is upon it."""


@dataclass(frozen=True)
class PlotMark:
    """Something that happened after `step`."""

    step: int
    label: str
    """One or two words, drawn at the line."""
    words: str
    """The same as a sentence."""


class MarkLines(QGraphicsObject):
    """Lies in a view box and draws in its pixels. Labels that would lie upon another are left out."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self._box = box
        self.marks: tuple[PlotMark, ...] = ()
        self.is_below = False
        """Whether the labels stand at the lower edge: where curves rise, the upper one is theirs."""
        self.setZValue(-1)  # behind the curves
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        box.sigXRangeChanged.connect(self._move)
        box.sigResized.connect(self._resize)

    def show_marks(self, marks: Sequence[PlotMark]) -> None:
        """Draw these marks, in order of their steps, in place of those before."""
        if tuple(marks) != self.marks:
            self.marks = tuple(marks)
            self.update()

    def _move(self, *_: object) -> None:
        if self.marks:
            self.update()

    def _resize(self, *_: object) -> None:
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def x_of(self, step: float) -> float:
        """Where a step is, in pixels of the view box."""
        return float(self._box.mapFromView(QPointF(step, 0)).x())

    def at(self, x: float) -> list[PlotMark]:
        """The marks whose line is near `x`, in pixels of the view box."""
        return [mark for mark in self.marks if abs(self.x_of(mark.step) - x) <= NEAR]

    def in_sight(self) -> list[tuple[float, PlotMark]]:
        """The marks in sight, each with its place in pixels."""
        width = self._box.rect().width()
        return [(x, mark) for mark in self.marks if 0 <= (x := self.x_of(mark.step)) <= width]

    def labels(self) -> list[tuple[QRectF, str]]:
        """The labels that have room, each with its place: right of its line, or left of it at the right edge."""
        metrics, width = QFontMetrics(font(10)), self._box.rect().width()
        top = self._box.rect().height() - metrics.height() - 1 if self.is_below else 1.0
        found: list[tuple[QRectF, str]] = []
        free = 0.0
        for x, mark in self.in_sight():
            wide = metrics.horizontalAdvance(mark.label) + 6
            left = x + 2 if x + 2 + wide <= width else x - 2 - wide
            if left >= free:
                found.append((QRectF(left, top, wide, metrics.height()), mark.label))
                free = left + wide + 4
        return found

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        colors, height = theme().colors, self._box.rect().height()
        pen = QPen(QColor(colors.dim), 1, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([2, 4])
        painter.setPen(pen)
        for x, _ in self.in_sight():
            painter.drawLine(QPointF(round(x) + 0.5, 0), QPointF(round(x) + 0.5, height))
        painter.setFont(font(10))
        for place, label in self.labels():
            painter.setPen(QColor(colors.dim))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, label)
