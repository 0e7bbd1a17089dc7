"""Runs: what was trained so far, laid over each other, compared, looked at again, and kept in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QLineEdit, QPushButton

from app.core.runs import Run
from app.core.runs.choosing import chosen_runs
from app.errors import RUNS, Problem
from app.panels.base import Panel
from app.panels.runs.actions import RunActions
from app.panels.runs.details import Details
from app.panels.runs.differs import WhatDiffers
from app.panels.runs.overlay import Overlay
from app.panels.runs.table import RunsTable
from app.widgets.card import GAP, Card, label
from nncore.data.catalogue import title_of
from nncore.errors import DigitLabError

LEAST, NARROW = 576, 760
"""Least width of the panel in pixels, and that below which what differs stands under the table instead of beside it."""
LEAST_PLOT = 200
"""Least height of the card with the curves in pixels."""
FILTERS = {"tag": 94, "network": 122, "data": 100}
"""What runs are filtered by, and the width of each filter in pixels."""


class RunsPanel(Panel):
    """Above the curves of the ticked runs; below the table, and what differs between the ticked ones."""

    def build(self) -> Iterator[None]:
        lab = self.lab
        self.overlay = Overlay(lab)
        yield
        self.differs = WhatDiffers(lab)
        self.table = RunsTable(lab.comparing.color_of)
        yield
        self.details, self.buttons = Details(lab.run_table), RunActions(lab)
        yield
        self._empty = self._build_empty()
        self.overlay.setMinimumHeight(LEAST_PLOT)
        self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._below.setSpacing(GAP)
        self._card = self._build_table()
        self._below.addWidget(self._card, 9)
        self._below.addWidget(self.differs, 5)
        self.content.addWidget(self._empty)
        self.content.addWidget(self.overlay, 5)
        self.content.addLayout(self._below, 7)
        self.table.rows.ticked.connect(lambda run, ticked: self._tick([run], ticked))
        self.table.rows.named.connect(lab.run_table.rename)
        self.table.chosen_changed.connect(self._show_chosen)
        self.table.tick_wanted.connect(self._tick_chosen)
        self.table.look_wanted.connect(self.buttons.look_at)
        self.table.delete_wanted.connect(self.buttons.ask_and_delete)
        lab.run_table.changed.connect(self._show_runs)
        lab.comparing.ticked_changed.connect(self.table.rows.tell_ticks)
        self._order_tabs()
        yield
        self._show_runs()
        yield

    def _order_tabs(self) -> None:
        """Let Tab go through the panel as it is read."""
        details, buttons = self.details, self.buttons
        order = (
            self.overlay.save, self.search, *self.filters.values(), self.table, details.tags, details.notes, buttons.look,
            buttons.go_on, buttons.recipe, buttons.report, buttons.export, buttons.delete, self.differs.table,
        )  # fmt: skip
        for one, next_one in pairwise(order):
            self.setTabOrder(one, next_one)

    def _build_empty(self) -> Card:
        card = Card("Runs")
        train = QPushButton("Train a network")
        train.setProperty("role", "go")
        train.clicked.connect(lambda: self.lab.show_panel("train"))
        row = QHBoxLayout()
        row.addWidget(train)
        row.addStretch(1)
        words = "No runs yet. Each training is kept here with its settings, its curves and its weights."
        card.body.addWidget(label(words, "dim", wrap=True))
        card.body.addLayout(row)
        card.body.addStretch(1)
        return card

    def _build_table(self) -> Card:
        self.search = QLineEdit(placeholderText="Search…", clearButtonEnabled=True)
        self.search.setAccessibleName("search runs")
        self.search.setToolTip("Runs with all of these words in name, network, data, tags or notes")
        self.search.textChanged.connect(self._filter)
        self.filters = {name: QComboBox() for name in FILTERS}
        for name, box in self.filters.items():
            box.setAccessibleName(f"filter by {name}")
            box.setToolTip(f"Show only runs {'with this tag' if name == 'tag' else f'of this {name}'}")
            box.setFixedWidth(FILTERS[name])
            box.addItem(f"any {name}", None)
            box.currentIndexChanged.connect(self._filter)
        card = Card("Runs", *self.filters.values())
        card.header.insertWidget(1, self.search, 100)
        self._nothing = label("", "dim")
        card.body.addWidget(self._nothing)
        card.body.addWidget(self.table, 1)
        card.body.addWidget(self.details)
        card.body.addWidget(self.buttons)
        return card

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        self._below.setDirection(directions.TopToBottom if self.width() < NARROW else directions.LeftToRight)

    def came_into_sight(self) -> None:
        self.lab.run_table.refresh()

    def went_out_of_sight(self) -> None:
        self.details.write()

    # -- which runs

    def _show_runs(self) -> None:
        """Show the table as it was read last."""
        runs = self.lab.run_table.runs
        self._empty.setVisible(runs == ())
        for card in (self.overlay, self._card, self.differs):
            card.setVisible(runs != ())
        tags = sorted({tag for run in runs or () for tag in run.tags}, key=str.casefold)
        for name, values in (
            ("tag", tags),
            ("network", sorted({run.network for run in runs or ()})),
            ("data", sorted({title_of(run.data) for run in runs or ()}, key=str.casefold)),
        ):
            _fill(self.filters[name], values)
        self._filter()

    def _filter(self) -> None:
        """Show the runs that search and filters let through."""
        every = self.lab.run_table.runs or ()
        chosen = {name: [box.currentData()] if box.currentData() else [] for name, box in self.filters.items()}
        found = chosen_runs(every, search=self.search.text(), tags=chosen["tag"], networks=chosen["network"], data=chosen["data"])
        self._nothing.setText("" if found or not every else "No run fits; clear the search and the filters to see all.")
        self._nothing.setVisible(bool(every) and not found)
        self.table.show_runs(found)

    def _show_chosen(self) -> None:
        chosen = self.table.chosen
        self.details.show_runs(chosen)
        self.buttons.show_runs(chosen)

    # -- ticks

    def _tick(self, runs: list[Run], ticked: bool) -> None:
        try:
            self.lab.comparing.tick(runs, ticked)
        except DigitLabError as error:
            self.lab.problem.emit(replace(Problem.of(error), about=RUNS))
        else:
            self.lab.solved.emit(RUNS)

    def _tick_chosen(self) -> None:
        """Tick the selected runs; where all are ticked already, take their ticks away."""
        chosen = self.table.chosen
        self._tick(chosen, any(self.lab.comparing.color_of(run) is None for run in chosen))


def _fill(box: QComboBox, values: list[str]) -> None:
    """Offer other values behind the first entry, which stands for all; what is chosen stays where it is among them."""
    chosen = box.currentData()
    if [box.itemData(place) for place in range(1, box.count())] == values:
        return
    box.blockSignals(True)
    while box.count() > 1:
        box.removeItem(1)
    for value in values:
        box.addItem(value, value)
    box.setCurrentIndex(values.index(chosen) + 1 if chosen in values else 0)
    box.blockSignals(False)
