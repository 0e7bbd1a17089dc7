"""MapRow: a picture and maps of it side by side, pixel for pixel, and what their colours stand for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent

from app.theme import font, theme
from app.widgets.figure import FADED, Figure
from app.widgets.pixels import to_qimage
from nncore.arrays import Array

GAP, CAPTION, BAR, NUMBERS = 6, 17, 8, 40
"""Pixels between pictures; height of a caption; width of the colour bar, and of the numbers beside it."""
NO_BOUND = 16_777_215
"""Qt's height of a widget that may be as high as it likes."""
LEAST = 56
"""Pixels of a picture's longer side that the row asks for."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One of the pictures of a row."""

    caption: str
    colors: Array
    """uint8 (height, width, 1 or 3): what is drawn."""
    values: Array
    """(height, width) or (height, width, channels): the numbers behind it."""
    explains: str = ""
    """What it is, for the tooltip."""

    def number(self, row: int, column: int) -> str:
        """The number behind a pixel, or those of its channels."""
        return ", ".join(number(value) for value in np.atleast_1d(self.values[row, column]))


@dataclass(frozen=True, eq=False)
class Scale:
    """What colours stand for: `low` is the first of `table`, uint8 (256, 3), `high` the last."""

    table: Array
    low: float
    high: float
    unit: str


