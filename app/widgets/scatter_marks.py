"""How the points of a scatter plot look: as dots, as digits or as small pictures, thousands of them in one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import cast

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from shiboken6 import wrapInstance

from app.colors import DARK, Colors
from app.theme import font
from app.widgets.swatch import hex_of
from nncore.arrays import Array

RADIUS = 2.8
"""Of a dot, in pixels."""
SPRITE = 17
"""Pixels of a mark's side, with the space around it."""
GLYPH = 13
"""Size of a digit that stands for a point, in pixels."""
RIM = 2
"""Pixels of a label's rim."""
FIELDS = 10
"""Numbers of a QPainter.PixmapFragment: x, y, source's left, top, width, height, scale across, down, rotation, opacity."""

CLASSES_DARK = (
    "#7fb2ff", "#f5d65b", "#e56b76", "#4fd0a8", "#c58cf0", "#f0983f", "#9fe3ff", "#b6c83e", "#ff9fc6", "#b9aa9c",
)  # fmt: skip
CLASSES_LIGHT = (
    "#2a52be", "#a87900", "#c22f3d", "#00876a", "#7b2fa8", "#d0600a", "#2a9fd0", "#6b7d12", "#d1478c", "#5f5148",
)  # fmt: skip
"""For classes, in order. Ten colours cannot all be told apart by every eye: shapes tell apart what colours do not, and the digits
themselves stand in the plot.
"""


class Shape(Enum):
    """The shape of a dot."""

    DISC = "disc"
    SQUARE = "square"
    TRIANGLE = "triangle"
    DIAMOND = "diamond"
    CROSS = "cross"


D, T, S, R = Shape.DISC, Shape.TRIANGLE, Shape.SQUARE, Shape.DIAMOND
SHAPES = (D, T, S, R, T, D, S, R, D, T)
"""For classes, in order: those whose colours eyes without green cones take for one have different shapes."""


@dataclass(frozen=True)
class Mark:
    """What a group of points has in common."""

    name: str
    color: str
    """`#rrggbb`, or the name of a field of Colors."""
    shape: Shape = Shape.DISC
    size: float = 1.0
    """Of its dots, of RADIUS."""
    has_label: bool = False
    """Whether its name stands in its middle."""


def class_marks(names: Sequence[str], colors: Colors) -> tuple[Mark, ...]:
    """A mark a class, with its label."""
    palette = CLASSES_DARK if colors == DARK else CLASSES_LIGHT
    return tuple(
        Mark(name, palette[number % len(palette)], SHAPES[number % len(SHAPES)], has_label=True)
        for number, name in enumerate(names)
    )


def outline(shape: Shape, x: float, y: float, radius: float) -> QPainterPath:
    """A shape around a point. All have about the area of a disc of that radius."""
    path = QPainterPath()
    if shape is Shape.DISC:
        path.addEllipse(QPointF(x, y), radius, radius)
    elif shape is Shape.SQUARE:
        half = radius * 0.89
        path.addRect(QRectF(x - half, y - half, 2 * half, 2 * half))
    elif shape is Shape.TRIANGLE:
        side = radius * 1.35
        path.addPolygon(QPolygonF([QPointF(x, y - side), QPointF(x + side, y + 0.75 * side), QPointF(x - side, y + 0.75 * side)]))
    elif shape is Shape.DIAMOND:
        far = radius * 1.3
        path.addPolygon(QPolygonF([QPointF(x, y - far), QPointF(x + far, y), QPointF(x, y + far), QPointF(x - far, y)]))
    else:
        far, thick = radius * 1.25, radius * 0.45
        path.addRect(QRectF(x - far, y - thick, 2 * far, 2 * thick))
        path.addRect(QRectF(x - thick, y - far, 2 * thick, 2 * far))
        path.setFillRule(Qt.FillRule.WindingFill)
    path.closeSubpath()
    return path


