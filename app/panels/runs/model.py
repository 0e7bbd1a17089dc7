"""RunsModel: the rows of the table of runs, which may be many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.core.runs import Run
from app.core.runs.brief import recipe_words
from app.widgets.swatch import swatch_icon
from nncore.data.catalogue import title_of

Index = QModelIndex | QPersistentModelIndex


class Column(NamedTuple):
    """A column of the table."""

    title: str
    order: str
    """What a click on its header sorts by: one of ORDERS; empty where it sorts by nothing."""
    sample: str
    """A text about as wide as its widest."""
    text: Callable[[Run], str]
    tip: str
    is_figure: bool = False
    rank: int = 0
    """Columns of a low rank are shown first; those of a higher one where there is room for them."""


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.2f} %"


def _steps(run: Run) -> str:
    return f"{run.steps:,}" if _has_figures(run) else "–"


def _seconds(run: Run) -> str:
    return f"{run.seconds:,.1f} s" if _has_figures(run) else "–"


def _has_figures(run: Run) -> bool:
    """Whether the table knows how long a run was trained: of one that is new it hears when the training ends."""
    return run.status != "running" or run.steps > 0


COLUMNS = (
    Column("", "", "", lambda run: "", "Tick runs to lay their curves over each other and to compare their settings and answers"),
    Column("name", "name", "mnist-cnn-100", lambda run: run.name,
        "Double-click, or F2, renames the run. A right click on the table sorts it, also by what has no room for a column here",
    ),
    Column(
        "best", "accuracy", "100.00 %", lambda run: _percent(run.val_accuracy),
        "The best accuracy on the held-out images: those that the network does not learn from", True, 1,
    ),
    Column("steps", "steps", "100,000", _steps, "How often weights were changed, by a batch each", True, 2),
    Column("time", "time", "1,000.0 s", _seconds, "How long it was trained", True, 3),
    Column("recipe", "recipe", "adam 0.001 · one-cycle", recipe_words, "Optimizer, learning rate and schedule", rank=5),
    Column("tags", "tags", "class demo, best", lambda run: ", ".join(run.tags), "Your own words for runs; edit them below", rank=6),
    Column("date", "date", "2026-11-30 12:00", lambda run: f"{run.created:%Y-%m-%d %H:%M}", "When it was begun", rank=7),
    Column(
        "status", "status", "interrupted", lambda run: run.status,
        "finished: it ended as planned; stopped: you ended it; failed: it diverged; interrupted: it can be gone on with", rank=4,
    ),
    Column("network", "network", "svhn-lenet", lambda run: run.network, "What was trained", rank=8),
    Column("data", "data", "Drawn street numbers", lambda run: title_of(run.data), "What it was trained on", rank=9),
    Column("test", "test", "100.00 %", lambda run: _percent(run.test_accuracy), "The accuracy on the test images", True, 10),
)  # fmt: skip
TICK, NAME = 0, 1
# Made once: Qt asks for those of every cell that is selected, and Python takes long to join them.
USUAL = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
FURTHER = {TICK: USUAL | Qt.ItemFlag.ItemIsUserCheckable, NAME: USUAL | Qt.ItemFlag.ItemIsEditable}
FLAGS = tuple(FURTHER.get(place, USUAL) for place in range(len(COLUMNS)))
SIDES = (
    Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
    Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
)
"""Where words stand in a cell, and where figures do."""


def summary(run: Run) -> str:
    """All that the table knows of a run, a line for each column that says something of it."""
    known = ((column.title, column.text(run)) for column in COLUMNS[NAME + 1 :])
    return "\n".join([run.name, *(f"{title}: {text}" for title, text in known if text not in ("", "–"))])


class RunsModel(QAbstractTableModel):
    """Shows runs in the order that they are given in. It changes none: `ticked` and `named` say what the user wants."""

    ticked = Signal(object, bool)
    """A Run, and whether it is to be ticked."""
    named = Signal(object, str)
    """A Run, and what it is to be called."""

    def __init__(self, color_of: Callable[[Run], str | None]) -> None:
        """`color_of` gives the colour of a run that is ticked, and None for others."""
        super().__init__()
        self._color_of = color_of
        self.runs: tuple[Run, ...] = ()

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show these runs. Where they are the same ones in the same order, only the cells of those that have changed do."""
        if [run.id for run in runs] == [run.id for run in self.runs]:
            changed = [row for row, (before, run) in enumerate(zip(self.runs, runs, strict=True)) if before != run]
            self.runs = tuple(runs)
            if changed:
                self.dataChanged.emit(self.index(changed[0], 0), self.index(changed[-1], len(COLUMNS) - 1))
        else:
            self.beginResetModel()
            self.runs = tuple(runs)
            self.endResetModel()

    def tell_ticks(self) -> None:
        """Let the ticks be drawn again."""
        if self.runs:
            self.dataChanged.emit(self.index(0, TICK), self.index(len(self.runs) - 1, TICK))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.tip
            case Qt.ItemDataRole.TextAlignmentRole:
                return SIDES[column.is_figure]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run, column = self.runs[index.row()], COLUMNS[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return column.text(run)
            case Qt.ItemDataRole.TextAlignmentRole:
                return SIDES[column.is_figure]
            case Qt.ItemDataRole.ToolTipRole:
                return summary(run) if index.column() == NAME else column.text(run) or None
        if index.column() == TICK:
            return self._tick(run, role)
        return None

    def _tick(self, run: Run, role: int) -> Any:
        color = self._color_of(run)
        match role:
            case Qt.ItemDataRole.CheckStateRole:
                return Qt.CheckState.Unchecked if color is None else Qt.CheckState.Checked
            case Qt.ItemDataRole.DecorationRole:
                return None if color is None else swatch_icon(color)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"compare {run.name}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        run = self.runs[index.row()]
        if index.column() == TICK and role == Qt.ItemDataRole.CheckStateRole:
            self.ticked.emit(run, Qt.CheckState(value) is Qt.CheckState.Checked)
            return True
        if index.column() == NAME and role == Qt.ItemDataRole.EditRole and value.strip() not in ("", run.name):
            self.named.emit(run, value.strip())
        return False

    def flags(self, index: Index) -> Qt.ItemFlag:
        return FLAGS[index.column()]
