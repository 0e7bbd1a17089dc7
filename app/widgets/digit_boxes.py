"""Boxes over the digits of a picture, each with its answer above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QRegion

from app.theme import font, theme

AROUND = 3
"""Pixels between a digit and its box."""
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
"""Columns and lines that an arrow leads on."""
TEXT = 12
"""Size of the answers in pixels."""


@dataclass(frozen=True)
class DigitBox:
    """A digit in a picture."""

    box: tuple[int, int, int, int]
    """(x, y, width, height) in the picture's pixels"""
    digit: int
    sure: bool
    """Whether the answer is sure; others are drawn dashed, in the second colour, with a question mark."""
    is_digit: bool = True
    """Whether it is a digit at all; what is none has a dim box without an answer."""
    corrected: bool = False
    """Whether the user has said what it is: then the answer stands on the colour of the text."""
    chosen: bool = False
    """Whether it is what is looked at: then its frame is thick."""
    tip: str = field(default="", compare=False)
    """What is known of it, in words; changes with every step of a training, and is not painted."""

    @property
    def text(self) -> str:
        """What stands above the box."""
        if not self.is_digit:
            return ""
        return f"{self.digit}" if self.sure or self.corrected else f"{self.digit}?"


def place_of_chosen(boxes: Sequence[DigitBox]) -> int:
    """The place of the digit that is chosen; −1 where none is."""
    return next((n for n, each in enumerate(boxes) if each.chosen), -1)


def place_after(boxes: Sequence[DigitBox], key: int) -> int:
    """The place to which an arrow leads from the digit that is chosen; −1 where there is nothing in that direction.

    Left and right go in the order of reading, up and down to the nearest digit of a line above or below.
    """
    across, down = ARROWS[Qt.Key(key)]
    current = place_of_chosen(boxes)
    if not down or current < 0:
        place = current + across if current >= 0 else 0
        return place if place < len(boxes) else -1
    x, y, wide, high = boxes[current].box
    found, nearest = -1, float("inf")
    for n, each in enumerate(boxes):
        aside = abs(each.box[0] + each.box[2] / 2 - x - wide / 2)
        along = down * (each.box[1] + each.box[3] / 2 - y - high / 2)
        if along > high / 2 and aside + 2 * along < nearest:
            found, nearest = n, aside + 2 * along
    return found


def frame_of(box: tuple[int, int, int, int], picture: QRect, width: int, height: int) -> QRectF:
    """The frame around a box of a picture of `width` by `height` pixels that lies at `picture` in the widget."""
    x, y, wide, high = box
    across, down = picture.width() / width, picture.height() / height
    frame = QRectF(picture.x() + x * across, picture.y() + y * down, wide * across, high * down)
    return frame.adjusted(-AROUND, -AROUND, AROUND, AROUND)


@cache
def _line() -> int:
    """Height of an answer in pixels."""
    return QFontMetrics(font(TEXT, bold=True)).height()


def painted_rect(box: DigitBox, picture: QRect, width: int, height: int) -> QRect:
    """All that is painted of a box, for whoever paints only that anew."""
    line = _line()
    return frame_of(box.box, picture, width, height).adjusted(-3, -3 - line, 3 + 2 * line, 3 + line).toAlignedRect()


def painted_region(box: DigitBox, picture: QRect, width: int, height: int) -> QRegion:
    """The same without the inside of the frame, on which nothing is painted."""
    inside = frame_of(box.box, picture, width, height).adjusted(3, 3 + _line(), -3, -3).toAlignedRect()
    outside = QRegion(painted_rect(box, picture, width, height))
    return outside.subtracted(QRegion(inside)) if inside.isValid() else outside


def paint_boxes(
    painter: QPainter, boxes: Sequence[DigitBox], picture: QRect, width: int, height: int, highest: int | None = None
) -> None:
    """Paint boxes over a picture of `width` by `height` pixels that lies at `picture` in the widget.

    No answer is written above `highest`, a row of the widget: the picture's upper edge unless told.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font(TEXT, bold=True))
    for each in sorted(boxes, key=lambda box: box.chosen):  # the chosen one over its neighbours
        _paint_box(painter, each, frame_of(each.box, picture, width, height), picture.top() if highest is None else highest)


def _paint_box(painter: QPainter, box: DigitBox, frame: QRectF, highest: int) -> None:
    colors = theme().colors
    color = QColor(colors.dim if not box.is_digit else colors.accent if box.sure or box.corrected else colors.second)
    dashed = box.is_digit and not box.sure and not box.corrected
    painter.setPen(QPen(color, 2.6 if box.chosen else 1.2, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(frame, 3, 3)
    if not box.text:
        return
    metrics = painter.fontMetrics()
    # Above the box, or inside it at the upper edge of what is seen.
    top = frame.top() - metrics.height() if frame.top() - metrics.height() >= highest else max(frame.top(), float(highest))
    tag = QRectF(
        QPointF(frame.left(), top), QPointF(frame.left() + metrics.horizontalAdvance(box.text) + 8, top + metrics.height())
    )
    painter.setPen(Qt.PenStyle.NoPen)
    filled = box.chosen or box.corrected
    painter.setBrush(QColor(colors.text) if box.corrected else color if box.chosen else QColor(colors.panel))
    painter.drawRoundedRect(tag, 3, 3)
    painter.setPen(QColor(colors.panel) if filled else color)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, box.text)
