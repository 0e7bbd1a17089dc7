"""ConfusionMatrix: how often each class was taken for each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
)

from app.theme import font, theme
from app.widgets.figure import FADED, Figure
from app.widgets.pixels import to_qimage
from nncore.arrays import Array

CAPTION = 13
"""Room for the words at an axis, in pixels."""
LABEL = 14
"""Room for a column's label, in pixels."""
WIDEST, HIGHEST = 1.6, 1.2
"""Most width of a cell over its height, and height over its width."""
SMALL = 8
"""Pixels below which cells are drawn without gaps, as one picture."""
NARROW = 24
"""Pixels of width below which a gap of one pixel must do between cells: counts take the rest."""
SHORT = 20
"""Pixels of a name up to which it is a label even where there is only room for every second or third one."""

SIZES = (11, 9, 8)
"""Sizes of the counts in pixels: in large cells, else, and of those that are too long for that."""

DEEP = 21**0.5
"""Contrast of a colour with white above which white stands out more on it than black: the two contrasts multiply to 21."""

Place = tuple[int | None, int | None]
"""A cell (row, column), a row (row, None), a column (None, column), or all (None, None)."""
ALL: Place = (None, None)


class ConfusionMatrix(Figure):
    """Rows are what an image shows, columns what it was taken for. `chosen` carries the place (row, column) that was chosen.

    A click, Return or Space chooses a cell, or by its label a row or a column; on what is chosen it chooses all, as Escape does.
    Arrows move.
    """

    chosen = Signal(object, object)
    OWN_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space)

    def __init__(self) -> None:
        super().__init__("confusion matrix", "confusion")
        self._counts: Array = np.zeros((10, 10), np.int64)
        self._names: tuple[str, ...] = tuple(str(number) for number in range(10))
        self.note, self.is_faded = "", False
        self.choice: Place = ALL
        self._cursor: Place = (0, 0)
        self._outlines: tuple[object, QPainterPath] | None = None
        self._measure()
        self.setMinimumSize(190, 186)

    # -- what is shown

    @property
    def counts(self) -> Array:
        """The counts that are shown, int64 (classes, classes)."""
        return self._counts

    def set_counts(self, counts: Array, names: Sequence[str] = (), note: str = "", faded: bool = False) -> None:
        """Show counts, int (classes, classes); faded where they are not those that are asked for.

        Classes beyond `names` have their number as name. `note` stands above the matrix and says what is counted.
        """
        classes = len(counts)
        self._counts, self.is_faded, self.note = counts, faded, note
        self._names = tuple(names[:classes]) + tuple(str(number) for number in range(len(names), classes))
        if not self._is_there(self.choice):
            self.choice = ALL
        if not self._is_there(self._cursor):
            self._cursor = (0, 0)
        self._measure()
        self._describe()
        self.update()

    def set_choice(self, row: int | None, column: int | None) -> None:
        """Mark a cell, a row or a column as chosen, or nothing, without a signal."""
        self.choice = (row, column) if self._is_there((row, column)) else ALL
        self.update()

    def words_for(self, place: Place) -> str:
        """What a place counts, in words: `4 taken for 9: 12 images`."""
        row, column = place
        if row is not None and column is not None:
            count = int(self._counts[row, column])
            words = "recognised" if row == column else f"taken for {self._names[column]}"
            return f"{self._names[row]} {words}: {_images(count)}"
        line = self._counts[row] if row is not None else self._counts[:, column]
        index = row if row is not None else column
        assert index is not None, "all is no place to be at"
        count, wrong = int(line.sum()), int(line.sum() - line[index])
        return f"{'shows' if row is not None else 'taken for'} {self._names[index]}: {_images(count)}, {wrong:,} of them wrong"

    def table(self) -> Iterator[Sequence[object]]:
        """The rows of a table: the names of the columns, and for each class its name and counts."""
        yield ["shows \\ taken for", *self._names]
        for name, line in zip(self._names, self._counts.tolist(), strict=True):
            yield [name, *line]

    def _is_there(self, place: Place) -> bool:
        return all(index is None or 0 <= index < len(self._counts) for index in place)

    # -- geometry

    def sizeHint(self) -> QSize:
        return QSize(240, 200)

    def _measure(self) -> None:
        """Find the labels, the names of the classes where all of them are short or fit above a column and else their numbers, and
        the room for labels and cells.
        """
        classes, metrics = max(1, len(self._counts)), QFontMetrics(font(9))

        def widest(labels: Sequence[str]) -> int:
            return max((metrics.horizontalAdvance(label) for label in labels), default=0)

        self._labels, self._widest = self._names, widest(self._names)
        if self._widest + 2 > max(SHORT, (self.width() - CAPTION - self._widest - 6) // classes):
            self._labels = tuple(str(number) for number in range(len(self._counts)))
            self._widest = widest(self._labels)
        self._left = CAPTION + max(12, self._widest + 6)
        width, height = (self.width() - self._left) // classes, (self.height() - CAPTION - LABEL) // classes
        width = max(1, min(width, int(WIDEST * max(1, height))))
        self._cell = QSize(width, max(1, min(height, int(HIGHEST * width) or 1)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._measure()

    def cell_rect(self, row: int, column: int) -> QRect:
        """Where a cell lies."""
        cell, gap = self._cell, 0 if self._is_small else 1 if self._cell.width() < NARROW else 2
        at = QPoint(self._left + column * cell.width(), CAPTION + LABEL + row * cell.height())
        return QRect(at, QSize(cell.width() - gap, cell.height() - gap))

    def place_rect(self, place: Place) -> QRect:
        """Where a cell, a row or column with its label, or all cells lie."""
        row, column = place
        last = len(self._counts) - 1
        if place == ALL:
            return self.cell_rect(0, 0).united(self.cell_rect(last, last))
        if row is not None and column is not None:
            return self.cell_rect(row, column)
        if row is not None:
            return self.cell_rect(row, 0).united(self.cell_rect(row, last)).adjusted(CAPTION - self._left, 0, 0, 0)
        assert column is not None, "nothing else is left"
        return self.cell_rect(0, column).united(self.cell_rect(last, column)).adjusted(0, -LABEL, 0, 0)

    @property
    def _is_small(self) -> bool:
        return min(self._cell.width(), self._cell.height()) < SMALL

    def _place_at(self, point: QPoint) -> Place | None:
        """The cell, row or column at a point; None where there is none."""
        cell, classes = self._cell, len(self._counts)
        column, row = (point.x() - self._left) // cell.width(), (point.y() - CAPTION - LABEL) // cell.height()
        if row >= classes or column >= classes:
            return None
        if row >= 0 and point.x() >= CAPTION:
            return row, column if column >= 0 else None
        return (None, column) if column >= 0 and row < 0 and point.y() >= CAPTION else None

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_captions(painter)
        painter.setOpacity(FADED if self.is_faded else 1.0)
        # Shares of the row; the square root makes single mistakes among a thousand visible.
        strength = np.sqrt(self._counts / np.maximum(self._counts.sum(axis=1, keepdims=True), 1))
        alpha = np.where(self._counts > 0, np.minimum(1.0, 0.25 + 2 * strength), 0.0)
        np.fill_diagonal(alpha, strength.diagonal())
        picture = _picture(alpha)
        if self._is_small:
            painter.drawImage(self.place_rect(ALL), to_qimage(picture))
        else:
            self._paint_cells(painter, picture)
            self._paint_numbers(painter, picture)
        painter.setOpacity(1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for place, color, width in ((self.choice, colors.text, 2), (self._cursor, colors.accent, 1)):
            if place != ALL and (width == 2 or self.hasFocus()):
                painter.setPen(QPen(QColor(color), width))
                painter.drawRoundedRect(self.place_rect(place), 2, 2)

    def _paint_captions(self, painter: QPainter) -> None:
        """The words at the axes, the note, and the labels of rows and columns: as many as there is room for."""
        flags, cell, left, labels = Qt.AlignmentFlag, self._cell, self._left, self._labels
        painter.setFont(font(10))
        painter.setPen(QColor(theme().colors.dim))
        top = QRect(left, 0, self.width() - left, CAPTION)
        painter.drawText(top, flags.AlignLeft | flags.AlignTop, "taken for →")
        painter.drawText(top, flags.AlignRight | flags.AlignTop, self.note)
        painter.save()
        painter.translate(0, CAPTION + LABEL + cell.height() * len(self._counts))
        painter.rotate(-90)
        down = QRect(0, 0, cell.height() * len(self._counts), CAPTION)
        painter.drawText(down, flags.AlignRight | flags.AlignTop, "← shows")
        painter.restore()
        painter.setFont(font(9))
        every_row = -(-painter.fontMetrics().ascent() // cell.height())
        every_column = -(-(self._widest + 4) // cell.width())
        for index, words in enumerate(labels):
            if index % every_row == 0:
                place = QRect(CAPTION, self.cell_rect(index, 0).center().y() - 7, left - CAPTION - 3, LABEL)
                painter.drawText(place, flags.AlignVCenter | flags.AlignRight, words)
            if index % every_column == 0:
                wide = every_column * cell.width()
                place = QRect(self.cell_rect(0, index).center().x() - wide // 2, CAPTION, wide, LABEL - 1)
                painter.drawText(place, flags.AlignCenter, words)

    def _paint_cells(self, painter: QPainter, picture: Array) -> None:
        """All cells in one stroke: while a network trains, each call of Qt's waits for its turn."""
        brush, cell = QBrush(to_qimage(picture)), self._cell
        brush.setTransform(QTransform(cell.width(), 0, 0, cell.height(), self._left, CAPTION + LABEL))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(brush)
        painter.drawPath(self._cells())

    def _cells(self) -> QPainterPath:
        """The outlines of all cells; they are kept for as long as nothing moves."""
        key = (self._left, self._cell, len(self._counts))
        if self._outlines is None or self._outlines[0] != key:
            path = QPainterPath()
            for row in range(len(self._counts)):
                for column in range(len(self._counts)):
                    path.addRoundedRect(self.cell_rect(row, column), 2, 2)
            self._outlines = key, path
        return self._outlines[1]

    def _paint_numbers(self, painter: QPainter, picture: Array) -> None:
        """The counts, each as large as it fits, in black or white: one of them has a contrast of 4.5 to any colour. Where one of
        them is too long, all from a thousand on are in few letters.
        """
        sizes = SIZES if self._cell.height() >= 22 and self._cell.width() >= 26 else SIZES[1:]
        metrics, room = {size: QFontMetrics(font(size)) for size in sizes}, self._cell.width() - 3
        if self._cell.height() < metrics[sizes[0]].height():
            return
        fits_whole = metrics[SIZES[1]].horizontalAdvance(f"{self._counts.max():,}") <= room
        is_dark = 1.05 / (_luminance(picture / 255) + 0.05) > DEEP
        size_of, drawn = dict[str, int | None](), dict[tuple[bool, int | None], list[tuple[int, int, str]]]()
        for row, column in np.argwhere(self._counts > 0).tolist():
            count = int(self._counts[row, column])
            text = f"{count:,}" if fits_whole else short_count(count)
            form = "".join("0" if letter.isdigit() else letter for letter in text)  # figures are equally wide
            if form not in size_of:
                size_of[form] = next((size for size in sizes if metrics[size].horizontalAdvance(form) <= room), None)
            drawn.setdefault((bool(is_dark[row, column]), size_of[form]), []).append((row, column, text))
        for (on_dark, size), places in drawn.items():
            if size is not None:
                painter.setPen(Qt.GlobalColor.white if on_dark else Qt.GlobalColor.black)
                painter.setFont(font(size))
                for row, column, text in places:
                    painter.drawText(self.cell_rect(row, column), Qt.AlignmentFlag.AlignCenter, text)

    # -- choosing

    def choose(self, place: Place) -> None:
        """Choose a cell, a row or a column, or all where it is chosen already, and emit `chosen`."""
        if place != ALL:
            self._move_to(place)
        self.choice = ALL if place == self.choice else place
        self.update()
        self.chosen.emit(*self.choice)

    def _move_to(self, place: Place) -> None:
        self._cursor = place
        self._describe()
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(self.words_for(self._cursor))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.choose(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, last = Qt.Key, len(self._counts) - 1
        row, column = (-1 if index is None else index for index in self._cursor)
        moves: dict[int, tuple[int, int]] = {
            keys.Key_Up: (max(row - 1, -1 if column >= 0 else 0), column),
            keys.Key_Down: (min(row + 1, last), column),
            keys.Key_Left: (row, max(column - 1, -1 if row >= 0 else 0)),
            keys.Key_Right: (row, min(column + 1, last)),
            keys.Key_Home: (row, -1 if row >= 0 else 0),
            keys.Key_End: (row, last),
        }
        if event.key() in moves:
            row, column = moves[event.key()]
            self._move_to((row if row >= 0 else None, column if column >= 0 else None))
        elif event.key() in (keys.Key_Return, keys.Key_Enter, keys.Key_Space):
            self.choose(self._cursor)
        elif event.key() == keys.Key_Escape and self.choice != ALL:
            self.choose(ALL)
        else:
            super().keyPressEvent(event)

    # -- explaining

    def words_at(self, point: QPoint) -> str:
        place = self._place_at(point)
        return super().words_at(point) if place is None else f"{self.words_for(place)}{self._share(place)}"

    def _share(self, place: Place) -> str:
        """Of what a place is which share, and what that is called."""
        row, column = place
        if row is not None:
            total, part = int(self._counts[row].sum()), int(self._counts[row, row if column is None else column])
            if not total:
                return f".\nRecall is not defined: no image shows {self._names[row]}." if column in (None, row) else "."
            words = f"{part / total * 100:.1f} % of the images that show {self._names[row]}"
            if column is None:
                return f".\nRecall: {words} are recognised."
            return f", {words}{' (recall)' if row == column else ''}."
        assert column is not None, "all is no place to be at"
        total, part = int(self._counts[:, column].sum()), int(self._counts[column, column])
        if not total:
            return f".\nPrecision is not defined: {self._names[column]} was never answered."
        return f".\nPrecision: {part / total * 100:.1f} % of the answers {self._names[column]} are right."


def _picture(alpha: Array) -> Array:
    """The colours of the cells, uint8 (classes, classes, 3): how far each is filled, float64 (classes, classes) from 0 to 1."""
    colors = theme().colors
    raised, second, accent = (np.array(_parts(QColor(name))) for name in (colors.raised, colors.second, colors.accent))
    over = np.where(np.eye(len(alpha), dtype=bool)[..., None], accent, second)
    return (255 * (raised + (over - raised) * alpha[..., None])).round().astype(np.uint8)


def _parts(color: QColor) -> tuple[float, float, float]:
    """Red, green and blue of a colour, 0 to 1 each."""
    return color.redF(), color.greenF(), color.blueF()


def _luminance(colors: Array) -> Array:
    """The relative luminance, 0 to 1, of colours (…, 3) of red, green and blue, 0 to 1 each (WCAG 2)."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def short_count(count: int) -> str:
    """A count in at most four letters, up to 999 million: 999, 4.8k, 12k, 1.2M."""
    if count < 1000:
        return str(count)
    value, unit = (count / 1e3, "k") if count < 999_500 else (count / 1e6, "M")
    return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count != 1)}"
