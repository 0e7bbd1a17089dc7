"""TrainingCurves: loss and accuracy of the training, as they grow."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QSlider, QWidget

from app.lab import Lab
from app.theme import theme
from app.threads.training import Update
from app.widgets.card import Card, label
from app.widgets.curves import Curves
from app.widgets.throttle import Throttle
from nncore.training.events import Finished, Stopped

CURVES_EVERY = 160
"""Least milliseconds between two drawings of a plot, which take longer than all other drawing."""


class TrainingCurves(QObject):
    """Two cards, `loss_card` and `accuracy_card`. While a network trains, one of them is drawn at a time."""

    def __init__(self, lab: Lab, panel: QWidget) -> None:
        """`panel` is the parent; nothing is drawn while it is out of sight."""
        super().__init__(panel)
        self._training, self._panel = lab.training, panel
        self.loss = Curves("loss", logarithmic=True)
        self.accuracy = Curves("accuracy in percent", shows_raw=False)  # a batch of 32 jumps by 3 %
        self._smoothing = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=99, value=90)
        self._smoothing.setFixedWidth(70)
        self._smoothing.setAccessibleName("smoothing")
        self._smoothing.setToolTip(
            "Smoothing: how much each point of the training curve remembers of those before it; the pale line is unsmoothed"
        )
        self._smoothing.valueChanged.connect(self._smooth)
        self._key = label("", "dim")
        self._key.setTextFormat(Qt.TextFormat.RichText)
        self.loss_card = Card("Loss (log)", self._key, label("smooth", "dim"), self._smoothing)
        self.loss_card.body.addWidget(self.loss)
        self.best = label("", "dim")
        self.accuracy_card = Card("Accuracy", self.best)
        self.accuracy_card.body.addWidget(self.accuracy)
        theme().changed.connect(self._write_key)
        self._write_key()
        self._turn = 0
        self._redraw = Throttle(self._show_next_curve, CURVES_EVERY, self)
        lab.training.updated.connect(self._show_update)

    def _smooth(self, percent: int) -> None:
        for curves in (self.loss, self.accuracy):
            curves.set_smoothing(percent / 100)

    def _write_key(self) -> None:
        colors = theme().colors
        self._key.setText(
            f'<span style="color:{colors.accent}">— training</span>&nbsp; <span style="color:{colors.second}">— validation</span>'
        )

    def _show_update(self, update: Update) -> None:
        if self._panel.isVisible():
            self._redraw()
        if any(isinstance(event, Finished | Stopped) for event in update.events):
            self.show_all()  # whichever curve's turn it was

    def show_all(self) -> None:
        """Draw both curves."""
        self._show_loss()
        self._show_accuracy()

    def _show_next_curve(self) -> None:
        """Draw one plot now and the other the next time: drawing both would delay a frame."""
        self._turn += 1
        (self._show_loss, self._show_accuracy)[self._turn % 2]()

    def _show_loss(self) -> None:
        history = self._training.history
        steps, losses, _ = history.train.columns()
        looked, val_losses, _ = history.validation.columns()
        self.loss.set_data((steps, losses), (looked, val_losses))

    def _show_accuracy(self) -> None:
        history = self._training.history
        steps, _, right = history.train.columns()
        looked, _, val_right = history.validation.columns()
        self.accuracy.set_data((steps, right * 100), (looked, val_right * 100))
        latest = f"  {val_right[-1] * 100:.2f} %" if len(val_right) else ""
        self.accuracy_card.title.setText(f"ACCURACY{latest}")
        if history.best_step:
            self.best.setText(f"best on validation {history.best_accuracy * 100:.2f} % at step {history.best_step:,}")
        else:
            self.best.setText("" if len(steps) else "Nothing trained yet: press Start, or Space.")
