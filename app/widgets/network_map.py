"""NetworkMap: the layers of a network side by side, each with its maps, painted in one widget."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy

from app.theme import font, theme
from app.widgets.connections import Line, paint_lines
from app.widgets.figure import Figure
from app.widgets.layer_head import HEIGHT as HEAD
from app.widgets.layer_head import layer_head
from app.widgets.layer_maps import LayerMaps, Spot
from app.widgets.tiles import LEAST, Row, Tiles, alone, arrange, packed, picture, ramp, tiled, tinted
from nncore.arrays import Shape

FOOT = 13
"""Pixels below a layer's maps, for its scale of colours."""
NAME, SHARE, SHORT_SHARE, PERCENT, ROW = 16, 36, 20, 52, (10, 18)
"""Pixels beside the cells of the answer: those of a name, of a bar, of one beside MANY layers, and of what is written behind it;
and the least and largest height of a row."""
MANY = 10
SCROLL = 11
"""Pixels of height that a scroll bar takes."""
RAMP, SHORT_RAMP, LEAST_RAMP = 40, 16, 4
"""Pixels of a scale of colours, of one below a narrow layer, and of the shortest."""


class NetworkMap(Figure):
    """Shows layers; one of them alone after `show_alone`. A click chooses a value, or by its title a layer, which is shown alone.

    Arrows go from map to map and from layer to layer, with Shift from value to value; Return chooses. While the pointer is over a
    value, or a cursor stands there, `lines_of` says which lines lead to it.
    """

    chosen = Signal(object)
    """A Spot that was chosen."""
    opened = Signal(object)
    """The number of the layer that is shown alone from now on, or None."""
    OWN_KEYS: ClassVar = (Qt.Key.Key_Left, Qt.Key.Key_Right)

    def __init__(self, lines_of: Callable[[Spot], Sequence[Line]], words_of: Callable[[Spot], str]) -> None:
        super().__init__("the network on this probe", "network")
        self._lines_of, self._words_of = lines_of, words_of
        self.layers: list[LayerMaps] = []
        self.mark: Spot | None = None
        """The value that is chosen."""
        self.alone: int | None = None
        self._row = Row([], [], LEAST[0].spacing)
        self._images: list[QImage | None] = []
        self._room = QSize(600, 240)
        self._hover: Spot | None = None
        self._cursor: Spot | None = None
        self._key: tuple[object, ...] = ()
        self._heads: dict[tuple[object, ...], QPixmap] = {}
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # -- what is shown

    def show_layers(self, layers: Sequence[LayerMaps]) -> None:
        """Show layers, in order. Where their shapes are those before, nothing moves."""
        self.layers = list(layers)
        if self.alone is not None and self.alone >= len(self.layers):
            self.alone = None
        self._arrange()
        self._images = [None] * len(self.layers)
        for name in ("_hover", "_cursor", "mark"):
            spot = getattr(self, name)
            if spot is not None and not self._is_there(spot):
                setattr(self, name, None)
        self.update()

    def show_mark(self, spot: Spot | None) -> None:
        """Mark the value that is chosen."""
        self.mark = self._cursor = spot if spot is not None and self._is_there(spot) else None
        self.update()

    def show_alone(self, layer: int | None) -> None:
        """Show one layer alone, as large as it fits, or all of them."""
        if layer != self.alone:
            self.alone = layer
            self._arrange()
            self._images = [None] * len(self.layers)
            self.update()
            self.opened.emit(layer)

    def set_room(self, room: QSize) -> None:
        """Lay the layers out in a view of that size; what does not fit makes the widget larger."""
        if room != self._room:
            self._room = room
            self._arrange()
            self._images = [None] * len(self.layers)
            self.update()

    def _is_there(self, spot: Spot) -> bool:
        if spot.layer >= len(self.layers):
            return False
        shape = self.layers[spot.layer].maps.shape
        return all(at < size for at, size in zip(spot[1:], shape, strict=True))

    def _arrange(self) -> None:
        shapes = [layer.maps.shape for layer in self.layers]
        key = (shapes, [len(layer.names) for layer in self.layers], self._room, self.alone, self.devicePixelRatioF())
        if key == self._key:
            return
        self._key = key
        self._heads.clear()
        self._lay_out(shapes, self._room.height() - HEAD - FOOT)
        if self._needed().width() > self._room.width():
            self._lay_out(shapes, self._room.height() - HEAD - FOOT - SCROLL)
        self.setMinimumSize(self._needed())
        self.updateGeometry()

    def _lay_out(self, shapes: Sequence[Shape], height: float) -> None:
        """Lay maps out that may be so high."""
        step = 1 / self.devicePixelRatioF()
        if not self.layers:
            found = Row([], [], 0)
        elif self.alone is not None:
            tiles = self._rows(self.alone, height) or alone(shapes[self.alone], self._room.width() - 12, height, step)
            found = Row([tiles], [tiles.size[0] + (self._bars if self.layers[self.alone].names else 0)], 0)
        else:
            fixed = {n: (rows, rows.scale + self._bars) for n in range(len(shapes)) if (rows := self._rows(n, height))}
            main = next((n for n, shape in enumerate(shapes) if n and shape[1] > 1), 0)
            found = arrange(shapes, self._room.width(), height, main, step, fixed)
        self._row = replace(found, tiles=[replace(tiles, top=HEAD) for tiles in found.tiles])

    def _rows(self, layer: int, height: float) -> Tiles | None:
        """The cells of the answer, one above the other; None for another layer."""
        count = len(self.layers[layer].names)
        return Tiles(count, 1, 1, 1, min(max(height // count - 2, ROW[0]), ROW[1])) if count else None

    def _needed(self) -> QSize:
        if not self.layers:
            return QSize(0, 0)
        height = HEAD + FOOT + max(tiles.size[1] for tiles in self._row.tiles)
        return QSize(math.ceil(self._row.width), math.ceil(height))

    @property
    def _bars(self) -> float:
        """Pixels beside the cells of the answer, for names, bars and numbers."""
        return 5 + NAME + self._share + PERCENT

    @property
    def _share(self) -> int:
        """Pixels of a bar of the answer."""
        return SHORT_SHARE if len(self.layers) >= MANY and self.alone is None else SHARE

    def _in_sight(self) -> list[int]:
        """The numbers of the layers that are shown."""
        return list(range(len(self.layers))) if self.alone is None else [self.alone]

    def tiles_of(self, layer: int) -> Tiles:
        """Where the maps of a layer lie, one that is shown."""
        return self._row.tiles[layer if self.alone is None else 0]

    def rect_of(self, spot: Spot) -> QRectF:
        """Where a value lies, one of a layer that is shown."""
        return self.tiles_of(spot.layer).value_rect(*spot[1:])

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._key and self._key[-1] != self.devicePixelRatioF():  # moved to another screen
            self._arrange()
            self._images = [None] * len(self.layers)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number in self._in_sight():
            tiles = self.tiles_of(number)
            if QRectF(event.rect()).intersects(QRectF(tiles.left, 0, self._column_width(number) + 4, self.height())):
                self._paint_layer(painter, number, tiles)
        colors = theme().colors
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for spot, color in ((self.mark, colors.accent), (self._cursor if self.hasFocus() else None, colors.text)):
            if spot is not None and spot.layer in self._in_sight():
                self._paint_frame(painter, spot, QColor(color))
        if self.alone is None and (spot := self._pointed()) is not None:
            self._paint_frame(painter, spot, QColor(colors.second))
            paint_lines(painter, self.rect_of(spot), self._lines_of(spot), self._end_of, QRectF(self.rect()))

    def _pointed(self) -> Spot | None:
        """The value that lines lead to."""
        return self._hover or (self._cursor if self.hasFocus() else None)

    def _end_of(self, line: Line) -> QRectF:
        """Where a line begins: at a value, or at a whole map."""
        tiles = self.tiles_of(line.layer)
        return tiles.rect(line.unit) if line.place is None else tiles.value_rect(line.unit, *line.place)

    def _column_width(self, number: int) -> float:
        """Pixels from a layer's left edge to the next layer."""
        if self.alone is not None or number + 1 >= len(self._row.tiles):
            return self.width() - self.tiles_of(number).left
        return self._row.widths[number] + self._row.spacing - 2

    def _paint_layer(self, painter: QPainter, number: int, tiles: Tiles) -> None:
        layer, room = self.layers[number], round(self._column_width(number))
        painter.drawPixmap(QPointF(tiles.left, 0), self._head(layer.title, layer.facts, room))
        image = self._images[number]
        if image is None:
            image = self._images[number] = self._image_of(layer, tiles)
        painter.drawImage(QPointF(tiles.left, tiles.top), image)
        if layer.names:
            self._paint_names(painter, layer, tiles)
        self._paint_scale(painter, layer, tiles, room)

    def _image_of(self, layer: LayerMaps, tiles: Tiles) -> QImage:
        if layer.is_colour:
            return tiled(tinted(layer.maps), tiles, self.devicePixelRatioF())
        return picture(layer.maps, packed(layer.table), layer.low, layer.high, tiles, self.devicePixelRatioF())

    def _head(self, title: str, facts: tuple[str, ...], room: int) -> QPixmap:
        """The lines above a layer's maps, which are painted once: most of what text costs."""
        ratio = self.devicePixelRatioF()
        key = (title, facts, room, theme().colors.text, ratio)
        if key not in self._heads:
            self._heads[key] = layer_head(title, facts, room, ratio)
        return self._heads[key]

    def _paint_names(self, painter: QPainter, layer: LayerMaps, tiles: Tiles) -> None:
        """Beside each cell of the answer what it stands for, and a bar."""
        colors, middle = theme().colors, Qt.AlignmentFlag.AlignVCenter
        shares = np.zeros(tiles.count) if layer.shares is None else layer.shares
        best = int(shares.argmax()) if shares.any() else -1
        painter.setFont(font(11))
        for index, (name, share) in enumerate(zip(layer.names, shares.tolist(), strict=True)):
            cell = tiles.rect(index)
            row = QRectF(cell.right() + 5, cell.y(), NAME, cell.height())
            painter.setPen(QColor(colors.text if index == best else colors.dim))
            painter.drawText(row, middle, painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, NAME))
            bar = QRectF(row.right(), cell.center().y() - 3, self._share, 6)
            painter.drawText(QRectF(bar.right() + 4, cell.y(), PERCENT - 4, cell.height()), middle, f"{share * 100:.1f} %")
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.line))
            painter.drawRoundedRect(bar, 2, 2)
            if share > 0.002:
                painter.setBrush(QColor(colors.accent if index == best else colors.dim))
                end = QPointF(bar.left() + max(2.0, bar.width() * share), bar.bottom())
                painter.drawRoundedRect(QRectF(bar.topLeft(), end), 2, 2)

    def _paint_scale(self, painter: QPainter, layer: LayerMaps, tiles: Tiles, width: int) -> None:
        """The colours from low to high, with their numbers."""
        painter.setFont(font(9))
        painter.setPen(QColor(theme().colors.dim))
        words, length = scale_in(layer.low, layer.high, width, painter.fontMetrics())
        top = tiles.top + tiles.size[1] + 5
        painter.drawImage(QRectF(tiles.left, top, length, 6), ramp(layer.table, length))
        room = QRectF(tiles.left + length + 3, top - 3, width - length - 3, 12)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_frame(self, painter: QPainter, spot: Spot, color: QColor) -> None:
        """A frame around a map, and a smaller one around the value where that is large enough."""
        tiles = self.tiles_of(spot.layer)
        painter.setPen(QPen(color, 2))
        painter.drawRect(tiles.rect(spot.unit).adjusted(-1, -1, 1, 1))
        if tiles.height * tiles.width > 1:
            painter.setPen(QPen(color, 1.5))
            painter.drawRect(tiles.value_rect(*spot[1:]).adjusted(-1, -1, 1, 1))

    # -- pointing and choosing

    def spot_at(self, point: QPointF | QPoint) -> Spot | None:
        """The value at a point; None where there is none."""
        for number in self._in_sight():
            tiles = self.tiles_of(number)
            if self.layers[number].names and tiles.left <= point.x() < tiles.left + tiles.scale + self._bars:
                found = tiles.at(tiles.left, point.y())
            else:
                found = tiles.at(point.x(), point.y())
            if found is not None:
                return Spot(number, *found)
        return None

    def title_at(self, point: QPointF) -> int | None:
        """The layer whose title is at a point; None where none is."""
        if point.y() >= HEAD:
            return None
        for number in self._in_sight():
            if 0 <= point.x() - self.tiles_of(number).left < self._column_width(number):
                return number
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.setCursor(
            Qt.CursorShape.PointingHandCursor if self.title_at(event.position()) is not None else Qt.CursorShape.ArrowCursor
        )
        self._point_at(self.spot_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._point_at(self.spot_at(event.position()))

    def _point_at(self, spot: Spot | None) -> None:
        if spot != self._hover:
            self._hover = spot
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        spot, title = self.spot_at(event.position()), self.title_at(event.position())
        if spot is not None:
            self._cursor = spot
            self.chosen.emit(spot)
        elif title is not None:
            self.show_alone(title if self.alone is None else None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        steps = {keys.Key_Left: (0, -1), keys.Key_Right: (0, 1), keys.Key_Up: (-1, 0), keys.Key_Down: (1, 0)}
        if not self.layers:
            super().keyPressEvent(event)
        elif event.key() in steps:
            start = self._cursor or Spot(self._in_sight()[0], 0)
            by_value = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            moved = self._value_moved if by_value else self._moved
            self._cursor = moved(start, *steps[Qt.Key(event.key())]) if self._cursor else start
            self.setAccessibleDescription(self._words_of(self._cursor))
            self.update()
        elif event.key() in (keys.Key_Return, keys.Key_Enter) and self._cursor is not None:
            self.chosen.emit(self._cursor)
        elif event.key() in (keys.Key_L,) and self._cursor is not None:
            self.show_alone(self._cursor.layer if self.alone is None else None)
        elif event.key() == keys.Key_Escape and self.alone is not None:
            self.show_alone(None)
        else:
            super().keyPressEvent(event)

    def _value_moved(self, spot: Spot, down: int, across: int) -> Spot:
        """The value beside one, in its map."""
        _, height, width = self.layers[spot.layer].maps.shape
        row, column = min(max(spot.row + down, 0), height - 1), min(max(spot.column + across, 0), width - 1)
        return spot._replace(row=row, column=column)

    def _moved(self, spot: Spot, down: int, across: int) -> Spot:
        """The map beside one: of the same layer, and beyond its edge of the next one."""
        tiles = self.tiles_of(spot.layer)
        row, column = divmod(spot.unit, tiles.columns)
        row, column = row + down, column + across
        if 0 <= column < tiles.columns and 0 <= row < tiles.rows and row * tiles.columns + column < tiles.count:
            return spot._replace(unit=row * tiles.columns + column)
        number = spot.layer + across
        if not across or number not in self._in_sight():
            return spot
        other = self.tiles_of(number)
        middle = tiles.rect(spot.unit).center().y()
        at = other.at(other.left if across > 0 else other.left + other.size[0] - 1, middle)
        unit = at[0] if at is not None else 0 if across > 0 else other.count - 1
        row = min(spot.row * other.height // tiles.height, other.height - 1)
        return Spot(number, unit, row, min(spot.column * other.width // tiles.width, other.width - 1))

    # -- explaining

    def words_at(self, point: QPoint) -> str:
        spot, title = self.spot_at(point), self.title_at(QPointF(point))
        if spot is not None:
            return self._words_of(spot)
        if title is not None:
            layer = self.layers[title]
            words = "alone" if self.alone is None else "with the others"
            return f"{layer.title}: {', '.join(filter(None, layer.facts))}. Click to see it {words}."
        return self.notion

    def table(self) -> Iterator[Sequence[object]]:
        yield "layer", "unit", "row", "column", "value"
        for number in self._in_sight():
            layer = self.layers[number]
            for unit, row, column in np.ndindex(layer.maps.shape):
                yield layer.title, unit, row, column, f"{layer.maps[unit, row, column]:.6g}"


def short(value: float) -> str:
    """A number in few letters: 0, 255, −1.23."""
    size = abs(value)
    form = ".0f" if size >= 100 or size == 0 else ".1f" if size >= 10 else ".2f" if size >= 0.1 else ".1g"
    return f"{value:{form}}".replace("-", "−")


def scale_in(low: float, high: float, width: int, metrics: QFontMetrics) -> tuple[str, int]:
    """What is written beside a scale of colours, and its length: below a narrow layer the number counts more than the scale."""
    words = f"{short(low)}…{short(high)}"
    if RAMP + 3 + metrics.horizontalAdvance(words) <= width:
        return words, RAMP
    words = f"±{short(high)}" if low < 0 else short(high)
    return words, min(max(width - 3 - metrics.horizontalAdvance(words), LEAST_RAMP), SHORT_RAMP)
