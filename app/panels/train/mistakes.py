"""Mistakes: which held-out images the network gets wrong, counted and one by one."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.core.probe import Kind, Probe
from app.lab import Lab
from app.widgets.card import Card
from app.widgets.confusion import ConfusionMatrix
from app.widgets.elided import Elided
from app.widgets.image_grid import ImageGrid
from nncore.arrays import Array

AFTER_AN_EPOCH = "After the first epoch, the held-out images that the network gets wrong appear here, the most confident first."
MISTAKES = 200
"""Mistakes that are shown, the most confident first."""


class Mistakes(QObject):
    """Two cards, `confusion_card` and `mistakes_card`: those of the moment in view, and while a network trains of its last epoch.

    What belongs to another moment of the run, while its own is computed, is pale and says which step it is of.
    """

    def __init__(self, lab: Lab, panel: QWidget) -> None:
        """`panel` is the parent."""
        super().__init__(panel)
        self.lab = lab
        self._indices: Array = np.zeros(0, np.int64)
        """Which of the held-out images are in the grid."""
        self.confusion_card, self.mistakes_card = self._build_confusion(), self._build_mistakes()
        lab.evaluating.changed.connect(self.show_all)
        self.show_all()

    def _build_confusion(self) -> Card:
        card = Card("Confusion")
        card.setToolTip("Rows: what the image shows. Columns: what it was taken for. Click a cell to see its images.")
        card.setMinimumWidth(244)
        self._confusion = ConfusionMatrix()
        self._confusion.cell_clicked.connect(self._show_cell)
        card.body.addWidget(self._confusion)
        return card

    def _build_mistakes(self) -> Card:
        self.which = Elided()
        card = Card("What it still gets wrong")
        card.title.setToolTip("Held-out images, those first of which the network was surest")
        self.grid = ImageGrid("mistakes", AFTER_AN_EPOCH)
        self.grid.activated.connect(self._choose)
        card.body.addWidget(self.which)
        card.body.addWidget(self.grid, 1)
        return card

    def show_all(self) -> None:
        """Draw what is known of the held-out images of the run in view."""
        shown = self.lab.evaluating.shown
        if shown is None:
            self._confusion.set_counts(np.zeros((10, 10), np.int64))
            self.confusion_card.title.setText("CONFUSION")
            self.which.show_words("")
            self._show_images(np.zeros(0, np.int64))
            return
        self._confusion.set_counts(shown.evaluation.confusion, faded=not shown.is_current)
        self.confusion_card.title.setText(f"CONFUSION — STEP {shown.step:,}")
        wrong = shown.evaluation.mistakes()
        self.which.show_words(f"step {shown.step:,} · {len(wrong):,} images")
        self._show_images(wrong[:MISTAKES])

    def _show_cell(self, shows: int, taken_for: int) -> None:
        shown = self.lab.evaluating.shown
        if shown is not None:
            found = shown.evaluation
            chosen = np.flatnonzero((found.labels == shows) & (found.predicted == taken_for))
            words = "recognised" if shows == taken_for else f"taken for {taken_for}"
            self.which.show_words(f"step {shown.step:,} · {shows} {words} · {len(chosen):,} images")
            self._show_images(chosen[np.argsort(-found.probabilities[chosen].max(axis=1, initial=0))][:MISTAKES])

    def _show_images(self, indices: Array) -> None:
        shown = self.lab.evaluating.shown
        held_out = None if shown is None else shown.run.held_out
        if shown is None or held_out is None or len(held_out) != len(shown.evaluation.labels):
            self._indices = np.zeros(0, np.int64)
            self.grid.set_images(np.empty((0, 28, 28, 1), np.uint8), str, self._why_none())
            return
        self._indices = indices
        shows, taken = shown.evaluation.labels[indices], shown.evaluation.predicted[indices]
        self.grid.set_images(held_out.images[indices], lambda i: f"{shows[i]} → {taken[i]}", "None.")
        self.grid.set_faded(not shown.is_current)

    def _why_none(self) -> str:
        """What stands in the place of images that are not there."""
        run, training = self.lab.state.run.value, self.lab.training
        if run is None or (training.is_active and run is training.trained):
            return AFTER_AN_EPOCH
        if run.why_no_images:
            return run.why_no_images
        if self.lab.evaluating.has_failed:
            return "The held-out images could not be looked at."
        return "The held-out images are being looked at…" if run.held_out else "The held-out images are being opened…"

    def _choose(self, position: int) -> None:
        shown = self.lab.evaluating.shown
        if shown is not None and shown.run.held_out is not None:
            index, held_out = int(self._indices[position]), shown.run.held_out
            origin = f"{held_out.name} held-out image {index:,}"
            probe = Probe(held_out.images[index], origin, int(held_out.labels[index]), kind=Kind.DATASET)
            self.lab.state.show_probe(probe, origin)
