"""ImageGrid: any number of small images with captions, of which only those in sight are drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea

from app.theme import font, theme
from app.widgets.pixels import picture_menu, to_qimage
from nncore.backend import Array

CAPTION = 20
GAP = 8


class ImageGrid(QAbstractScrollArea):
    """Images uint8 (N, H, W, 1 or 3), their captions asked for as they come in sight.

    `activated` carries the position of an image that was clicked, or chosen with Return; arrows move the choice.
    """

    activated = Signal(int)

    def __init__(self, name: str, hint: str = "", scale: int = 2) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(24)
        self._images: Array = np.empty((0, 28, 28, 1), np.uint8)
        self._caption: Callable[[int], str] = str
        self._hint, self._scale, self.current = hint, scale, -1
        theme().changed.connect(self.viewport().update)

    def set_images(self, images: Array, caption: Callable[[int], str], hint: str | None = None) -> None:
        """Show other images from the top on; `caption` gives the words under the image at a position."""
        self._images, self._caption, self.current = images, caption, -1
        self._hint = self._hint if hint is None else hint
        self.verticalScrollBar().setValue(0)
        self._layout()

    def __len__(self) -> int:
        return len(self._images)

    @property
    def _cell(self) -> QSize:
        height, width = self._images.shape[1:3]
        return QSize(max(width * self._scale, 44) + GAP, height * self._scale + CAPTION + GAP)

    @property
    def _columns(self) -> int:
        return max(1, self.viewport().width() // self._cell.width())

    def _layout(self) -> None:
        rows = -(-len(self._images) // self._columns)
        page = self.viewport().height()
        self.verticalScrollBar().setRange(0, max(0, rows * self._cell.height() - page))
        self.verticalScrollBar().setPageStep(page)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout()

    def cell_rect(self, index: int) -> QRect:
        """Where the image at `index` lies in the viewport."""
        row, column = divmod(index, self._columns)
        size = self._cell
        return QRect(QPoint(column * size.width(), row * size.height() - self.verticalScrollBar().value()), size)

    def index_at(self, point: QPoint) -> int:
        """The image at a point of the viewport, or −1."""
        size = self._cell
        column, row = point.x() // size.width(), (point.y() + self.verticalScrollBar().value()) // size.height()
        index = row * self._columns + column
        return index if 0 <= column < self._columns and 0 <= index < len(self._images) else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self.viewport())
        painter.setFont(font(12))
        if not len(self._images):
            painter.setPen(QColor(colors.dim))
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            return
        top, height = self.verticalScrollBar().value(), self._cell.height()
        first = top // height * self._columns
        last = min(len(self._images), ((top + self.viewport().height()) // height + 1) * self._columns)
        width = self._images.shape[2] * self._scale
        for index in range(first, last):
            cell = self.cell_rect(index)
            place = QRect(cell.x() + (cell.width() - GAP - width) // 2, cell.y(), width, self._images.shape[1] * self._scale)
            painter.drawImage(place, to_qimage(self._images[index]))
            if index == self.current:
                painter.setPen(QPen(QColor(colors.accent), 2))
                painter.drawRect(place.adjusted(-1, -1, 1, 1))
            painter.setPen(QColor(colors.accent if index == self.current else colors.dim))
            words = QRect(cell.x(), place.bottom() + 1, cell.width() - GAP, CAPTION)
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self._caption(index))

    def choose(self, index: int) -> None:
        """Make an image the current one, scroll it into sight, and tell."""
        self.current = min(max(index, 0), len(self._images) - 1)
        cell, bar = self.cell_rect(self.current), self.verticalScrollBar()
        if cell.top() < 0 or cell.bottom() > self.viewport().height():
            bar.setValue(bar.value() + (cell.top() if cell.top() < 0 else cell.bottom() - self.viewport().height()))
        self.viewport().update()
        self.activated.emit(self.current)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.choose(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, self.viewport().height() // self._cell.height()) * self._columns
        keys = Qt.Key
        moves: dict[int, int] = {
            keys.Key_Left: -1,
            keys.Key_Right: 1,
            keys.Key_Up: -self._columns,
            keys.Key_Down: self._columns,
            keys.Key_PageUp: -page,
            keys.Key_PageDown: page,
            keys.Key_Home: -len(self._images),
            keys.Key_End: len(self._images),
            keys.Key_Return: 0,
        }
        if event.key() in moves and len(self._images):
            self.choose(self.current + moves[event.key()])
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.index_at(self.viewport().mapFrom(self, event.pos()))
        if index >= 0:
            picture_menu(self, event.globalPos(), self._images[index], make_probe=lambda: self.choose(index))
