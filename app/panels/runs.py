"""Runs: what was trained so far, to look at again or to delete."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMessageBox, QPushButton, QTableWidget, QTableWidgetItem

from app.core.runs import Run
from app.lab import Lab
from app.panels.base import Panel
from app.widgets.card import Card, label

COLUMNS = ("name", "network", "data", "validation", "test", "steps", "time", "status", "date")


class RunsPanel(Panel):
    """A table of runs, the newest first. Return or a double click looks at a run's network."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._runs: list[Run] = []
        self._look = QPushButton("Look at it")
        self._look.setToolTip("Make this run's best weights the network that every view shows")
        self._look.clicked.connect(self._open)
        self._delete = QPushButton("Delete…")
        self._delete.setToolTip("Forget the run and remove its weights from the disk")
        self._delete.clicked.connect(self._ask_and_delete)
        card = Card("Runs", self._look, self._delete)
        self._empty = label("No runs yet. Each training is kept here with its settings, its curves and its weights.", "dim")
        self.table = QTableWidget(0, len(COLUMNS), alternatingRowColors=False, showGrid=False)
        self.table.setAccessibleName("runs")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.itemSelectionChanged.connect(self._enable)
        self.table.doubleClicked.connect(self._open)
        for key, act in ((Qt.Key.Key_Return, self._open), (Qt.Key.Key_Delete, self._ask_and_delete)):
            action = QAction(self.table, shortcut=QKeySequence(key), shortcutContext=Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(act)
            self.table.addAction(action)
        card.body.addWidget(self._empty)
        card.body.addWidget(self.table, 1)
        card.body.addStretch(0)
        self.content.addWidget(card)
        lab.training.ended.connect(self.refresh)
        lab.training.status_changed.connect(lambda _: self.refresh() if self.isVisible() else None)
        self._enable()

    def came_into_sight(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Read the table of runs anew, keeping the selected one."""
        selected = self._selected()
        self._runs = self.lab.store.list()
        self._empty.setVisible(not self._runs)
        self.table.setVisible(bool(self._runs))
        self.table.setRowCount(len(self._runs))
        for row, run in enumerate(self._runs):
            for column, text in enumerate(cells(run)):
                item = QTableWidgetItem(text)
                if column in (3, 4, 5, 6):
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)
            if selected is not None and run.id == selected.id:
                self.table.selectRow(row)
        self._enable()

    def _selected(self) -> Run | None:
        rows = self.table.selectionModel().selectedRows() if self.table.selectionModel() else []
        return self._runs[rows[0].row()] if rows and rows[0].row() < len(self._runs) else None

    def _enable(self) -> None:
        run = self._selected()
        self._look.setEnabled(run is not None and self.lab.store.weights_of(run).exists())
        self._delete.setEnabled(run is not None and run != self.lab.training.run)

    def _open(self) -> None:
        run = self._selected()
        if run is not None and self._look.isEnabled():
            self.lab.opener.open_run(run)

    def _ask_and_delete(self) -> None:
        run = self._selected()
        if run is None or not self._delete.isEnabled():
            return
        question = f"Delete the run {run.name} with its curves and weights? This cannot be undone."
        if QMessageBox.question(self, "Delete run", question) == QMessageBox.StandardButton.Yes:
            self.lab.store.delete(run)
            self.refresh()


def cells(run: Run) -> tuple[str, ...]:
    """The texts of a run's row, one for each of COLUMNS."""

    def percent(share: float | None) -> str:
        return "–" if share is None else f"{share * 100:.2f} %"

    return (
        run.name,
        run.network,
        run.data,
        percent(run.val_accuracy),
        percent(run.test_accuracy),
        f"{run.steps:,}",
        f"{run.seconds:,.1f} s",
        run.status,
        f"{run.created:%Y-%m-%d %H:%M}",
    )
