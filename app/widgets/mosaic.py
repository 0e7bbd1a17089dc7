"""Mosaic: small maps in rows and columns, such as feature maps, filters, or the units of a linear layer."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.widgets.pixels import colored, picture_menu, to_qimage
from nncore.arrays import Array


class Mosaic(QWidget):
    """Shows maps (n, height, width), each value as a square in a colour of a table.

    A tooltip names the map under the mouse and its value there. The context menu copies and saves.
    """

    def __init__(self, name: str, caption: Callable[[int], str] = "unit {}".format) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._caption = caption
        self._maps: Array = np.zeros((0, 1, 1))
        self._columns, self._scale, self._gap = 1, 1, 2
        self._image = QImage()

    def set_maps(self, maps: Array, table: Array, low: float, high: float, columns: int, scale: int, gap: int = 2) -> None:
        """Show maps (n, height, width), `columns` in a row, `scale` pixels a value, `gap` pixels between them.

        `low` and `high` are the values that get the first and the last colour of `table` (256, 3).
        """
        resized = (maps.shape, columns, scale, gap) != (self._maps.shape, self._columns, self._scale, self._gap)
        self._maps, self._columns, self._scale, self._gap = maps, columns, scale, gap
        self._pixels = colored(maps, table, low, high)
        self._image = to_qimage(self._composed()) if len(maps) else QImage()
        if resized:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        count, height, width = self._maps.shape
        columns, rows = min(count, self._columns), math.ceil(count / self._columns)
        step = self._gap
        return QSize(max(0, columns * (width * self._scale + step) - step), max(0, rows * (height * self._scale + step) - step))

    minimumSizeHint = sizeHint

    def rect_of(self, index: int) -> QRect:
        """Where the map at `index` lies."""
        row, column = divmod(index, self._columns)
        height, width = (size * self._scale for size in self._maps.shape[1:])
        return QRect(column * (width + self._gap), row * (height + self._gap), width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).drawImage(0, 0, self._image)

    def _composed(self) -> Array:
        """All maps in one picture at their scale, uint8 (height, width, 4), transparent between them."""
        count, height, width, _ = self._pixels.shape
        columns, scale = min(count, self._columns), self._scale
        rows = math.ceil(count / columns)
        tall, wide = height * scale + self._gap, width * scale + self._gap
        tiles = np.zeros((rows * columns, tall, wide, 4), np.uint8)
        tiles[:count, : height * scale, : width * scale, :3] = self._pixels.repeat(scale, axis=1).repeat(scale, axis=2)
        tiles[:count, : height * scale, : width * scale, 3] = 255
        sheet = tiles.reshape(rows, columns, tall, wide, 4).swapaxes(1, 2).reshape(rows * tall, columns * wide, 4)
        return sheet[: rows * tall - self._gap, : columns * wide - self._gap]

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for index in range(len(self._maps)):
                rect = self.rect_of(index)
                if rect.contains(event.pos()):
                    row, column = (
                        (event.pos() - rect.topLeft()).y() // self._scale,
                        (event.pos() - rect.topLeft()).x() // self._scale,
                    )
                    value = self._maps[index, row, column]
                    place = f", row {row}, column {column}" if self._maps[index].size > 1 else ""
                    QToolTip.showText(event.globalPos(), f"{self._caption(index)}{place}: {value:.3f}", self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        for index in range(len(self._maps)):
            if self.rect_of(index).contains(event.pos()):
                picture_menu(self, event.globalPos(), self._pixels[index], self._maps[index])
                return

    @staticmethod
    def aligned() -> Qt.AlignmentFlag:
        """The alignment of a mosaic in a layout: top left, at its own size."""
        return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
