"""PictureView: one picture, its pixels drawn as squares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from app.widgets.pixels import picture_menu, to_qimage
from nncore.arrays import Array


class PictureView(QWidget):
    """Shows uint8 pixels (height, width, 1 or 3), or a hint where there are none.

    Small pictures are enlarged by a whole number; photographs larger than the view are scaled down smoothly.
    """

    clicked = Signal()

    def __init__(self, hint: str = "", name: str = "picture", make_probe: Callable[[Array], None] | None = None) -> None:
        super().__init__()
        self._pixels: Array | None = None
        self._image = QImage()
        self._hint, self._make_probe = hint, make_probe
        self.setAccessibleName(name)
        self.setMinimumSize(56, 56)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    @property
    def pixels(self) -> Array | None:
        return self._pixels

    def set_pixels(self, pixels: Array | None) -> None:
        before = self._pixels
        if pixels is before or (pixels is not None and before is not None and np.array_equal(pixels, before)):
            return
        self._pixels = pixels
        self._image = QImage() if pixels is None else to_qimage(pixels)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(252, 252)

    def picture_rect(self) -> QRect:
        """Where the picture lies in the widget."""
        if self._pixels is None:
            return self.rect()
        height, width = self._pixels.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        if scale >= 1:
            # Whole device pixels, so that squares stay squares on scaled screens too.
            ratio = self.devicePixelRatioF()
            scale = max(np.floor(scale * ratio), 1) / ratio
        size = QSize(round(width * scale), round(height * scale))
        return QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._pixels is None:
            painter.fillRect(self.rect(), QColor(theme().colors.raised))
            painter.setPen(QColor(theme().colors.dim))
            painter.setFont(font())
            painter.drawText(
                self.rect().adjusted(12, 12, -12, -12), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint
            )
            return
        rect = self.picture_rect()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, rect.width() < self._pixels.shape[1])
        painter.drawImage(rect, self._image)
        if self.hasFocus():
            painter.setPen(QColor(theme().colors.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        pixels, make = self._pixels, self._make_probe
        if pixels is not None:
            picture_menu(self, event.globalPos(), pixels, make_probe=(lambda: make(pixels)) if make else None)
