"""BatchTable: many pictures, each with a thumbnail and what was read in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.theme import theme
from app.widgets.pixels import to_qimage
from nncore.arrays import Array

Index = QModelIndex | QPersistentModelIndex

SIDE = 40
"""Pixels of the longer side of a thumbnail in the table."""
ROW = SIDE + 6
LEAST_TEXT = 140
"""Least width of the column of texts in pixels; it takes what the others leave."""
PADDING = 22
"""Pixels of a cell that are not its text."""
MOST_PIXMAPS = 500
"""Thumbnails that are kept as Qt draws them: more than are in sight at a time."""


@dataclass(frozen=True, eq=False)
class BatchRow:
    """What the table shows of one picture."""

    name: str
    path: str
    thumbnail: Array | None
    """uint8 (height, width, 1 or 3)"""
    text: str
    digits: int
    least_sure: float | None
    """The lowest confidence of a digit, 0 to 1; None where there is none."""
    is_sure: bool
    """Whether every answer can be relied on."""
    seconds: float
    problem: str
    """Why it could not be read; empty where it was."""


class Column(NamedTuple):
    """A column of the table."""

    title: str
    sample: str
    """A text about as wide as its widest."""
    words: Callable[[BatchRow], str]
    key: Callable[[BatchRow], Any]
    """What a click on the header sorts by."""
    tip: str
    is_figure: bool = False


def _least(row: BatchRow) -> str:
    return "" if row.least_sure is None else f"{row.least_sure * 100:.1f} %"


def _doubt(row: BatchRow) -> float:
    """What should be looked at first has the least: what could not be read, what has no digit, what is least sure."""
    return -2.0 if row.problem else -1.0 if row.least_sure is None else row.least_sure


COLUMNS = (
    Column("picture", "", lambda row: "", lambda row: 0, "The order in which the pictures were read"),
    Column("name", "name of a file.jpeg", lambda row: row.name, lambda row: row.name.lower(), "The file's name"),
    Column(
        "text read", "", lambda row: row.problem or row.text or "no digits", lambda row: (bool(row.problem), row.text),
        "The digits in reading order, lines parted by strokes; or why the picture could not be read",
    ),
    Column("digits", "1,000 digits", lambda row: "" if row.problem else f"{row.digits:,}", lambda row: row.digits,
        "How many digits were found", True,
    ),
    Column("least sure", "100.0 % least", _least, _doubt,
        "How sure the network is of the digit that it is least sure of. A click brings to the top what should be checked: "
        "what could not be read, has no digits, or has the least sure answers", True,
    ),
    Column("time", "100.00 s", lambda row: f"{row.seconds:.2f} s", lambda row: row.seconds,
        "How long finding and reading the digits took", True,
    ),
)  # fmt: skip
PICTURE, NAME, TEXT, DIGITS, LEAST_SURE, TIME = range(len(COLUMNS))


class BatchModel(QAbstractTableModel):
    """The rows, which are added in the order of reading and shown in the order that is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[BatchRow] = []
        self._order: list[int] = []
        """The place among `_rows` of each row of the table."""
        self._pixmaps: dict[int, QPixmap] = {}

    def clear(self) -> None:
        """Take all rows away; they come in the order of reading again."""
        self.beginResetModel()
        self._rows, self._order, self._pixmaps = [], [], {}
        self.endResetModel()

    def add(self, rows: Sequence[BatchRow]) -> None:
        """Add rows at the end, whatever the order: what is in sight must not move while it is looked at."""
        if rows:
            first = len(self._order)
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self._order += range(len(self._rows), len(self._rows) + len(rows))
            self._rows += rows
            self.endInsertRows()

    @property
    def order(self) -> tuple[int, ...]:
        """The places, in the order of reading, as they stand in the table."""
        return tuple(self._order)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        key = COLUMNS[column].key
        self.layoutAboutToBeChanged.emit()
        indices = self.persistentIndexList()
        places = [self._order[index.row()] for index in indices]
        backwards = order == Qt.SortOrder.DescendingOrder
        self._order = sorted(range(len(self._rows)), key=lambda place: key(self._rows[place]), reverse=backwards)
        rows = {place: row for row, place in enumerate(self._order)}
        moved = [self.index(rows[place], index.column()) for place, index in zip(places, indices, strict=True)]
        self.changePersistentIndexList(indices, moved)
        self.layoutChanged.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.tip
            case Qt.ItemDataRole.TextAlignmentRole if column.is_figure:
                return Qt.AlignmentFlag.AlignCenter  # at the right the arrow of the order stands
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        place, column = self._order[index.row()], COLUMNS[index.column()]
        row = self._rows[place]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.words(row)
            case Qt.ItemDataRole.DecorationRole if index.column() == PICTURE:
                return self._pixmap(place)
            case Qt.ItemDataRole.ForegroundRole if index.column() in (TEXT, LEAST_SURE) and (row.problem or not row.is_sure):
                return QColor(theme().colors.second)
            case Qt.ItemDataRole.ToolTipRole:
                return row.path if index.column() in (PICTURE, NAME) else column.words(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(column)
            case Qt.ItemDataRole.AccessibleTextRole if index.column() == PICTURE:
                return f"thumbnail of {row.name}"
        return None

    def _pixmap(self, place: int) -> QPixmap | None:
        """The thumbnail of a row, made when it comes into sight."""
        pixels = self._rows[place].thumbnail
        if pixels is None:
            return None
        if place not in self._pixmaps:
            if len(self._pixmaps) >= MOST_PIXMAPS:
                self._pixmaps.clear()
            image = to_qimage(pixels).scaled(
                SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._pixmaps[place] = QPixmap.fromImage(image)
        return self._pixmaps[place]


def _side(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.is_figure else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class BatchTable(QTableView):
    """The table. `wanted` carries the row that was clicked, or on which Return was pressed."""

    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("pictures read")
        self.rows = BatchModel()
        self.rows.setParent(self)
        self.setModel(self.rows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(SIDE, SIDE))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        self._widths = [LEAST_TEXT] * len(COLUMNS)
        for place, column in enumerate(COLUMNS):
            if place != TEXT:
                words = max(self.fontMetrics().horizontalAdvance(text) for text in (column.sample, f"{column.title} ▾ "))
                self._widths[place] = words + PADDING
                header.resizeSection(place, self._widths[place])
        header.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        self.show_in_order_of_reading()
        self.clicked.connect(lambda index: self.wanted.emit(index.row()))

    def show_in_order_of_reading(self) -> None:
        """Mark no column as the one that the rows are sorted by, and let a click on a header sort."""
        self.horizontalHeader().setSortIndicator(PICTURE, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the columns that there is room for."""
        left = self.viewport().width() - sum(self._widths[place] for place in (PICTURE, NAME, TEXT))
        for place in (LEAST_SURE, DIGITS, TIME):
            left -= self._widths[place]
            self.setColumnHidden(place, left < 0)
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.wanted.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)
