"""ClassBalance: for every class its mean image and its number of images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from app.theme import font, theme
from app.widgets.class_rows import ClassRows
from app.widgets.figure import FADED
from app.widgets.pixels import picture_menu, to_qimage
from nncore.arrays import Array

ROW, THUMB = 36, 32
"""Height of a row, and side of the square for its mean image, in pixels: one a pixel of SVHN's and MNIST's images."""


class ClassBalance(ClassRows):
    """A row for each class: name, mean image, bar, count. A click or Return chooses a class; on the chosen class it chooses all,
    for which `chosen` carries −1.
    """

    ROW_HEIGHT = ROW

    def __init__(self, make_probe: Callable[[int], None] | None = None) -> None:
        """`make_probe` makes the mean image of a class the probe."""
        super().__init__("class balance")
        self._make_probe = make_probe
        self._counts: Array = np.zeros(0, np.int64)
        self._names: tuple[str, ...] = ()
        self._means: Array | None = None
        self._thumbs: list[QImage] = []
        self._awaited = self._fading = False
        self.current = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.verticalScrollBar().setSingleStep(ROW // 3)

    # -- what is shown

    def set_counts(self, counts: Array, names: tuple[str, ...]) -> None:
        """Show other classes. Until `set_means`, mean images of classes with the same names stay, faded."""
        if names != self._names:
            self._means, self._thumbs, self._cursor = None, [], 0
            self.verticalScrollBar().setValue(0)
        self._counts, self._names, self._awaited = counts, names, True
        self.setAccessibleDescription(self._overview())
        self._set_classes(len(counts))
        self.updateGeometry()

    def set_means(self, means: Array) -> None:
        """Show the mean image of each class: float32 (classes, height, width, 1 or 3), 0 to 255.

        All are drawn with the same stretched contrast, since means of photos are nearly grey.
        """
        self._means, self._awaited = means, False
        low, high = float(means.min(initial=255)), float(means.max(initial=0))
        self._thumbs = [to_qimage(image) for image in ((means - low) * (255 / max(high - low, 1))).round().astype(np.uint8)]
        self.viewport().update()

    def set_faded(self, faded: bool) -> None:
        """Draw everything faded, or no longer: for while other data is being opened."""
        self._fading = faded
        self.viewport().update()

    def set_current(self, row: int) -> None:
        """Mark a class as the chosen one, −1 for none, without a signal."""
        self.current = row
        if row >= 0:
            self._move_to(row)
        self.viewport().update()

    def mean_of(self, row: int) -> Array | None:
        """The mean image of a class, float32 (height, width, 1 or 3); None before `set_means`."""
        return None if self._means is None or self._awaited else self._means[row]

    # -- geometry

    def sizeHint(self) -> QSize:
        return QSize(170, ROW * len(self._counts))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, min(3, len(self._counts)) * ROW)

    def thumb_rect(self, row: int) -> QRectF:
        """Where a class's mean image lies in the viewport. Its scale is a whole number of device pixels where possible."""
        place = self.row_rect(row)
        square = QRectF(place.left() + self._name_width() + 4, place.top() + (ROW - THUMB) / 2, THUMB, THUMB)
        if not self._thumbs:
            return square
        size, ratio = self._thumbs[row].size(), self.devicePixelRatioF()
        scale = THUMB / max(size.width(), size.height(), 1)
        scale = max(int(scale * ratio), 1) / ratio if scale >= 1 / ratio else scale
        width, height = size.width() * scale, size.height() * scale
        left, top = (round(side * ratio) / ratio for side in (square.center().x() - width / 2, square.center().y() - height / 2))
        return QRectF(left, top, width, height)

    def _name_width(self) -> int:
        return min(60, max((QFontMetrics(font(12)).horizontalAdvance(name) for name in self._names), default=0) + 10)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(font(12))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(FADED if self._fading else 1)
        for row in self._in_sight():
            self._paint_row(painter, row)

    def _paint_row(self, painter: QPainter, row: int) -> None:
        colors, place, chosen = theme().colors, self.row_rect(row), row == self.current
        metrics, middle = painter.fontMetrics(), Qt.AlignmentFlag.AlignVCenter
        frame = QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.raised))
            painter.drawRoundedRect(frame, 6, 6)
        if self.hasFocus() and row == self._cursor:
            painter.setPen(QPen(QColor(colors.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, 6, 6)
        thumb = self.thumb_rect(row)
        painter.setPen(QColor(colors.accent if chosen else colors.text))
        name = QRect(place.left() + 6, place.top(), self._name_width() - 4, ROW)
        painter.drawText(name, middle, metrics.elidedText(self._names[row], Qt.TextElideMode.ElideRight, name.width()))
        if self._thumbs:
            painter.setOpacity(FADED if self._awaited or self._fading else 1)
            painter.drawImage(thumb, self._thumbs[row])
            painter.setOpacity(FADED if self._fading else 1)
        else:
            painter.fillRect(thumb, QColor(colors.raised))
        words = metrics.horizontalAdvance(f"{int(self._counts.max()):,}")
        left, right = self._name_width() + THUMB + 12, place.right() - 6
        count = QRect(right - words, place.top(), words, ROW)
        painter.setPen(QColor(colors.text if chosen else colors.dim))
        painter.drawText(count, middle | Qt.AlignmentFlag.AlignRight, f"{self._counts[row]:,}")
        room = max(0, right - words - 8 - left)
        width = round(room * int(self._counts[row]) / max(int(self._counts.max()), 1))
        painter.fillRect(QRect(left, place.top() + ROW // 2 - 5, width, 10), QColor(colors.accent))

    # -- choosing

    def choose(self, row: int) -> None:
        """Choose a class, or all where it is chosen already, and emit `chosen`."""
        self._move_to(row)
        self.set_current(-1 if row == self.current else row)
        self.chosen.emit(self.current)

    def words_for(self, row: int) -> str:
        return f"{self._names[row]}: {self._counts[row]:,} of {self._overview()}"

    def _overview(self) -> str:
        return ", ".join(f"{name}: {count:,}" for name, count in zip(self._names, self._counts, strict=True))

    # -- explaining

    def words_at(self, point: QPoint) -> str:
        row = self.row_at(point)
        return self._explain(row) if row >= 0 else ""

    def _explain(self, row: int) -> str:
        count, share = int(self._counts[row]), self._counts[row] / max(int(self._counts.sum()), 1)
        return (
            f"{self._names[row]}: {count:,} image{'s' * (count != 1)}, {share * 100:.1f} % of all.\n"
            "The picture is their mean, in full contrast: what they share is sharp in it, where they differ it is blurred.\n"
            f"Click to see {'all classes again' if row == self.current else 'only these'}."
        )

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        row = self._cursor if by_key else self.row_at(self.viewport().mapFrom(self, event.pos()))
        mean = self.mean_of(row) if row >= 0 else None
        if mean is None:
            return
        make = self._make_probe
        at = self.viewport().mapToGlobal(self.row_rect(row).center()) if by_key else event.globalPos()
        picture_menu(self, at, mean.round().astype(np.uint8), mean, (lambda: make(row)) if make else None)
