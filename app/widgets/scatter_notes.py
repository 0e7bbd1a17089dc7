"""What is painted over the points of a scatter plot: a card about one of them, and the picture that is marked among them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.theme import font, theme
from app.widgets.pixels import to_qimage
from nncore.arrays import Array

LARGE, SMALL = 84, 42
"""Pixels of the longer side of the picture of a point, and of the one that is marked."""
PAD, AWAY = 8, 16
"""Pixels around what a card holds, and from a point to its card."""


def scaled(image: QImage, side: int) -> tuple[int, int]:
    """Width and height of an image as it is shown: enlarged by a whole number or made smaller, to at most `side` pixels."""
    longest = max(image.width(), image.height(), 1)
    factor: float = side // longest or side / longest
    return max(1, round(image.width() * factor)), max(1, round(image.height() * factor))


def paint_card(painter: QPainter, view: QRectF, at: QPointF, pixels: Array, lines: Sequence[str]) -> QRectF:
    """Paint an image with lines of text beside the point `at`, within the view; returns where."""
    colors, image = theme().colors, to_qimage(pixels)
    wide, high = scaled(image, LARGE)
    painter.setFont(font(12))
    metrics = painter.fontMetrics()
    room_wide = max(wide, *(metrics.horizontalAdvance(line) for line in lines)) + 2 * PAD
    room = QRectF(0, 0, room_wide, high + len(lines) * metrics.height() + 2 * PAD + 4)
    room.moveTo(at.x() + AWAY, at.y() - room.height() / 2)
    if room.right() > view.right() - 2:
        room.moveRight(at.x() - AWAY)
    room.moveTop(min(max(room.top(), view.top() + 2), view.bottom() - room.height() - 2))
    painter.setPen(QColor(colors.line))
    painter.setBrush(QColor(colors.panel))
    painter.drawRoundedRect(room, 8, 8)
    _paint_picture(painter, image, QRectF(room.x() + PAD, room.y() + PAD, wide, high))
    base = room.y() + PAD + high + 4
    for number, line in enumerate(lines):
        painter.setPen(QColor(colors.dim if number else colors.text))
        place = QRectF(room.x() + PAD, base + number * metrics.height(), room.width(), metrics.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, line)
    return room


def paint_marked(painter: QPainter, view: QRectF, at: QPointF, pixels: Array, opacity: float) -> None:
    """Paint the picture that is marked: a ring at its point, which an arrow at the edge stands for where it is out of sight, and
    the picture beside it.
    """
    colors, image = theme().colors, to_qimage(pixels)
    wide, high = scaled(image, SMALL)
    room = view.adjusted(9, 9, -9, -9)
    inside = QPointF(min(max(at.x(), room.left()), room.right()), min(max(at.y(), room.top()), room.bottom()))
    corner = QPointF(inside.x() + AWAY, inside.y() - AWAY - high)
    if corner.x() + wide > view.right() - 4:
        corner.setX(inside.x() - AWAY - wide)
    if corner.y() < view.top() + 4:
        corner.setY(inside.y() + AWAY)
    place = QRectF(corner.x(), corner.y(), wide, high)
    painter.setOpacity(opacity)
    is_out = inside != at
    for color, width in ((colors.panel, 5.0), (colors.accent, 2.0)):  # with a rim, since it lies upon dots of any colour
        painter.setPen(QPen(QColor(color), width, Qt.PenStyle.DotLine if is_out and width < 5 else Qt.PenStyle.SolidLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawLine(inside, _nearest_corner(place, inside))
        painter.drawEllipse(inside, 7, 7)
    _paint_picture(painter, image, place)
    painter.setPen(QPen(QColor(colors.accent), 2))
    painter.drawRect(place.adjusted(-1, -1, 1, 1))
    painter.setOpacity(1)


def _nearest_corner(room: QRectF, point: QPointF) -> QPointF:
    corners = (room.topLeft(), room.topRight(), room.bottomLeft(), room.bottomRight())
    return min(corners, key=lambda corner: (corner - point).manhattanLength())


def _paint_picture(painter: QPainter, image: QImage, place: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.width() < image.width())
    painter.drawImage(place, image)
