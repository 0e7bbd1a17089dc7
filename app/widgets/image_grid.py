"""ImageGrid: small images with captions. Only those in sight are drawn, so there can be any number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from app.theme import font, theme
from app.widgets.pixels import picture_menu, to_qimage
from nncore.arrays import Array
from nncore.vision import Box

CAPTION = 12
"""Size of the captions' text in pixels."""
GAP = 8
LARGEST = 128
"""Most pixels of the longer side of an image."""
FADED = 0.35
"""Opacity while other images are awaited."""


class ImageGrid(QAbstractScrollArea):
    """Shows images, uint8 (N, H, W, 1 or 3). Captions are asked for when they come into sight.

    `activated` carries the position of an image that was clicked, or chosen with Return; arrows move the choice. Where
    `takes_several()` is true, more images can be chosen besides: by Ctrl or Shift and a click, or all by Ctrl+A.
    """

    activated = Signal(int)

    def __init__(self, name: str, hint: str = "", scale: int = 2, has_captions: bool = True) -> None:
        """Without captions, `describe` and the choice alone say what an image is."""
        super().__init__()
        self._has_captions = has_captions
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(24)
        self._images: Array = np.empty((0, 28, 28, 1), np.uint8)
        self._indices: Array | None = None
        self._caption: Callable[[int], str] = str
        self._describe: Callable[[int], str] | None = None
        self._offers: list[tuple[str, Qt.Key, Callable[[int], None], Callable[[], bool]]] = []
        self._closer: Callable[[int], None] | None = None
        self.takes_several: Callable[[], bool] = lambda: False
        self._mark: Callable[[int], Box] | None = None
        self._several: set[int] = set()
        self._hint, self._scale, self.current, self._faded = hint, scale, -1, False
        theme().changed.connect(self.viewport().update)

    def set_images(
        self,
        images: Array,
        caption: Callable[[int], str],
        hint: str | None = None,
        indices: Array | None = None,
        describe: Callable[[int], str] | None = None,
        keep_place: bool = False,
    ) -> None:
        """Show other images: those at `indices` in their order, or all of them. Nothing is copied.

        They are shown from the top on, and none is chosen, unless `keep_place`: then the same place stays in sight and chosen.
        `caption` gives the words under the image at a position, what stands after a tab at the right edge; `describe` those
        of its tooltip.
        """
        self._images, self._indices, self._caption, self._describe = images, indices, caption, describe
        self._hint = self._hint if hint is None else hint
        self._several.clear()
        self.current, self._faded = min(self.current, len(self) - 1) if keep_place else -1, False
        if not keep_place:
            self.verticalScrollBar().setValue(0)
        self._layout()

    def set_captions(self, caption: Callable[[int], str]) -> None:
        """Change the captions of the same images."""
        self._caption = caption
        self.viewport().update()

    def set_scale(self, scale: int) -> None:
        """Enlarge images by another whole number."""
        if scale != self._scale:
            self._scale = scale
            self._layout()

    def set_marks(self, mark: Callable[[int], Box] | None) -> None:
        """Mark a part of each image: `mark` gives that of the image at a position. None: mark nothing."""
        self._mark = mark
        self.viewport().update()

    def mark_rect(self, index: int) -> QRectF:
        """Where the marked part of the image at `index` lies in the viewport; where nothing is marked, it is empty."""
        if self._mark is None:
            return QRectF()
        place, (left, top, width, height) = self._place_in(self.cell_rect(index)), self._mark(index)
        scale = place.width() / self._images.shape[2]
        return QRectF(place.x() + left * scale, place.y() + top * scale, width * scale, height * scale)

    def set_faded(self, faded: bool, hint: str | None = None) -> None:
        """Draw the images faded, or no longer. `hint` is shown where there are no images."""
        before, self._faded, self._hint = (self._faded, self._hint), faded, self._hint if hint is None else hint
        if before != (self._faded, self._hint):
            self.viewport().update()

    def offer(self, words: str, key: Qt.Key, act: Callable[[int], None], when: Callable[[], bool] = lambda: True) -> None:
        """Add an entry to the context menu of every image, also by a key. `act` gets the position of the image.

        It is there only where `when()` is true.
        """
        self._offers.append((words, key, act, when))

    def takes_key(self, key: int) -> bool:
        """Whether one of the offers has this key now."""
        return self.current >= 0 and any(wanted == key and when() for _, wanted, _, when in self._offers)

    def offer_closer(self, act: Callable[[int], None]) -> None:
        """Call `act` with the position of an image on a double click or Return."""
        self._closer = act
        self.offer("Look closer", Qt.Key.Key_Return, act)

    def chosen_with(self, position: int) -> list[int]:
        """The positions of all images that are chosen, where that at `position` is one of them; otherwise it alone."""
        chosen = self._several | {self.current}
        return sorted(chosen) if position in chosen else [position]

    def choose_several(self, positions: Iterable[int]) -> None:
        """Choose these images besides the current one, without a signal, in place of those that were before."""
        self._several = set(positions)
        self.viewport().update()

    def __len__(self) -> int:
        return len(self._images) if self._indices is None else len(self._indices)

    def image(self, position: int) -> Array:
        """The image at a position, uint8 (H, W, 1 or 3): a view of the images."""
        return self._images[position if self._indices is None else self._indices[position]]

    @property
    def _caption_height(self) -> int:
        return QFontMetrics(font(CAPTION)).height() + 4 if self._has_captions else 0

    @property
    def _size(self) -> QSize:
        """The size at which images are shown: enlarged by a whole number, or shrunk where they are large."""
        height, width = self._images.shape[1:3]
        scale = min(self._scale, LARGEST // max(height, width, 1)) or LARGEST / max(height, width)
        return QSize(max(1, round(width * scale)), max(1, round(height * scale)))

    @property
    def _cell(self) -> QSize:
        size = self._size
        return QSize(max(size.width(), 44 if self._has_captions else 0) + GAP, size.height() + self._caption_height + GAP)

    def _columns_in(self, width: int) -> int:
        return max(1, width // self._cell.width())

    @property
    def _columns(self) -> int:
        return self._columns_in(self.viewport().width())

    def _layout(self) -> None:
        rows = -(-len(self) // self._columns)
        page = self.viewport().height()
        self.verticalScrollBar().setRange(0, max(0, rows * self._cell.height() - page))
        self.verticalScrollBar().setPageStep(page)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        before, bar, height = self._columns_in(event.oldSize().width()), self.verticalScrollBar(), self._cell.height()
        first = bar.value() // height * before
        self._layout()
        if before != self._columns:  # what was in sight stays there
            bar.setValue(first // self._columns * height)

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
        return index if 0 <= column < self._columns and 0 <= index < len(self) else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self.viewport())
        painter.setFont(font(CAPTION))
        if not len(self):
            painter.setPen(QColor(colors.dim))
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            return
        painter.setOpacity(FADED if self._faded else 1)
        cell, columns, top = self._cell, self._columns, self.verticalScrollBar().value()
        first = top // cell.height() * columns
        last = min(len(self), ((top + self.viewport().height()) // cell.height() + 1) * columns)
        for index in range(first, last):
            row, column = divmod(index, columns)
            self._paint_cell(painter, index, QRect(QPoint(column * cell.width(), row * cell.height() - top), cell))

    def _place_in(self, cell: QRect) -> QRect:
        """Where the image lies in its cell."""
        size = self._size
        return QRect(QPoint(cell.x() + (cell.width() - GAP - size.width()) // 2, cell.y() + 1), size)

    def _paint_cell(self, painter: QPainter, index: int, cell: QRect) -> None:
        colors, chosen, flags = theme().colors, index == self.current or index in self._several, Qt.AlignmentFlag
        place, size = self._place_in(cell), self._size
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, size.width() < self._images.shape[2])
        painter.drawImage(place, to_qimage(self.image(index)))
        if self._mark is not None:
            for color, width in ((colors.panel, 3.0), (colors.accent, 1.5)):  # stands out on light and dark ink alike
                painter.setPen(QPen(QColor(color), width))
                painter.drawRect(self.mark_rect(index).adjusted(0.5, 0.5, -0.5, -0.5))
        if chosen:
            painter.setPen(QPen(QColor(colors.accent), 2))
            painter.drawRect(place.adjusted(-1, -1, 1, 1))
        if not self._has_captions:
            return
        words = QRect(cell.x(), place.bottom() + 2, cell.width() - GAP, self._caption_height)
        left, _, right = self._caption(index).partition("\t")
        painter.setPen(QColor(colors.accent if chosen else colors.text if right else colors.dim))
        if not right:
            painter.drawText(words, flags.AlignCenter, left)
            return
        room = words.width() - painter.fontMetrics().horizontalAdvance(right) - 4
        painter.drawText(words, flags.AlignVCenter, painter.fontMetrics().elidedText(left, Qt.TextElideMode.ElideRight, room))
        painter.setPen(QColor(colors.accent if chosen else colors.dim))
        painter.drawText(words, flags.AlignVCenter | flags.AlignRight, right)

    def choose(self, index: int) -> None:
        """Make an image the current one, scroll it into sight, and emit `activated`."""
        self.mark(index)
        self.activated.emit(self.current)

    def mark(self, index: int) -> None:
        """Make an image the only one that is chosen and scroll it into sight, without a signal."""
        self._several.clear()
        self.current = min(max(index, 0), len(self) - 1)
        cell, bar = self.cell_rect(self.current), self.verticalScrollBar()
        if cell.top() < 0 or cell.bottom() > self.viewport().height():
            bar.setValue(bar.value() + (cell.top() if cell.top() < 0 else cell.bottom() - self.viewport().height()))
        self.setAccessibleDescription(self._words_for(self.current))
        self.viewport().update()

    def _words_for(self, index: int) -> str:
        return (self._describe or self._caption)(index).replace("\t", " ")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if index < 0 or event.button() != Qt.MouseButton.LeftButton:
            return
        adds, reaches = (
            event.modifiers() & key for key in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier)
        )
        if not (adds or reaches) or self.current < 0 or not self.takes_several():
            self.choose(index)
        elif adds:
            self.choose_several(self._several ^ {index})
        else:
            self.choose_several(range(min(index, self.current), max(index, self.current) + 1))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if index >= 0 and self._closer is not None and event.button() == Qt.MouseButton.LeftButton:
            self._closer(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key.Key_Return if event.key() == Qt.Key.Key_Enter else event.key()
        page = max(1, self.viewport().height() // self._cell.height()) * self._columns
        keys = Qt.Key
        moves: dict[int, int] = {
            keys.Key_Left: -1,
            keys.Key_Right: 1,
            keys.Key_Up: -self._columns,
            keys.Key_Down: self._columns,
            keys.Key_PageUp: -page,
            keys.Key_PageDown: page,
            keys.Key_Home: -len(self),
            keys.Key_End: len(self),
            keys.Key_Return: 0,
        }
        offered = next((act for _, wanted, act, when in self._offers if wanted == key and when()), None)
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if offered is not None and plain and self.current >= 0:
            offered(self.current)
        elif event.matches(QKeySequence.StandardKey.SelectAll) and self.takes_several() and len(self):
            self.choose_several(range(len(self)))
            self.current = max(self.current, 0)
        elif key in moves and len(self):
            self.choose(self.current + moves[key])
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._describe is not None:
            index = self.index_at(event.pos())
            QToolTip.showText(event.globalPos(), self._describe(index) if index >= 0 else "", self)
            return True
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.current if by_key else self.index_at(self.viewport().mapFrom(self, event.pos()))
        if index < 0:
            return
        at = self.viewport().mapToGlobal(self.cell_rect(index).center()) if by_key else event.globalPos()
        more = [
            (f"{words}\t{QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)}", partial(act, index))
            for words, key, act, when in self._offers
            if when()
        ]
        picture_menu(self, at, self.image(index), make_probe=partial(self.choose, index), more=more)
