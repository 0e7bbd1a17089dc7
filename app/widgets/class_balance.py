"""ClassBalance: for every class its mean image and its number of images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy, QToolTip

from app.theme import font, theme
from app.widgets.pixels import picture_menu, to_qimage
from nncore.arrays import Array

ROW, THUMB = 36, 32
"""Height of a row, and side of the square for its mean image, in pixels: one a pixel of SVHN's and MNIST's images."""
FADED = 0.35
"""Opacity while other data is awaited."""


class ClassBalance(QAbstractScrollArea):
    """A row for each class: name, mean image, bar, count. `chosen` carries the class that was chosen, −1 for all of them.

    A click or Return chooses a class; on the chosen class it chooses all. Arrows move between the rows.
    """

    chosen = Signal(int)

    def __init__(self, make_probe: Callable[[int], None] | None = None) -> None:
        """`make_probe` makes the mean image of a class the probe."""
        super().__init__()
        self._make_probe = make_probe
        self._counts: Array = np.zeros(0, np.int64)
        self._names: tuple[str, ...] = ()
        self._means: Array | None = None
        self._thumbs: list[QImage] = []
        self._awaited = self._fading = False
        self.current, self._cursor = -1, 0
        self.setAccessibleName("class balance")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.verticalScrollBar().setSingleStep(ROW // 3)
        theme().changed.connect(self.viewport().update)

    # -- what is shown

    def set_counts(self, counts: Array, names: tuple[str, ...]) -> None:
        """Show other classes. Until `set_means`, mean images of classes with the same names stay, faded."""
        if names != self._names:
            self._means, self._thumbs, self._cursor = None, [], 0
            self.verticalScrollBar().setValue(0)
        self._counts, self._names, self._awaited = counts, names, True
        self.setAccessibleDescription(self._overview())
        self._layout()
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

    def _layout(self) -> None:
        page = self.viewport().height()
        self.verticalScrollBar().setRange(0, max(0, ROW * len(self._counts) - page))
        self.verticalScrollBar().setPageStep(page)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout()

    def row_rect(self, row: int) -> QRect:
        """Where a class lies in the viewport."""
        return QRect(0, row * ROW - self.verticalScrollBar().value(), self.viewport().width(), ROW)

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

    def row_at(self, point: QPoint) -> int:
        """The class at a point of the viewport, or −1."""
        row = (point.y() + self.verticalScrollBar().value()) // ROW
        return row if 0 <= row < len(self._counts) else -1

    def _name_width(self) -> int:
        return min(60, max((QFontMetrics(font(12)).horizontalAdvance(name) for name in self._names), default=0) + 10)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(font(12))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(FADED if self._fading else 1)
        first = self.verticalScrollBar().value() // ROW
        last = min(len(self._counts), first + self.viewport().height() // ROW + 2)
        for row in range(first, last):
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

    def _move_to(self, row: int) -> None:
        self._cursor = min(max(row, 0), len(self._counts) - 1)
        place, bar = self.row_rect(self._cursor), self.verticalScrollBar()
        over, under = -place.top(), place.bottom() + 1 - self.viewport().height()
        if over > 0 or under > 0:
            bar.setValue(bar.value() + (-over if over > 0 else under))
        if len(self._counts):
            self.setAccessibleDescription(f"{self._names[self._cursor]}: {self._counts[self._cursor]:,} of {self._overview()}")
        self.viewport().update()

    def _overview(self) -> str:
        return ", ".join(f"{name}: {count:,}" for name, count in zip(self._names, self._counts, strict=True))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().toPoint())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.choose(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page, keys = max(1, self.viewport().height() // ROW), Qt.Key
        moves: dict[int, int] = {
            keys.Key_Up: -1,
            keys.Key_Down: 1,
            keys.Key_PageUp: -page,
            keys.Key_PageDown: page,
            keys.Key_Home: -len(self._counts),
            keys.Key_End: len(self._counts),
        }
        if event.key() in moves and len(self._counts):
            self._move_to(self._cursor + moves[event.key()])
        elif event.key() in (keys.Key_Return, keys.Key_Enter) and len(self._counts):
            self.choose(self._cursor)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    # -- explaining

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos())
            QToolTip.showText(event.globalPos(), self._explain(row) if row >= 0 else "", self)
            return True
        return super().viewportEvent(event)

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