class MapRow(Figure):
    """Pictures of the same height and width side by side, as large as fits in whole pixels of the screen.

    A pixel that is pointed at is marked in all of them; arrows move a mark, too.
    """

    OWN_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)

    def __init__(self, name: str, file: str) -> None:
        super().__init__(name, file)
        self.pictures: tuple[Picture, ...] = ()
        self.scale: Scale | None = None
        self.hint = ""
        """What is written in place of the pictures where there are none."""
        self.is_faded = False
        self._images: list[QImage] = []
        self._bar = QImage()
        self._cursor = self._hover = None  # type: tuple[int, int] | None
        self.setMouseTracking(True)
        self.setMinimumSize(self.minimumSizeHint())

    def show_pictures(self, pictures: Sequence[Picture], scale: Scale | None) -> None:
        """Show pictures, and the scale of the maps among them; None where there is none."""
        if pictures and self.pictures and pictures[0].colors.shape[:2] != self.pictures[0].colors.shape[:2]:
            self._cursor = self._hover = None
        self.pictures, self.scale = tuple(pictures), scale
        self._images = [to_qimage(picture.colors) for picture in pictures]
        if scale is not None:
            self._bar = to_qimage(np.ascontiguousarray(scale.table[::-1, None]))
        self._bound_height()
        self.update()

    def show_hint(self, words: str) -> None:
        """Show a sentence in place of pictures."""
        self.hint = words
        self.show_pictures((), None)
        self.setAccessibleDescription(words)

    def show_faded(self, is_faded: bool) -> None:
        """Draw the pictures pale while others are awaited, or no longer."""
        if is_faded != self.is_faded:
            self.is_faded = is_faded
            self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(3 * LEAST + 2 * GAP + BAR + NUMBERS, LEAST + CAPTION)

    def sizeHint(self) -> QSize:
        return QSize(3 * 112 + 2 * GAP + BAR + NUMBERS, 112 + CAPTION)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._bound_height()

    # -- geometry

    def _bound_height(self) -> None:
        """Ask for no more height than the pictures can use in this width."""
        most = NO_BOUND
        if self.pictures:
            most = CAPTION + math.ceil(self._cell_within(NO_BOUND) * self.pictures[0].colors.shape[0])
        if most != self.maximumHeight():
            self.setMaximumHeight(most)

    def picture_rect(self, index: int) -> QRectF:
        """Where a picture lies."""
        height, width = self.pictures[index].colors.shape[:2]
        side = self._cell
        return QRectF(index * (width * side + GAP), CAPTION, width * side, height * side)

    @property
    def _cell(self) -> float:
        """Side of a pixel."""
        return self._cell_within(self.height())

    def _cell_within(self, room_below: int) -> float:
        """Side of a pixel in the present width and so much height."""
        height, width = self.pictures[0].colors.shape[:2]
        count, ratio = len(self.pictures), self.devicePixelRatioF()
        room = self.width() - (count - 1) * GAP - (GAP + BAR + NUMBERS if self.scale else 0)
        side = min(room / count / width, (room_below - CAPTION) / height)
        return max(math.floor(side * ratio), 1) / ratio

    def pixel_at(self, point: QPointF | QPoint) -> tuple[int, int, int] | None:
        """The picture at a point, and the row and column in it; None where there is none."""
        for index in range(len(self.pictures)):
            rect = self.picture_rect(index)
            if rect.left() <= point.x() < rect.right() and rect.top() <= point.y() < rect.bottom():
                return index, int((point.y() - rect.top()) / self._cell), int((point.x() - rect.left()) / self._cell)
        return None

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme().colors
        painter.setPen(QColor(colors.dim))
        if not self.pictures:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)
            return
        painter.setOpacity(FADED if self.is_faded else 1.0)
        painter.setFont(font(11))
        for index, (picture, image) in enumerate(zip(self.pictures, self._images, strict=True)):
            rect = self.picture_rect(index)
            painter.drawImage(rect, image)
            words = painter.fontMetrics().elidedText(picture.caption, Qt.TextElideMode.ElideRight, int(rect.width()))
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRectF(rect.x(), 0, rect.width(), CAPTION - 2), Qt.AlignmentFlag.AlignVCenter, words)
            pixel = self._hover or (self._cursor if self.hasFocus() else None)
            if pixel is not None:
                self._paint_mark(painter, rect, pixel)
        if self.scale is not None:
            self._paint_scale(painter, self.scale)
        if self.hasFocus():
            painter.setPen(QColor(colors.accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_mark(self, painter: QPainter, rect: QRectF, pixel: tuple[int, int]) -> None:
        """A frame around a pixel, on light and dark pictures alike."""
        cell = QRectF(rect.x() + pixel[1] * self._cell, rect.y() + pixel[0] * self._cell, self._cell, self._cell)
        painter.setPen(QPen(QColor("#000000"), 1))
        painter.drawRect(cell.adjusted(-2, -2, 1, 1))
        painter.setPen(QPen(QColor(theme().colors.accent), 1))
        painter.drawRect(cell.adjusted(-1, -1, 0, 0))

    def _paint_scale(self, painter: QPainter, scale: Scale) -> None:
        last = self.picture_rect(len(self.pictures) - 1)
        bar = QRectF(last.right() + GAP, last.top(), BAR, last.height())
        painter.drawImage(bar, self._bar)
        painter.setPen(QColor(theme().colors.dim))
        painter.setFont(font(10))
        marks = [(0.0, scale.high), (1.0, scale.low)]
        if scale.low < 0 < scale.high:
            marks.insert(1, (scale.high / (scale.high - scale.low), 0.0))
        for at, value in marks:
            y = bar.top() + at * (bar.height() - 12)
            painter.drawText(QRectF(bar.right() + 4, y, NUMBERS, 12), Qt.AlignmentFlag.AlignVCenter, number(value, 2))

    # -- pointing

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.pixel_at(event.position())
        self._point_at(None if found is None else found[1:])

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)

    def _point_at(self, pixel: tuple[int, int] | None) -> None:
        if pixel != self._hover:
            self._hover = pixel
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = dict(zip(self.OWN_KEYS, ((0, -1), (0, 1), (-1, 0), (1, 0)), strict=True))
        if not self.pictures or event.key() not in steps:
            super().keyPressEvent(event)
            return
        height, width = self.pictures[0].colors.shape[:2]
        row, column = self._cursor or (height // 2, width // 2)
        down, across = steps[Qt.Key(event.key())]
        self._cursor = min(max(row + down, 0), height - 1), min(max(column + across, 0), width - 1)
        self.setAccessibleDescription(self.words_of(*self._cursor))
        self.update()

    def words_of(self, row: int, column: int) -> str:
        """What every picture holds at a pixel."""
        unit = f" {self.scale.unit}" if self.scale is not None else ""
        rows = [f"{picture.caption}: {picture.number(row, column)}" for picture in self.pictures]
        return f"Row {row}, column {column}{' (maps in' + unit + ')' if unit else ''}\n" + "\n".join(rows)

    def words_at(self, point: QPoint) -> str:
        found = self.pixel_at(point)
        if found is not None:
            return self.words_of(*found[1:])
        for index, picture in enumerate(self.pictures):
            rect = self.picture_rect(index)
            if picture.explains and point.y() < CAPTION and rect.left() <= point.x() < rect.right():
                return picture.explains
        return self.notion

    def table(self) -> Iterator[Sequence[object]]:
        names = [
            f"{picture.caption} {channel}" if picture.values.ndim == 3 and picture.values.shape[2] > 1 else picture.caption
            for picture in self.pictures
            for channel in range(picture.values.shape[2] if picture.values.ndim == 3 else 1)
        ]
        yield "row", "column", *names
        if self.pictures:
            for row, column in np.ndindex(self.pictures[0].colors.shape[:2]):
                numbers = (f"{value:.6g}" for picture in self.pictures for value in np.atleast_1d(picture.values[row, column]))
                yield row, column, *numbers


def number(value: float, digits: int = 3) -> str:
    """A number in few letters, such as 0, 254, −0.213: a whole one as it is, others with so many digits."""
    words = f"{value:.0f}" if float(value).is_integer() or abs(value) >= 10**digits else f"{value:.{digits}g}"
    return words.replace("-", "−")
