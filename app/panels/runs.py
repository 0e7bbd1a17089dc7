"""Runs: what was trained so far, to look at again or to delete."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QTableWidget, QTableWidgetItem

from app.core.runs import Run
from app.core.stored_run import is_kept
from app.errors import RUNS, Problem
from app.lab import Lab
from app.panels.base import Panel
from app.widgets.card import Card, label
from app.widgets.question import confirmed
from nncore.data.catalogue import title_of
from nncore.errors import DigitLabError
from nncore.files import is_file

COLUMNS = ("name", "network", "data", "validation", "test", "steps", "time", "status", "date")


DELETE = "Forget the run and remove its weights from the disk"


class RunsPanel(Panel):
    """A table of runs, the newest first. Return or a double click looks at a run's network."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._runs: list[Run] = []
        self._look = QPushButton("Look at it")
        self._look.setToolTip("Show this run in every view: its network at its best, its curves, its moments and its recipe")
        self._look.clicked.connect(self._open)
        self._continue = QPushButton("Continue")
        self._continue.clicked.connect(self._look_and_continue)
        self._delete = QPushButton("Delete…")
        self._delete.clicked.connect(self._ask_and_delete)
        card = Card("Runs", self._look, self._continue, self._delete)
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
        self._look.setEnabled(run is not None and is_kept(self.lab.store, run))
        self._enable_continue(run)
        reason = "" if run is None else self._kept_because(run)
        if any(button.hasFocus() for button in (self._delete, self._look, self._continue)):
            self.table.setFocus()  # a button that is disabled would hand the keyboard on to somewhere else
        self._delete.setEnabled(run is not None and not reason)
        self._delete.setToolTip(reason or DELETE)

    def _enable_continue(self, run: Run | None) -> None:
        """Say which run would go on, or why it cannot."""
        reason = "Choose a run in the table first." if run is None else self._ended_because(run)
        self._continue.setEnabled(not reason)
        self._continue.setToolTip(
            reason or f"Show {run.name if run else ''} and train it further: to its planned end, or one epoch more if it is there"
        )

    def _ended_because(self, run: Run) -> str:
        """Why a run cannot be trained further now, as far as the table tells; empty where it can."""
        if self.lab.training.is_active:
            return "A training is running; stop it before another run goes on."
        if run.status == "running":
            return "It is being trained by another window or command; stop it there first."
        if not is_file(self.lab.store.checkpoint_of(run)):
            return f"{run.name} has no checkpoint to go on from; Start trains a new run."
        return ""

    def _kept_because(self, run: Run) -> str:
        """Why a run cannot be deleted now; empty where it can."""
        own = self.lab.training.run
        if own is not None and run.id == own.id:  # the rest of it changes while it is trained
            if self.lab.training.is_active:
                return "It is being trained; stop it first."
            return "It can still be trained further here; delete it once another training has begun, or after the next start."
        return "It is being trained by another window or command; stop it there first." if run.status == "running" else ""

    def _open(self) -> None:
        run = self._selected()
        if run is not None and self._look.isEnabled():
            self.lab.opener.open_run(run)

    def _look_and_continue(self) -> None:
        run = self._selected()
        if run is not None and self._continue.isEnabled():
            self.lab.continue_run(run)

    def _ask_and_delete(self) -> None:
        run = self._selected()
        if run is None or not self._delete.isEnabled():
            return
        question = f"Delete the run {run.name} with its curves and weights? This cannot be undone."
        if not confirmed(self, "Delete run", question, "Delete", "Keep"):
            return
        row = self.table.currentRow()
        try:
            self.lab.store.delete(run)
        except DigitLabError as error:
            self.lab.problem.emit(replace(Problem.of(error), about=RUNS))
        else:
            self.lab.solved.emit(RUNS)
            self.lab.forget_run(run)
        self.refresh()
        if self._runs:
            self.table.selectRow(min(row, len(self._runs) - 1))
        self._enable()


def cells(run: Run) -> tuple[str, ...]:
    """The texts of a run's row, one for each of COLUMNS."""

    def percent(share: float | None) -> str:
        return "–" if share is None else f"{share * 100:.2f} %"

    return (
        run.name,
        run.network,
        title_of(run.data),
        percent(run.val_accuracy),
        percent(run.test_accuracy),
        f"{run.steps:,}",
        f"{run.seconds:,.1f} s",
        run.status,
        f"{run.created:%Y-%m-%d %H:%M}",
    )
