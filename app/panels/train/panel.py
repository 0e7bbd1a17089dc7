"""Train: the recipe and the layers, the curves as they grow, and what the network still gets wrong."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.core.in_view import NetworkInView
from app.core.probe import Kind, Probe
from app.lab import Lab
from app.panels.base import Panel
from app.panels.train.form import RecipeForm
from app.theme import theme
from app.threads.training import Update
from app.training import Status
from app.widgets.card import GAP, Card, label
from app.widgets.confusion import ConfusionMatrix
from app.widgets.curves import Curves
from app.widgets.image_grid import ImageGrid
from app.widgets.throttle import Throttle
from nncore.arrays import Array, shape_text
from nncore.training.events import EpochEnd, Finished, Stopped

CURVES_EVERY = 100
"""Milliseconds between two drawings of a plot, in turns: nothing else on the screen takes as long to draw."""
LEFT = 268
"""Width of recipe and layers."""
MISTAKES = 200
"""The most confident mistakes, of which so many are shown."""


class TrainPanel(Panel):
    """Left recipe and layers, in the middle loss and accuracy, below the confusion matrix and the mistakes."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        left = QVBoxLayout()
        left.setSpacing(GAP)
        self.recipe = RecipeForm(lab)
        self.recipe.setFixedWidth(LEFT)
        left.addWidget(self.recipe)
        left.addWidget(self._build_layers(), 1)
        right = QGridLayout()
        right.setSpacing(GAP)
        self._smoothing = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=99, value=90)
        self._smoothing.setFixedWidth(70)
        self._smoothing.setAccessibleName("smoothing")
        self._smoothing.setToolTip(
            "Smoothing: how much each point of the training curve remembers of those before it; the pale line is unsmoothed"
        )
        self._key = label("", "dim")
        self._key.setTextFormat(Qt.TextFormat.RichText)
        self._loss = Curves("loss", logarithmic=True)
        self._accuracy = Curves("accuracy in percent", shows_raw=False)  # a batch of 32 jumps by 3 %
        self._smoothing.valueChanged.connect(self._smooth)
        self._loss_card = Card("Loss (log)", self._key, label("smooth", "dim"), self._smoothing)
        self._loss_card.body.addWidget(self._loss)
        self._best = label("", "dim")
        self._accuracy_card = Card("Accuracy", self._best)
        self._accuracy_card.body.addWidget(self._accuracy)
        right.addWidget(self._loss_card, 0, 0, 1, 2)
        right.addWidget(self._accuracy_card, 1, 0, 1, 2)
        right.addWidget(self._build_confusion(), 2, 0)
        right.addWidget(self._build_mistakes(), 2, 1)
        right.setColumnStretch(1, 1)
        for row in range(3):
            right.setRowStretch(row, 1)
        both = QHBoxLayout()
        both.setSpacing(GAP)
        both.addLayout(left)
        both.addLayout(right, 1)
        self.content.addLayout(both)
        theme().changed.connect(self._write_key)
        self._write_key()
        lab.state.network.subscribe(self._show_layers)
        self._turn = 0
        self._redraw = Throttle(self._show_next_curve, CURVES_EVERY, self)
        lab.training.updated.connect(self._show_update)
        lab.training.status_changed.connect(self._show_status)
        self._show_all()
        self._show_status(lab.training.status)

    def _show_status(self, status: Status) -> None:
        if status is Status.STARTING:
            self._show_all()

    # -- layers

    def _build_layers(self) -> Card:
        self._parameters = label("", "dim")
        card = Card("Layers", self._parameters)
        card.setFixedWidth(LEFT)
        holder = QWidget()
        self._layers = QGridLayout(holder)
        self._layers.setContentsMargins(0, 0, 0, 0)
        self._layers.setVerticalSpacing(4)
        self._layers.setColumnStretch(0, 1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(holder)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        card.body.addWidget(scroll)
        return card

    def _show_layers(self, view: NetworkInView | None) -> None:
        while self._layers.count():
            self._layers.takeAt(0).widget().deleteLater()
        if view is None:
            return
        self._parameters.setText(f"{view.parameter_count:,} parameters")
        for row, line in enumerate(view.summary):
            self._layers.addWidget(label(line.description), row, 0)
            for column, text in enumerate((shape_text(line.output_shape), f"{line.parameters:,}" if line.parameters else ""), 1):
                cell = label(text, "dim")
                cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._layers.addWidget(cell, row, column)
        self._layers.setRowStretch(len(view.summary), 1)

    # -- curves

    def _smooth(self, percent: int) -> None:
        for curves in (self._loss, self._accuracy):
            curves.set_smoothing(percent / 100)

    def _write_key(self) -> None:
        colors = theme().colors
        self._key.setText(
            f'<span style="color:{colors.accent}">— training</span>&nbsp; <span style="color:{colors.second}">— validation</span>'
        )

    def _show_update(self, update: Update) -> None:
        if self.isVisible():
            self._redraw()
        if any(isinstance(event, EpochEnd) for event in update.events):
            self._show_evaluation()
        if any(isinstance(event, Finished | Stopped) for event in update.events):
            self._show_curves()  # whose turn it was or not

    def came_into_sight(self) -> None:
        self._show_curves()

    def _show_all(self) -> None:
        self._show_curves()
        self._show_evaluation()

    def _show_curves(self) -> None:
        self._show_loss()
        self._show_accuracy()

    def _show_next_curve(self) -> None:
        """One plot now, the other the next time, so that neither frame is long."""
        self._turn += 1
        (self._show_loss, self._show_accuracy)[self._turn % 2]()

    def _show_loss(self) -> None:
        history = self.lab.training.history
        steps, losses, _ = history.train.columns()
        looked, val_losses, _ = history.validation.columns()
        self._loss.set_data((steps, losses), (looked, val_losses))

    def _show_accuracy(self) -> None:
        history = self.lab.training.history
        steps, _, right = history.train.columns()
        looked, _, val_right = history.validation.columns()
        self._accuracy.set_data((steps, right * 100), (looked, val_right * 100))
        latest = f"  {val_right[-1] * 100:.2f} %" if len(val_right) else ""
        self._accuracy_card.title.setText(f"ACCURACY{latest}")
        if history.best_step:
            self._best.setText(f"best on validation {history.best_accuracy * 100:.2f} % at step {history.best_step:,}")
        else:
            self._best.setText("" if len(steps) else "Nothing trained yet: press Start, or Space.")

    # -- what it still gets wrong

    def _build_confusion(self) -> Card:
        card = Card("Confusion")
        card.setToolTip("Rows: what the image shows. Columns: what it was taken for. Click a cell to see its images.")
        card.setMinimumWidth(244)
        self._confusion = ConfusionMatrix()
        self._confusion.cell_clicked.connect(self._show_cell)
        card.body.addWidget(self._confusion)
        return card

    def _build_mistakes(self) -> Card:
        self._mistakes_card = Card("What it still gets wrong")
        self._mistakes_card.title.setToolTip("Held-out images, those first of which the network was surest")
        self.mistakes = ImageGrid(
            "mistakes",
            "After the first epoch, the held-out images that the network gets wrong appear here, the most confident first.",
        )
        self.mistakes.activated.connect(self._choose_mistake)
        self._mistake_indices: Array = np.zeros(0, np.int64)
        self._mistakes_card.body.addWidget(self.mistakes)
        return self._mistakes_card

    def _show_evaluation(self) -> None:
        found = self.lab.training.history.evaluation
        self._confusion.set_counts(np.zeros((10, 10), np.int64) if found is None else found.confusion)
        wrong = np.zeros(0, np.int64) if found is None else found.mistakes()
        self._mistakes_card.title.setText("WHAT IT STILL GETS WRONG" + (f" — {len(wrong):,}" if len(wrong) else ""))
        self._show_images(wrong[:MISTAKES])

    def _show_cell(self, shows: int, taken_for: int) -> None:
        found = self.lab.training.history.evaluation
        if found is not None:
            chosen = np.flatnonzero((found.labels == shows) & (found.predicted == taken_for))
            words = "recognised" if shows == taken_for else f"taken for {taken_for}"
            self._mistakes_card.title.setText(f"{shows} {words.upper()} — {len(chosen):,}")
            self._show_images(chosen[np.argsort(-found.probabilities[chosen].max(axis=1, initial=0))][:MISTAKES])

    def _show_images(self, indices: Array) -> None:
        session, found = self.lab.training.session, self.lab.training.history.evaluation
        self._mistake_indices = indices
        if session is None or found is None:
            self.mistakes.set_images(np.empty((0, 28, 28, 1), np.uint8), str)
            return
        shows, taken = found.labels[indices], found.predicted[indices]
        images = session.trainer.validation_data.images[indices]
        self.mistakes.set_images(images, lambda i: f"{shows[i]} → {taken[i]}", "None.")

    def _choose_mistake(self, position: int) -> None:
        session = self.lab.training.session
        if session is not None:
            index, held_out = int(self._mistake_indices[position]), session.trainer.validation_data
            origin = f"{held_out.name} held-out image {index:,}"
            self.lab.state.probe.set(Probe(held_out.images[index], origin, int(held_out.labels[index]), kind=Kind.DATASET))
