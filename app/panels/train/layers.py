"""LayerTable: the layers of the recipe's network, and the way to their editor."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.core.draft import Draft
from app.core.layer_list import Line, total
from app.lab import Lab
from app.panels.train.figures import parameters_text, work_text
from app.widgets.card import Card, label
from nncore.arrays import shape_text

LEAST = 216
"""Least height in pixels: six layers or so are read at once."""
MOST_ROWS = 100
"""Layers that are listed; of a longer network it is said how many more there are."""
SPACING, MARGIN = 10, 6
"""Pixels between two columns, and right of the last one."""
BEGIN = "Add, change, move and remove layers; a preset stays as it is, and a network of your own begins as it"
GO_ON = "Go on with your edits, which have not been saved"


class LayerTable(Card):
    """A row for each layer, as it is for the images in view: its description, its output's shape, its number of parameters."""

    def __init__(self, lab: Lab) -> None:
        self.edit = QPushButton("Edit layers…")
        super().__init__("Layers", self.edit)
        self._lab = lab
        self.setMinimumHeight(LEAST)
        self._parameters, self._work = label("", "dim"), label("", "dim")
        self._parameters.setToolTip("Parameters: numbers that training changes")
        self._work.setToolTip("Multiply-adds and memory: what one image takes on its way through the network")
        self._shown: list[Line] = []
        cost = QVBoxLayout()
        cost.setSpacing(0)
        cost.addWidget(self._parameters)
        cost.addWidget(self._work)
        holder = QWidget()
        self._columns = [label(), label("", "dim"), label("", "dim")]
        """A line for each layer: its description, its output's shape, its number of parameters. Labels of their own for hundreds of
        layers would take too long.
        """
        self._others = label("", "dim")
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, MARGIN, 0)
        grid.setHorizontalSpacing(SPACING)
        for place, column in enumerate(self._columns):
            column.setTextFormat(Qt.TextFormat.RichText)
            grid.addWidget(column, 0, place)
        grid.addWidget(self._others, 1, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(2, 1)
        self._scroll = scroll = QScrollArea(widgetResizable=True)
        scroll.setAccessibleName("layers")
        scroll.setWidget(holder)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._columns[0].setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # the others are seen whole
        scroll.viewport().installEventFilter(self)
        self.body.addLayout(cost)
        self.body.addWidget(scroll, 1)
        lab.state.recipe.subscribe_part(lambda recipe: (recipe.network, recipe.layers), lambda _: self._show())
        lab.state.data.subscribe(lambda _: self._show(), now=False)
        lab.state.draft.subscribe(self._show_way)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._describe()
        return super().eventFilter(watched, event)

    def _show(self) -> None:
        lines = self._lab.recipe_layers().lines()
        if lines == self._shown:
            return
        self._shown = lines
        self._parameters.setText(parameters_text(total(lines)))
        self._work.setText(work_text(total(lines)))
        shown = lines[:MOST_ROWS]
        shapes = ("–" if line.output_shape is None else shape_text(line.output_shape) for line in shown)
        parameters = (f"{line.cost.parameters:,}" if line.cost.parameters else "" for line in shown)
        self._columns[1].setText(_lines(shapes, "right"))
        self._columns[2].setText(_lines(parameters, "right"))
        self._describe()
        self._others.setText(f"… and {len(lines) - len(shown):,} more layers")
        self._others.setVisible(len(lines) > len(shown))

    def _describe(self) -> None:
        """Write the descriptions, as far as there is room beside the other columns; the tooltip has those that are cut."""
        first, *others = self._columns
        taken = sum(column.sizeHint().width() + SPACING for column in others) + MARGIN
        room, fit = self._scroll.viewport().width() - taken, first.fontMetrics().elidedText
        descriptions = [line.description for line in self._shown[:MOST_ROWS]]
        written = [fit(text, Qt.TextElideMode.ElideRight, room) for text in descriptions]
        first.setText(_lines(written, "left"))
        first.setToolTip("\n".join(text for text, cut in zip(descriptions, written, strict=True) if text != cut))

    def _show_way(self, draft: Draft | None) -> None:
        self.edit.setText("Edit layers…" if draft is None else "Go on editing…")
        self.edit.setToolTip(BEGIN if draft is None else GO_ON)


def _lines(texts: Iterable[str], side: str) -> str:
    """Rich text with a line for each text, four pixels apart; `side` is `left` or `right`."""
    rows = "".join(
        f'<p align="{side}" style="margin: 0 0 4px 0; white-space: pre">{escape(text) or "&nbsp;"}</p>' for text in texts
    )
    return f"<html>{rows}</html>"
