"""ThumbnailRow: small pictures in a row, to choose from by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from app.widgets.figure import keeps_key, shows_tip
from app.widgets.pyramid import thumbnail
from nncore.arrays import Array

LARGEST = 160
"""Most pixels of a thumbnail's side that are kept."""
TITLE = 18
"""Pixels of the line of a title."""
KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right)


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small picture of something."""

    title: str
    image: QImage
    tip: str = ""

    @classmethod
    def of(cls, title: str, pixels: Array, tip: str = "") -> Thumbnail:
        """That of a picture, uint8 (height, width, 1 or 3) of any size."""
        return cls(title, thumbnail(pixels, LARGEST), tip)


class ThumbnailRow(QWidget):
    """Shows as many as there is room for, the first ones. `activated` carries the place of one that is clicked, or chosen with
    Return; `menu_wanted` that of one for which a menu is asked, and where.
    """

    activated = Signal(int)
    menu_wanted = Signal(int, QPoint)

    def __init__(self, name: str, side: int, gap: int = 8, titled: bool = False) -> None:
        """`side` is the largest side of a thumbnail in pixels, `gap` what is left between two; `titled` writes titles above."""
        super().__init__()
        self._side, self._gap, self._titled = side, gap, titled
        self._thumbnails: tuple[Thumbnail, ...] = ()
        self._marked = -1
        self._current = 0
        self._rows = 1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme().changed.connect(self.update)

    @property
    def thumbnails(self) -> tuple[Thumbnail, ...]:
        return self._thumbnails

    def set_thumbnails(self, thumbnails: Sequence[Thumbnail]) -> None:
        """Show others."""
        before, self._thumbnails = self.sizeHint(), tuple(thumbnails)
        self._current = min(self._current, max(len(self._thumbnails) - 1, 0))
        self._describe()
        if before != self.sizeHint():
            self.updateGeometry()
        self.update()

    def mark(self, place: int) -> None:
        """Give the one at a place a frame in the accent; none at −1."""
        if place != self._marked:
            self._marked = place
            self.update()

    def set_rows(self, rows: int) -> None:
        """Stand in up to so many rows."""
        if rows != self._rows:
            self._rows = rows
            self.updateGeometry()
            self.update()

    def set_side(self, side: int, gap: int) -> None:
        """Show them larger or smaller, at most `side` pixels, with `gap` between two."""
        if (side, gap) != (self._side, self._gap):
            self._side, self._gap = side, gap
            self.updateGeometry()
            self.update()

    @property
    def width_wanted(self) -> int:
        """Pixels that all of them take in one row."""
        return len(self._thumbnails) * (self._side + self._gap)

    @property
    def _row(self) -> int:
        """Height of a row in pixels, with what is left below it."""
        return self._side + (TITLE if self._titled else 0) + self._gap

    @property
    def _across(self) -> int:
        """How many stand in a row."""
        return max((self.width() + self._gap) // (self._side + self._gap), 1)

    def sizeHint(self) -> QSize:
        rows = min(self._rows, max(-(-len(self._thumbnails) // self._across), 1))
        return QSize(self.width_wanted, rows * self._row - self._gap + 4)

    minimumSizeHint = sizeHint

    @property
    def shown(self) -> int:
        """How many there is room for."""
        return min(len(self._thumbnails), self._across * self._rows)

    def cell(self, place: int) -> QRect:
        """The square in which a thumbnail lies."""
        row, column = divmod(place, self._across)
        top = row * self._row + (TITLE if self._titled else 0)
        return QRect(column * (self._side + self._gap) + 2, top + 2, self._side, self._side)

    def place_at(self, point: QPoint) -> int:
        """The place of the thumbnail at a point; −1 where there is none."""
        return next((n for n in range(self.shown) if self.cell(n).contains(point)), -1)

    def _describe(self) -> None:
        words = [f"{each.title}: {each.tip}" if each.tip else each.title for each in self._thumbnails]
        self.setAccessibleDescription(words[self._current] if words else "")

    # -- events

    def event(self, event: QEvent) -> bool:
        def words_at(point: QPoint) -> str:
            place = self.place_at(point)
            return "" if place < 0 else "\n".join(filter(None, (self._thumbnails[place].title, self._thumbnails[place].tip)))

        return keeps_key(event, KEYS) or shows_tip(self, event, words_at) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in KEYS and self.shown:
            self._current = min(max(self._current + (1 if event.key() == Qt.Key.Key_Right else -1), 0), self.shown - 1)
            self._describe()
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.shown:
            self.activated.emit(self._current)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if place >= 0:
            self._current = place
            self._describe()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self.activated.emit(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            if self.shown:
                self.menu_wanted.emit(self._current, self.mapToGlobal(self.cell(self._current).center()))
        elif (place := self.place_at(event.pos())) >= 0:
            self.menu_wanted.emit(place, event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._rows > 1:  # another number of them may stand in a row
            self.updateGeometry()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme().colors
        painter.setFont(font(12))
        for place in range(self.shown):
            each, cell = self._thumbnails[place], self.cell(place)
            picture = _fitted(each.image, cell)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() < each.image.width())
            painter.drawImage(picture, each.image)
            if self._titled:
                room = self._side + self._gap - 6
                title = painter.fontMetrics().elidedText(each.title, Qt.TextElideMode.ElideRight, room)
                painter.setPen(QColor(colors.dim))
                line = QRect(cell.left(), cell.top() - TITLE, room, TITLE - 2)
                painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
            has_focus = self.hasFocus() and place == self._current
            painter.setPen(
                QPen(QColor(colors.accent if has_focus or place == self._marked else colors.line), 2 if has_focus else 1)
            )
            painter.drawRect(picture.adjusted(-1, -1, 0, 0))


def _fitted(image: QImage, cell: QRect) -> QRect:
    """Where an image lies in a cell, at its left: made smaller until it fits, or enlarged by a whole number."""
    scale = min(cell.width() / image.width(), cell.height() / image.height())
    scale = float(int(scale)) if scale >= 1 else scale
    return QRect(cell.left(), cell.top(), max(round(image.width() * scale), 1), max(round(image.height() * scale), 1))
