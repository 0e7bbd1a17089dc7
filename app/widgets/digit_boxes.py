"""Boxes over the digits of a picture, each with its answer above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.theme import font, theme


@dataclass(frozen=True)
class DigitBox:
    """A digit in a picture."""

    box: tuple[int, int, int, int]
    """(x, y, width, height) in the picture's pixels"""
    digit: int
    sure: bool
    """Whether the answer is sure; others are drawn dashed, in the second colour, with a question mark."""


def paint_boxes(painter: QPainter, boxes: Sequence[DigitBox], picture: QRect, width: int, height: int) -> None:
    """Paint boxes over a picture of `width` by `height` pixels that lies at `picture` in the widget."""
    colors = theme().colors
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font(12, bold=True))
    across, down = picture.width() / width, picture.height() / height
    line = painter.fontMetrics().height()
    for each in boxes:
        x, y, wide, high = each.box
        frame = QRectF(picture.x() + x * across, picture.y() + y * down, wide * across, high * down).adjusted(-3, -3, 3, 3)
        color, text = (colors.accent, f"{each.digit}") if each.sure else (colors.second, f"{each.digit}?")
        painter.setPen(QPen(QColor(color), 1.2, Qt.PenStyle.SolidLine if each.sure else Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 3, 3)
        # Above the box, or inside it at the picture's upper edge.
        top = frame.top() - line if frame.top() - line >= picture.top() else frame.top()
        tag = QRectF(
            QPointF(frame.left(), top), QPointF(frame.left() + painter.fontMetrics().horizontalAdvance(text) + 8, top + line)
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.panel))
        painter.drawRoundedRect(tag, 3, 3)
        painter.setPen(QColor(color))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
