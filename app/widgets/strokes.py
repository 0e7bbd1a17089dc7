"""Strokes: the lines and dots of a plot as one item of its view box, painted together.

pyqtgraph's own curves are items each, which measure themselves and keep pixels of their own; drawing five of them anew takes
twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from nncore.arrays import Array

FARTHEST = 1e5
"""Pixels beyond which nothing is drawn: Qt's coordinates do not reach endlessly far."""


@dataclass(eq=False)
class Stroke:
    """A line, or the dots in its place."""

    size: float = 0.0
    """Diameter of the dots in pixels; 0 for a line."""
    is_smooth: bool = True
    """Whether it has smooth edges, which take a line of many turns long to draw."""
    pen: QPen = field(default_factory=lambda: QPen(Qt.PenStyle.NoPen))
    brush: QBrush = field(default_factory=QBrush)
    """What dots are filled with."""
    x: Array = field(default_factory=lambda: np.empty(0))
    y: Array = field(default_factory=lambda: np.empty(0))
    """float64 (N); where y is not finite, or not above 0 on a logarithmic axis, a line has a gap."""


class Strokes(QGraphicsObject):
    """Lies in a view box and draws in its pixels, one stroke over the other in their order."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self._box, self._strokes = box, list[Stroke]()
        self.is_logarithmic = False
        """Whether the view box holds powers of ten of y."""
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        box.sigRangeChanged.connect(lambda *_: self.update())
        box.sigResized.connect(lambda *_: self.prepareGeometryChange())

    def add(self, size: float = 0.0, is_smooth: bool = True) -> Stroke:
        """A new stroke over all others."""
        self._strokes.append(Stroke(size, is_smooth))
        return self._strokes[-1]

    def put(self, stroke: Stroke, x: Array, y: Array) -> None:
        """Give a stroke its points; nothing is drawn anew where they are those that it has."""
        if not (np.array_equal(stroke.x, x) and np.array_equal(stroke.y, y, equal_nan=True)):
            stroke.x, stroke.y = x, y
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def pixels_of(self, stroke: Stroke) -> tuple[Array, Array]:
        """Where the points of a stroke are, in pixels of the view box; nan where they lie nowhere."""
        (left, right), (bottom, top) = self._box.viewRange()
        rect, y = self._box.rect(), stroke.y
        if self.is_logarithmic:
            y = np.log10(y, where=y > 0, out=np.full(len(y), np.nan))
        across = (stroke.x - left) * (rect.width() / (right - left))
        down = (top - np.where(np.isfinite(y), y, np.nan)) * (rect.height() / (top - bottom))
        return np.clip(across, -FARTHEST, FARTHEST), np.clip(down, -FARTHEST, FARTHEST)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        for stroke in self._strokes:
            if not len(stroke.x):
                continue
            across, down = self.pixels_of(stroke)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, stroke.is_smooth)
            painter.setPen(stroke.pen)
            if not stroke.size:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPath(pg.arrayToQPath(across, down, connect="finite"))
                continue
            painter.setBrush(stroke.brush)
            for place in zip(across.tolist(), down.tolist(), strict=True):
                if place[1] == place[1]:  # else nan
                    painter.drawEllipse(QPointF(*place), stroke.size / 2, stroke.size / 2)
