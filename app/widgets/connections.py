"""The lines that lead to a value from those that it was made of: painted over maps, with their numbers clear of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen

from app.colors import DIVERGING
from app.theme import font, theme

THICKEST, THINNEST = 3.5, 1.0
"""Width of the lines with the largest weight, and of those with none, in pixels."""
LINE = 15
"""Height of a number in pixels."""


@dataclass(frozen=True)
class Line:
    """A line from a map, or from one value of it."""

    layer: int
    """The number of its layer among those that are shown."""
    unit: int
    place: tuple[int, int] | None
    """Row and column in the map; None for the map as a whole."""
    weight: float
    """What it adds to the value that it leads to: its colour and, as a share of the largest, its width."""
    words: str


def paint_lines(painter: QPainter, target: QRectF, lines: Sequence[Line], end_of: Callable[[Line], QRectF], room: QRectF) -> None:
    """Paint lines to `target`, the rectangle of a value; `end_of` says where each begins, `room` what may be painted on.

    The numbers stand one above the other, left of the target, in the order of the lines' beginnings, so that none covers another.
    """
    if not lines:
        return
    colors = theme().colors
    largest = max(abs(line.weight) for line in lines) or 1.0
    painter.setFont(font(11))
    metrics = painter.fontMetrics()
    ordered = sorted(lines, key=lambda line: end_of(line).center().y())
    places = _places(target, [line.words for line in ordered], metrics, room)
    for line, words in zip(ordered, places, strict=True):
        begin, color = end_of(line), _color(line.weight)
        start, end = QPointF(begin.right(), begin.center().y()), QPointF(words.left(), words.center().y())
        path = QPainterPath(start)
        bend = max((end.x() - start.x()) / 2, 12)
        path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
        width = THINNEST + (THICKEST - THINNEST) * abs(line.weight) / largest
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(colors.panel), width + 2), QPen(color, width)):
            painter.setPen(pen)
            painter.drawPath(path)
        painter.drawRect(begin.adjusted(-1, -1, 1, 1))
    for line, words in zip(ordered, places, strict=True):
        painter.setPen(QPen(_color(line.weight), 1))
        painter.setBrush(QColor(colors.panel))
        painter.drawRoundedRect(words, 4, 4)
        painter.setPen(QColor(colors.text))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, line.words)


def _places(target: QRectF, words: Sequence[str], metrics: QFontMetrics, room: QRectF) -> list[QRectF]:
    """Where the numbers stand: left of the target, around its height, inside of `room`."""
    width = max(metrics.horizontalAdvance(text) for text in words) + 10
    left = max(target.left() - width - 10, room.left())
    height = (LINE + 3) * len(words)
    top = min(max(target.center().y() - height / 2, room.top()), max(room.bottom() - height, room.top()))
    return [QRectF(left, top + (LINE + 3) * number, width, LINE) for number in range(len(words))]


def _color(weight: float) -> QColor:
    """Blue for what takes away, orange for what adds."""
    return QColor(*DIVERGING[24 if weight < 0 else 216].tolist())
