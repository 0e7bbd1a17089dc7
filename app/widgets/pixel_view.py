"""PixelView: one picture to zoom into until the value of every pixel is written in it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QStaticText,
    QWheelEvent,
)  # fmt: skip
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from app.widgets.pixels import picture_menu, to_qimage
from nncore.arrays import Array

GREY_NUMBERS, COLOUR_NUMBERS = 20, 34
"""Least side of a cell, in pixels, for the number of a grey pixel, and for the three of a coloured one."""
NOTCH = 120
"""One notch of a mouse wheel in Qt's units (eighths of a degree)."""
NEAREST = 128
"""Largest side of a cell, in pixels."""
NUMBERS = [QStaticText(str(value)) for value in range(256)]
"""The texts 0 to 255, laid out once: a frame may need two thousand of them."""
LINEAR = np.where((s := np.arange(256) / 255) <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
"""The linear light of each value 0 to 255, from 0 to 1 (sRGB, IEC 61966-2-1)."""


class PixelView(QWidget):
    """Shows uint8 pixels (height, width, 1 or 3) as squares, each a whole number of the screen's pixels wide.

    At first the picture is as large as fits. Wheel, + and − go nearer and farther, Home back; dragging moves the picture; arrows
    move a cursor from pixel to pixel, and the picture with it. `pointed` carries the row and column under the mouse or the cursor.
    """

    pointed = Signal(int, int)

    def __init__(self, name: str = "pixels") -> None:
        super().__init__()
        self._pixels: Array = np.zeros((1, 1, 1), np.uint8)
        self._image = QImage()
        self._cell = 0
        """Side of a cell in the screen's pixels; 0: as large as lets the whole picture fit."""
        self._centre = QPointF(0.5, 0.5)
        """The point of the picture, in its pixels, in the middle of the view."""
        self._cursor = QPoint(0, 0)
        self._held: QPointF | None = None
        self._turned = 0
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    # -- what is shown

    @property
    def pixels(self) -> Array:
        return self._pixels

    @property
    def cursor_pixel(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self._cursor.y(), self._cursor.x()

    def set_pixels(self, pixels: Array) -> None:
        """Show another picture. Where it has the same size, zoom and position stay, so that pictures can be compared."""
        if pixels.shape[:2] != self._pixels.shape[:2]:
            self._cell, self._cursor = 0, QPoint(pixels.shape[1] // 2, pixels.shape[0] // 2)
        self._pixels, self._image = pixels, to_qimage(pixels)
        self.update()

    def words_for(self, row: int, column: int) -> str:
        """The place and value of a pixel as text of constant width."""
        values = self._pixels[row, column]
        padded = [f"{value:3}".replace(" ", "\u2007") for value in values]
        named = padded if len(values) == 1 else [f"{n} {v}" for n, v in zip(("red", "green", "blue"), padded, strict=True)]
        place = f"row {row:2}, column {column:2}".replace("  ", " \u2007")
        return f"{place}:  {'  '.join(named)}"

    # -- geometry

    def sizeHint(self) -> QSize:
        return QSize(560, 560)

    @property
    def _fitting(self) -> int:
        height, width = self._pixels.shape[:2]
        ratio = self.devicePixelRatioF()
        return max(1, int(min(self.width() * ratio / width, self.height() * ratio / height)))

    @property
    def cell(self) -> float:
        """Side of a pixel's square, in the widget's coordinates."""
        return (self._cell or self._fitting) / self.devicePixelRatioF()

    def picture_rect(self) -> QRectF:
        """Where the whole picture lies, also its parts out of sight."""
        height, width = self._pixels.shape[:2]
        cell, ratio = self.cell, self.devicePixelRatioF()
        left = _placed(self.width(), width * cell, self._centre.x() * cell)
        top = _placed(self.height(), height * cell, self._centre.y() * cell)
        # On whole pixels of the screen, so that every square is as large as its neighbour.
        return QRectF(round(left * ratio) / ratio, round(top * ratio) / ratio, width * cell, height * cell)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a pixel's square lies."""
        place, cell = self.picture_rect(), self.cell
        return QRectF(place.left() + column * cell, place.top() + row * cell, cell, cell)

    def pixel_at(self, point: QPointF) -> QPoint | None:
        """Column (x) and row (y) of the pixel at a point of the widget."""
        place = self.picture_rect()
        if not place.contains(point):
            return None
        height, width = self._pixels.shape[:2]
        inside = (point - place.topLeft()) / self.cell
        return QPoint(min(int(inside.x()), width - 1), min(int(inside.y()), height - 1))

    def _in_sight(self) -> QRect:
        """Columns and rows that are in sight."""
        place, cell = self.picture_rect(), self.cell
        height, width = self._pixels.shape[:2]
        left, top = max(0, int(-place.left() / cell)), max(0, int(-place.top() / cell))
        right = min(width, int((self.width() - place.left()) / cell) + 1)
        bottom = min(height, int((self.height() - place.top()) / cell) + 1)
        return QRect(left, top, right - left, bottom - top)

    # -- moving

    def zoom(self, steps: int, around: QPointF | None = None) -> None:
        """Zoom in, or out where `steps` is negative. The point `around` of the widget stays where it is."""
        around = around or self.cell_rect(self._cursor.y(), self._cursor.x()).center()
        before = (around - self.picture_rect().topLeft()) / self.cell
        side, ratio = self._cell or self._fitting, self.devicePixelRatioF()
        for _ in range(abs(steps)):
            side += max(1, side // 5) if steps > 0 else -max(1, side // 6)
        side = min(max(side, self._fitting), int(NEAREST * ratio))
        self._cell = side if side > self._fitting else 0
        # Where the point should lie in the picture follows from where it should lie in the view.
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._look_at(before - (around - middle) / self.cell)

    def fit(self) -> None:
        """Show the whole picture, as large as it fits."""
        self._cell = 0
        self.update()

    def _look_at(self, point: QPointF) -> None:
        """Move a point of the picture into the middle of the view, as far as the edges of the picture allow."""
        height, width = self._pixels.shape[:2]
        half = QPointF(self.width(), self.height()) / (2 * self.cell)
        self._centre = QPointF(
            min(max(point.x(), half.x()), max(width - half.x(), half.x())),
            min(max(point.y(), half.y()), max(height - half.y(), half.y())),
        )
        self.update()

    def _move_cursor(self, columns: int, rows: int) -> None:
        height, width = self._pixels.shape[:2]
        self._cursor = QPoint(min(max(self._cursor.x() + columns, 0), width - 1), min(max(self._cursor.y() + rows, 0), height - 1))
        place, view = self.cell_rect(self._cursor.y(), self._cursor.x()), QRectF(self.rect())
        if not view.contains(place):
            across = max(0.0, place.right() - view.right()) + min(0.0, place.left())
            down = max(0.0, place.bottom() - view.bottom()) + min(0.0, place.top())
            self._look_at(self._centre + QPointF(across, down) / self.cell)
        self.update()
        self.pointed.emit(self._cursor.y(), self._cursor.x())

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        # A touchpad turns by fractions of a notch, which are added up; a turn the other way begins at zero.
        self._turned = turned + (self._turned if turned * self._turned > 0 else 0)
        steps = int(self._turned / NOTCH)
        if steps:
            self._turned -= NOTCH * steps
            self.zoom(steps, event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if event.key() in moves:
            self._move_cursor(*moves[Qt.Key(event.key())])
        elif event.text() in ("+", "=") or event.matches(QKeySequence.StandardKey.ZoomIn):
            self.zoom(1)
        elif event.text() == "-" or event.matches(QKeySequence.StandardKey.ZoomOut):
            self.zoom(-1)
        elif event.key() == Qt.Key.Key_Home:
            self.fit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = event.position()
            pixel = self.pixel_at(event.position())
            if pixel is not None:
                self._cursor = pixel
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and self._cell:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._look_at(self._centre - (event.position() - self._held) / self.cell)
            self._held = event.position()
        pixel = self.pixel_at(event.position())
        if pixel is not None:
            self.pointed.emit(pixel.y(), pixel.x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None
        self.unsetCursor()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._look_at(self._centre)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        self.pointed.emit(self._cursor.y(), self._cursor.x())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        picture_menu(self, event.globalPos(), self._pixels)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, cell, seen = QPainter(self), self.cell, self._in_sight()
        corner = self.cell_rect(seen.top(), seen.left()).topLeft()
        target = QRectF(corner.x(), corner.y(), seen.width() * cell, seen.height() * cell)
        painter.drawImage(target, self._image, QRectF(seen))
        grey = self._pixels.shape[2] == 1
        if cell >= (GREY_NUMBERS if grey else COLOUR_NUMBERS):
            self._paint_numbers(painter, corner, seen)
        if self.hasFocus():
            # Two lines, so that one of them is seen on any pixel.
            square = self.cell_rect(self._cursor.y(), self._cursor.x())
            painter.setPen(QPen(QColor(0, 0, 0), 1))
            painter.drawRect(square.adjusted(1.5, 1.5, -1.5, -1.5))
            painter.setPen(QPen(QColor(theme().colors.accent), 2))
            painter.drawRect(square)

    def _paint_numbers(self, painter: QPainter, corner: QPointF, seen: QRect) -> None:
        cell = self.cell
        pixels = self._pixels[seen.top() : seen.top() + seen.height(), seen.left() : seen.left() + seen.width()]
        channels = pixels.shape[2]
        painter.setFont(font(min(13 if channels == 1 else 12, int(cell * (0.44 if channels == 1 else 0.28)))))
        metrics = painter.fontMetrics()
        line = min(metrics.height(), cell / channels)
        first = (cell - line * channels) / 2 + (line - metrics.height()) / 2
        indent = {length: (cell - metrics.horizontalAdvance("0" * length)) / 2 for length in (1, 2, 3)}
        bright = _is_bright(pixels)
        for dark_ink in (False, True):
            painter.setPen(QColor(0, 0, 0) if dark_ink else QColor(255, 255, 255))
            for row, column in zip(*(found.tolist() for found in np.nonzero(bright == dark_ink)), strict=True):
                x, y = corner.x() + column * cell, corner.y() + row * cell + first
                for value in pixels[row, column].tolist():
                    painter.drawStaticText(QPointF(x + indent[1 if value < 10 else 2 if value < 100 else 3], y), NUMBERS[value])
                    y += line


def _placed(room: float, size: float, centre: float) -> float:
    """Where something of length `size` begins in a length `room`: centred where it fits, else with `centre` in the middle."""
    return (room - size) / 2 if size <= room else min(0.0, max(room - size, room / 2 - centre))


def _is_bright(pixels: Array) -> Array:
    """Whether black is easier to read than white on each pixel (height, width, 1 or 3), by WCAG 2.1: bool (height, width)."""
    light = LINEAR[pixels]
    luminance = light[..., 0] if pixels.shape[2] == 1 else light @ np.array([0.2126, 0.7152, 0.0722])
    return luminance > 0.179