class Sheet:
    """The marks of a plot, each drawn once: a row a group, first its dot, then one column for each text in its colour."""

    def __init__(self, marks: Sequence[Mark], texts: Sequence[str], ratio: float) -> None:
        """`ratio` is that of the screen's pixels to logical ones."""
        self.side = round(SPRITE * ratio)
        """Of a mark, in the screen's pixels."""
        drawn = QImage(self.side * (1 + len(texts)), self.side * max(len(marks), 1), QImage.Format.Format_ARGB32_Premultiplied)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self.side / SPRITE, self.side / SPRITE)
        painter.setFont(font(GLYPH, bold=True))
        for row, mark in enumerate(marks):
            middle = QPointF(SPRITE / 2, SPRITE * (row + 0.5))
            painter.fillPath(outline(mark.shape, middle.x(), middle.y(), RADIUS * mark.size), QColor(hex_of(mark.color)))
            painter.setPen(QColor(hex_of(mark.color)))
            for column, text in enumerate(texts, 1):
                cell = QRectF(SPRITE * column, SPRITE * row, SPRITE, SPRITE)
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text[:2])
        painter.end()
        self._pixmap = QPixmap.fromImage(drawn)

    def paint(self, painter: QPainter, pixels: Array, groups: Array, texts: Array | None, opacity: Array) -> None:
        """Draw points at `pixels` (N, 2) of the screen, in order, in one call. `groups` and `texts` say which mark and text each
        has, int (N), or without `texts` its dot; `opacity` is that of each, 0 to 1.
        """
        fragments = np.empty((len(pixels), FIELDS))
        # On whole pixels, so that each mark is as crisp as the first.
        fragments[:, :2] = np.floor(pixels - self.side / 2 + 0.5) + self.side / 2
        fragments[:, 2] = 0 if texts is None else (texts + 1) * self.side
        fragments[:, 3] = groups * self.side
        fragments[:, 4:6] = self.side
        fragments[:, 6:8] = 1
        fragments[:, 8] = 0
        fragments[:, 9] = opacity
        if len(fragments):
            # Qt takes a C array; the numbers of a NumPy array lie in memory as those of fragments do.
            first = cast(QPainter.PixmapFragment, wrapInstance(fragments.ctypes.data, QPainter.PixmapFragment))
            painter.drawPixmapFragments(first, len(fragments), self._pixmap)


def paint_label(painter: QPainter, middle: QPointF, words: str, size: int, color: str, ground: str, bold: bool = True) -> None:
    """Paint words around a point, with a rim of the ground's colour so that they stand out from the dots."""
    if painter.paintEngine().type() == QPaintEngine.Type.SVG:
        _paint_words(painter, _path_of(words, size, bold, middle), color, ground)
        return
    drawn = _label(words, size, color, ground, bold, painter.device().devicePixelRatioF())
    half = QPointF(drawn.deviceIndependentSize().width(), drawn.deviceIndependentSize().height()) / 2
    painter.drawPixmap((middle - half).toPoint(), drawn)


@lru_cache(maxsize=64)
def _label(words: str, size: int, color: str, ground: str, bold: bool, ratio: float) -> QPixmap:
    """Words with their rim, drawn once: outlines of letters take longer than thousands of dots."""
    room = _path_of(words, size, bold, QPointF(0, 0)).boundingRect().adjusted(-RIM, -RIM, RIM, RIM)
    drawn = QPixmap(math.ceil(room.width() * ratio), math.ceil(room.height() * ratio))
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(drawn.deviceIndependentSize().width(), drawn.deviceIndependentSize().height()) / 2
    _paint_words(painter, _path_of(words, size, bold, middle), color, ground)
    painter.end()
    return drawn


def _path_of(words: str, size: int, bold: bool, middle: QPointF) -> QPainterPath:
    """The outlines of words around a point."""
    return outlines(words, size, bold).translated(middle)


@lru_cache(maxsize=64)
def outlines(words: str, size: int, bold: bool = True) -> QPainterPath:
    """The outlines of words around the origin; the first ones of a font take tens of milliseconds."""
    path = QPainterPath()
    path.addText(0, 0, font(size, bold), words)
    path.translate(-path.boundingRect().center())
    return path


def _paint_words(painter: QPainter, path: QPainterPath, color: str, ground: str) -> None:
    rim = QPen(QColor(ground), 2 * RIM, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, rim)
    painter.fillPath(path, QColor(color))


def label_room(middle: QPointF, words: str, size: int) -> QRectF:
    """About the room that a label takes, for finding out which of them collide."""
    wide = size * 0.62 * max(len(words), 1) + 6
    return QRectF(middle.x() - wide / 2, middle.y() - size / 2 - 1, wide, size + 2)
