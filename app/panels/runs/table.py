"""RunsTable: the table of runs with its keys, its order, and what is selected in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from app.core.runs import Run
from app.core.runs.choosing import sorted_runs
from app.panels.runs.model import COLUMNS, NAME, TICK, RunsModel

ROW = 28
"""Height of a row in pixels."""
LEAST = 4 * ROW
"""Least height of the table in pixels."""
TICK_WIDTH = 48
LEAST_NAME = 104
"""Least width of the column of names in pixels; it takes what the others leave."""
PADDING = 22
"""Pixels of a cell that are not its text."""
KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_F2)
"""Keys that do something to the selected runs, whatever they do elsewhere in the window."""


class RunsTable(QTableView):
    """Space ticks, Return or a double click looks at a run, F2 or a double click on its name renames it, Delete deletes."""

    chosen_changed = Signal()
    """Other runs are selected, or the selected ones have changed."""
    tick_wanted = Signal()
    look_wanted = Signal()
    delete_wanted = Signal()

    def __init__(self, color_of: Callable[[Run], str | None]) -> None:
        super().__init__()
        self.setAccessibleName("runs")
        self.rows = RunsModel(color_of)
        self.rows.setParent(self)  # what its signals are connected to is let go of with the table
        self.setModel(self.rows)
        self._runs: tuple[Run, ...] = ()
        self._waiting: tuple[Run, ...] | None = None
        """What is to be shown when the name that is being edited is done."""
        self._order, self._backwards = "date", False
        self._is_restoring = False
        """Whether the rows are being selected again that were so before; nobody is told of each."""
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(LEAST)
        self.setWordWrap(False)
        self._build_header()
        self.doubleClicked.connect(lambda index: self.look_wanted.emit() if index.column() not in (TICK, NAME) else None)
        self.selectionModel().selectionChanged.connect(lambda *_: None if self._is_restoring else self.chosen_changed.emit())
        self._mark_order()

    def _build_header(self) -> None:
        header = self.horizontalHeader()
        # A header asks for the columns that are selected, and so for each of their cells, whenever it is drawn. Its own selection
        # stays empty.
        header.setSelectionModel(QItemSelectionModel(self.rows, header))
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(TICK_WIDTH)
        self._widths = [TICK_WIDTH, LEAST_NAME]
        for column in COLUMNS[NAME + 1 :]:  # by samples: asking every cell of a thousand rows takes long
            words = max(self.fontMetrics().horizontalAdvance(text) for text in (column.sample, f"{column.title} ▾ "))
            self._widths.append(words + PADDING)
        for place, width in enumerate(self._widths):
            header.resizeSection(place, width)
        header.setSectionResizeMode(TICK, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.sectionClicked.connect(self._sort_by)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(lambda place: self.menu_of_orders().exec(header.mapToGlobal(place)))
        self._fit_columns()

    # -- which columns

    def _fit_columns(self) -> None:
        """Show the columns that there is room for, by their rank."""
        left = self.viewport().width() - TICK_WIDTH - LEAST_NAME
        for place in sorted(range(NAME + 1, len(COLUMNS)), key=lambda place: COLUMNS[place].rank):
            left -= self._widths[place]
            self.setColumnHidden(place, left < 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_columns()
        super().resizeEvent(event)

    def menu_of_orders(self) -> QMenu:
        """All orders, also of those whose column has no room; the menu is deleted when it is closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place, column in enumerate(COLUMNS):
            if column.order:
                act = menu.addAction(f"Sort by {column.title}", partial(self._sort_by, place))
                act.setCheckable(True)
                act.setChecked(column.order == self._order)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_of_orders().exec(event.globalPos())

    # -- which runs, and in which order

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show these runs in the order that is chosen, keeping what is selected. While a name is edited they wait."""
        self._runs = tuple(runs)
        if self.state() is QAbstractItemView.State.EditingState:
            self._waiting = self._runs
            return
        self._waiting = None
        chosen, current = {run.id for run in self.chosen}, self._current_id()
        self._is_restoring = True
        self.rows.show_runs(sorted_runs(self._runs, self._order, self._backwards))
        self._select(chosen, current)
        self._is_restoring = False
        self.chosen_changed.emit()

    @property
    def chosen(self) -> list[Run]:
        """The selected runs, from above."""
        return [self.rows.runs[row] for row in self._chosen_rows()]

    def _chosen_rows(self) -> list[int]:
        ranges = self.selectionModel().selection().toList()
        return sorted({row for each in ranges for row in range(each.top(), each.bottom() + 1)})

    def select_run(self, run: Run) -> None:
        """Select one run, and bring it into sight."""
        self._select({run.id}, run.id)
        self.scrollTo(self.currentIndex())

    def _current_id(self) -> int | None:
        row = self.currentIndex().row()
        return self.rows.runs[row].id if 0 <= row < len(self.rows.runs) else None

    def _select(self, chosen: set[int], current: int | None) -> None:
        """Select the runs of these numbers."""
        rows = [row for row, run in enumerate(self.rows.runs) if run.id in chosen]
        here = next((row for row, run in enumerate(self.rows.runs) if run.id == current), None)
        if here is not None:
            self.selectionModel().setCurrentIndex(self.rows.index(here, NAME), QItemSelectionModel.SelectionFlag.NoUpdate)
        if rows != self._chosen_rows():
            selection, last = QItemSelection(), len(COLUMNS) - 1
            for first, end in _stretches(rows):
                selection.select(self.rows.index(first, 0), self.rows.index(end, last))
            self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _sort_by(self, place: int) -> None:
        order = COLUMNS[place].order
        if order:
            self._order, self._backwards = order, order == self._order and not self._backwards
            self._mark_order()
            self.show_runs(self._runs)

    def _mark_order(self) -> None:
        header = self.horizontalHeader()
        place = next(place for place, column in enumerate(COLUMNS) if column.order == self._order)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(place, Qt.SortOrder.DescendingOrder if self._backwards else Qt.SortOrder.AscendingOrder)

    # -- keys

    def rename_current(self) -> None:
        """Let the user edit the name of the current run."""
        index = self.rows.index(self.currentIndex().row(), NAME)
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        super().closeEditor(editor, hint)
        if self._waiting is not None:
            self.show_runs(self._waiting)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in KEYS
            and not event.modifiers()
        ):
            event.accept()  # else the window's shortcuts would take them
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = {
            Qt.Key.Key_Space: self.tick_wanted.emit,
            Qt.Key.Key_Return: self.look_wanted.emit,
            Qt.Key.Key_Enter: self.look_wanted.emit,
            Qt.Key.Key_Delete: self.delete_wanted.emit,
            Qt.Key.Key_F2: self.rename_current,
        }.get(Qt.Key(event.key()))
        is_editing = self.state() == QAbstractItemView.State.EditingState  # Return, too, comes on from the editor that it closes
        if act is None or is_editing or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        else:
            act()


def _stretches(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each stretch of rows that follow each other; `rows` are rising."""
    for place, row in enumerate(rows):
        if not place or rows[place - 1] != row - 1:
            first = row
        if place + 1 == len(rows) or rows[place + 1] != row + 1:
            yield first, row
