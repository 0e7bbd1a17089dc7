"""Ink: the pixels of a sheet, onto which strokes are painted as they grow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from app.stroke import HEIGHT, Stroke
from nncore.arrays import Array

Place: TypeAlias = tuple[slice, slice]
"""Rows and columns of the sheet."""
STEP = 3.0
"""Pixels after which the width of a line that gets wider or narrower is changed."""


class Ink:
    """A sheet of `width` by `height` pixels, ink 255 on 0.

    Strokes are smooth: a curve runs from the middle between two points to the middle between the next two. The last half of the
    way to the pen, whose curve is not known yet, is straight until it is.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._rows = np.zeros((height, -4 * (-width // 4)), np.uint8)  # Qt wants rows of whole words
        self._below: tuple[Place, Array] | None = None
        """Where the last, straight part of the stroke in hand lies, and what was there before."""

    def clear(self) -> None:
        """Take all ink away."""
        self._rows[:] = 0
        self._below = None

    def take(self, pixels: Array) -> None:
        """Show the ink of other pixels, uint8 (height, width, 1)."""
        self._rows[:, : self.width] = pixels[..., 0]
        self._below = None

    def pixels(self) -> Array:
        """uint8 (height, width, 1)"""
        return self._rows[:, : self.width, None].copy()

    def image(self, colors: Sequence[int]) -> QImage:
        """The sheet in the 256 colours of a table, from paper to ink. It shows the ink as it is now and later."""
        # The bytes are read as indices into the table: what is shown follows the theme, the pixels do not.
        image = QImage(self._rows.data, self.width, self.height, self._rows.strides[0], QImage.Format.Format_Indexed8)
        image.setColorTable(colors)
        return image

    def begin(self, stroke: Stroke) -> QRect:
        """Paint the first point of a stroke, and return the part of the sheet that may have changed."""
        self._below = None
        return self._line(stroke, [QPointF(*stroke.points[0])], stroke.widths[0], stroke.widths[0])

    def extend(self, stroke: Stroke) -> QRect:
        """Paint what the last point of the stroke in hand, not its first, has added, and return the part that may have changed."""
        changed = QRect()
        if self._below is not None:
            place, pixels = self._below
            self._rows[place] = pixels
            changed = _rect(place)
        before, last = (QPointF(*point) for point in stroke.points[-2:])
        widths = stroke.widths
        middle, width = (before + last) / 2, (widths[-2] + widths[-1]) / 2
        if len(stroke.points) == 2:
            changed |= self._line(stroke, [before, middle], widths[-2], width)
        else:
            start = (QPointF(*stroke.points[-3]) + before) / 2
            changed |= self._line(stroke, [start, before, middle], (widths[-3] + widths[-2]) / 2, width)
        tip = self._place([middle, last], max(width, widths[-1]))
        self._below = tip, self._rows[tip].copy()
        return changed | self._line(stroke, [middle, last], width, widths[-1])

    def paint(self, stroke: Stroke) -> None:
        """Paint a whole stroke, to the same pixels as when it was drawn."""
        drawn = Stroke(stroke.erases, stroke.sheet)
        for point, width in zip(stroke.points, stroke.widths, strict=True):
            drawn.points.append(point)
            drawn.widths.append(width)
            if len(drawn.points) == 1:
                self.begin(drawn)
            else:
                self.extend(drawn)

    def _line(self, stroke: Stroke, points: Sequence[QPointF], first: float, last: float) -> QRect:
        """Paint a dot, a line, or a curve past its middle point, `first` wide where it begins and `last` where it ends."""
        place = self._place(points, max(first, last))
        rect = _rect(place)
        if rect.isEmpty():
            return rect
        image = QImage(rect.size(), QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(-rect.topLeft())
        pen = QPen(QColor(255, 255, 255), first)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        if len(points) == 1:
            painter.drawPoint(points[0])
        else:
            path = QPainterPath(points[0])
            path.quadTo(points[1], points[-1])
            if first == last:
                painter.drawPath(path)
            else:
                count = max(1, round(path.length() / STEP))
                places = [path.pointAtPercent(part / count) for part in range(count + 1)]
                for part in range(count):
                    pen.setWidthF(first + (last - first) * (part + 1) / count)
                    painter.setPen(pen)
                    painter.drawLine(places[part], places[part + 1])
        painter.end()
        added = np.frombuffer(image.constBits(), np.uint8).reshape(rect.height(), -1)[:, : rect.width()]
        below = self._rows[place]
        # Where parts of a stroke overlap the darker counts. Painted over each other, their soft edges would add up to bumps.
        below[:] = np.minimum(below, 255 - added) if stroke.erases else np.maximum(below, added)
        return rect

    def _place(self, points: Sequence[QPointF], width: float) -> Place:
        """The rows and columns that a line of that width through the points may touch."""
        reach = width / 2 + 2
        y, x = [point.y() for point in points], [point.x() for point in points]
        top, left = max(math.floor(min(y) - reach), 0), max(math.floor(min(x) - reach), 0)
        bottom, right = min(math.ceil(max(y) + reach), self.height), min(math.ceil(max(x) + reach), self.width)
        return slice(top, max(bottom, top)), slice(left, max(right, left))


def _rect(place: Place) -> QRect:
    rows, columns = place
    return QRect(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)


def painted(strokes: Sequence[Stroke]) -> Iterator[Array]:
    """The pixels of a drawing after each of its strokes, one at least: uint8 (336, width of the sheet, 1), ink 255 on 0."""
    ink = Ink(strokes[0].sheet, HEIGHT)
    for stroke in strokes:
        ink.paint(stroke)
        yield ink.pixels()
