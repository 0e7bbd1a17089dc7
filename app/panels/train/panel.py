"""Train: the recipe and the layers, the curves as they grow, and what the network still gets wrong."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.panels.base import Panel
from app.panels.train.curves import TrainingCurves, accuracy_plot, loss_plot
from app.panels.train.form import RecipeForm
from app.panels.train.layer_editor import LayerEditor
from app.panels.train.layers import LayerTable
from app.panels.train.mistakes import Mistakes
from app.training import Status
from app.widgets.card import GAP

LEFT = 288
"""Width of recipe and layers."""


class TrainPanel(Panel):
    """Left recipe and layers, in the middle loss and accuracy, below the confusion matrix and the mistakes.

    While layers are edited, their editor is in the place of all but the left.
    """

    def build(self) -> Iterator[None]:
        lab = self.lab
        # From the outside in: what is given to another parent has its style worked out anew, with all that is in it.
        both = QHBoxLayout()
        both.setSpacing(GAP)
        self.content.addLayout(both)
        left = QVBoxLayout()
        left.setSpacing(GAP)
        both.addLayout(left)
        self._pages = QStackedWidget()
        both.addWidget(self._pages, 1)
        self._curves_page = QWidget()
        self._pages.addWidget(self._curves_page)
        right = QGridLayout(self._curves_page)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(GAP)
        for column, stretch in enumerate((1, 2)):  # in a large window there is more room for the counts, too
            right.setColumnStretch(column, stretch)
        for row, stretch in enumerate((8, 8, 11)):  # in the lowest row ten classes stand under each other
            right.setRowStretch(row, stretch)
        self.recipe = RecipeForm(lab)
        self.recipe.setFixedWidth(LEFT)
        left.addWidget(self.recipe)
        yield
        self._layers = LayerTable(lab)
        self._layers.setFixedWidth(LEFT)
        left.addWidget(self._layers, 1)
        yield
        loss = loss_plot()
        yield
        accuracy = accuracy_plot()
        yield
        self.curves = TrainingCurves(lab, self, loss, accuracy)
        right.addWidget(self.curves.loss_card, 0, 0, 1, 2)
        right.addWidget(self.curves.accuracy_card, 1, 0, 1, 2)
        yield
        self.mistakes = Mistakes(lab, self)
        right.addWidget(self.mistakes.confusion_card, 2, 0)
        right.addWidget(self.mistakes.mistakes_card, 2, 1)
        yield
        self.editor = LayerEditor(lab)
        self._pages.addWidget(self.editor)
        yield
        self._layers.edit.clicked.connect(self._edit_layers)
        self.editor.closed.connect(self._show_curves)
        lab.training.status_changed.connect(self._make_way)

    def _edit_layers(self) -> None:
        self._pages.setCurrentWidget(self.editor)
        self.editor.begin()

    def _make_way(self, status: Status) -> None:
        """Show the curves of a training that starts, unless edits would be lost; what is trained is then said."""
        if status is Status.STARTING and self._pages.currentWidget() is self.editor and not self.editor.leave_unchanged():
            self.lab.said.emit(f"The training is of {self.lab.state.recipe.value.network}; Save keeps what you edit.")

    def _show_curves(self) -> None:
        had_focus = self.editor.isAncestorOf(self.window().focusWidget() or self)
        self._pages.setCurrentWidget(self._curves_page)
        if had_focus:
            self._layers.edit.setFocus()

    def came_into_sight(self) -> None:
        self.lab.own_networks.refresh()
        self.curves.show_all()
        self.lab.evaluating.want(True)

    def went_out_of_sight(self) -> None:
        self.lab.evaluating.want(False)
