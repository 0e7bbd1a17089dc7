"""Mistakes: which held-out images the network gets wrong, counted and one by one."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.core.probe import Kind, Probe
from app.lab import Lab
from app.threads.training import Update
from app.widgets.card import Card
from app.widgets.confusion import ConfusionMatrix
from app.widgets.image_grid import ImageGrid
from nncore.arrays import Array
from nncore.training.events import EpochEnd

MISTAKES = 200
"""Mistakes that are shown, the most confident first."""


class Mistakes(QObject):
    """Two cards, `confusion_card` and `mistakes_card`, drawn anew after each epoch."""

    def __init__(self, lab: Lab, panel: QWidget) -> None:
        """`panel` is the parent."""
        super().__init__(panel)
        self.lab = lab
        self._indices: Array = np.zeros(0, np.int64)
        """Which of the held-out images are in the grid."""
        self.confusion_card, self.mistakes_card = self._build_confusion(), self._build_mistakes()
        lab.training.updated.connect(self._show_update)

    def _build_confusion(self) -> Card:
        card = Card("Confusion")
        card.setToolTip("Rows: what the image shows. Columns: what it was taken for. Click a cell to see its images.")
        card.setMinimumWidth(244)
        self._confusion = ConfusionMatrix()
        self._confusion.cell_clicked.connect(self._show_cell)
        card.body.addWidget(self._confusion)
        return card

    def _build_mistakes(self) -> Card:
        card = Card("What it still gets wrong")
        card.title.setToolTip("Held-out images, those first of which the network was surest")
        self.grid = ImageGrid(
            "mistakes",
            "After the first epoch, the held-out images that the network gets wrong appear here, the most confident first.",
        )
        self.grid.activated.connect(self._choose)
        card.body.addWidget(self.grid)
        return card

    def _show_update(self, update: Update) -> None:
        if any(isinstance(event, EpochEnd) for event in update.events):
            self.show_all()

    def show_all(self) -> None:
        """Draw the last evaluation of the held-out images."""
        found = self.lab.training.history.evaluation
        self._confusion.set_counts(np.zeros((10, 10), np.int64) if found is None else found.confusion)
        wrong = np.zeros(0, np.int64) if found is None else found.mistakes()
        self.mistakes_card.title.setText("WHAT IT STILL GETS WRONG" + (f" — {len(wrong):,}" if len(wrong) else ""))
        self._show_images(wrong[:MISTAKES])

    def _show_cell(self, shows: int, taken_for: int) -> None:
        found = self.lab.training.history.evaluation
        if found is not None:
            chosen = np.flatnonzero((found.labels == shows) & (found.predicted == taken_for))
            words = "recognised" if shows == taken_for else f"taken for {taken_for}"
            self.mistakes_card.title.setText(f"{shows} {words.upper()} — {len(chosen):,}")
            self._show_images(chosen[np.argsort(-found.probabilities[chosen].max(axis=1, initial=0))][:MISTAKES])

    def _show_images(self, indices: Array) -> None:
        session, found = self.lab.training.session, self.lab.training.history.evaluation
        self._indices = indices
        if session is None or found is None:
            self.grid.set_images(np.empty((0, 28, 28, 1), np.uint8), str)
            return
        shows, taken = found.labels[indices], found.predicted[indices]
        images = session.trainer.validation_data.images[indices]
        self.grid.set_images(images, lambda i: f"{shows[i]} → {taken[i]}", "None.")

    def _choose(self, position: int) -> None:
        session = self.lab.training.session
        if session is not None:
            index, held_out = int(self._indices[position]), session.trainer.validation_data
            origin = f"{held_out.name} held-out image {index:,}"
            probe = Probe(held_out.images[index], origin, int(held_out.labels[index]), kind=Kind.DATASET)
            self.lab.state.show_probe(probe, origin)
