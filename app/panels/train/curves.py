"""TrainingCurves: loss and accuracy of the run in view, as they grow, and the moment in view."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QPushButton, QSlider, QWidget

from app.core.history import History
from app.core.run_in_view import RunInView
from app.lab import Lab
from app.theme import theme
from app.threads.training import Update
from app.widgets.card import Card, label
from app.widgets.curves import Curves
from app.widgets.throttle import Throttle
from nncore.training.events import Finished, Stopped

CURVES_EVERY = 160
"""Least milliseconds between two drawings of a plot, which take longer than all other drawing."""

ZOOMING = (
    "The wheel zooms along the steps, dragging moves along them, a double click shows all again "
    "(with the keyboard: +, −, Page Up and Page Down, Home)"
)


class TrainingCurves(QObject):
    """Two cards, `loss_card` and `accuracy_card`. While a network trains, one of them is drawn at a time."""

    def __init__(self, lab: Lab, panel: QWidget) -> None:
        """`panel` is the parent; nothing is drawn while it is out of sight."""
        super().__init__(panel)
        self._state, self._training, self._panel = lab.state, lab.training, panel
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
        self.loss_card = Card("Loss (log)", self._key, label("smooth", "dim"), self._smoothing, self._save_button(self.loss))
        self.loss_card.body.addWidget(self.loss)
        self.best = label("", "dim")
        self.best.setToolTip("The best accuracy on all held-out images, at the end of an epoch")
        self.accuracy_card = Card("Accuracy", self.best, self._save_button(self.accuracy))
        self.accuracy_card.body.addWidget(self.accuracy)
        theme().changed.connect(self._write_key)
        self._write_key()
        for curves in (self.loss, self.accuracy):
            curves.setToolTip(ZOOMING)
        self.loss.zoomed.connect(lambda steps: _show(self.accuracy, steps))
        self.accuracy.zoomed.connect(lambda steps: _show(self.loss, steps))
        self._shown: RunInView | None = None
        """The run whose curves are drawn."""
        self._turn = 0
        self._redraw = Throttle(self._show_next_curve, CURVES_EVERY, self)
        lab.training.updated.connect(self._show_update)
        lab.state.run.subscribe(lambda _: self._show_run())
        lab.state.moment.subscribe(lambda _: self._show_moment(), now=False)

    def _save_button(self, curves: Curves) -> QPushButton:
        button = QPushButton("Save…")
        button.setAccessibleName(f"save the plot of {curves.accessibleName()}")
        button.setToolTip("Save this plot as a picture (PNG, SVG) or its values as a table (CSV)")
        button.clicked.connect(curves.ask_and_save)
        return button

    def _smooth(self, percent: int) -> None:
        for curves in (self.loss, self.accuracy):
            curves.set_smoothing(percent / 100)
        self._write_key()

    def _write_key(self) -> None:
        """Say which curve is which, and the losses at the moment."""
        colors, moment = theme().colors, self._state.moment.value
        values = (None, None) if moment is None else self.loss.values_at(moment.step)
        parts = []
        for color, words, value in zip((colors.accent, colors.second), ("training", "validation"), values, strict=True):
            parts.append(f'<span style="color:{color}">— {words}{"" if value is None else f" {value:.3f}"}</span>')
        self._key.setText("&nbsp; ".join(parts))

    def _show_update(self, update: Update) -> None:
        if self._panel.isVisible():
            self._redraw()
        if any(isinstance(event, Finished | Stopped) for event in update.events):
            self.show_all()  # whichever curve's turn it was

    def _show_run(self) -> None:
        run = self._state.run.value
        if run is not self._shown:
            self._shown = run
            for curves in (self.loss, self.accuracy):
                curves.show_whole()
        if self._panel.isVisible():  # else it is drawn when the panel comes into sight
            self.show_all()

    def show_all(self) -> None:
        """Draw both curves."""
        self._show_loss()
        self._show_accuracy()

    def _show_next_curve(self) -> None:
        """Draw one plot now and the other the next time: drawing both would delay a frame."""
        self._turn += 1
        (self._show_loss, self._show_accuracy)[self._turn % 2]()

    def _show_moment(self) -> None:
        """Move the cursors. While a network trains each moves when its plot is drawn."""
        if not self._training.is_active and self._panel.isVisible():
            self._mark_loss()
            self._mark_accuracy()

    @property
    def _step(self) -> int | None:
        """The step of the moment in view; None where there are no curves."""
        run, moment = self._state.run.value, self._state.moment.value
        return moment.step if run is not None and moment is not None and len(run.history.train) else None

    def _show_loss(self) -> None:
        history = self._history
        steps, losses, _ = history.train.columns()
        looked, val_losses, _ = history.validation.columns()
        self.loss.set_data((steps, losses), (looked, val_losses))
        self._mark_loss()

    def _mark_loss(self) -> None:
        self.loss.set_cursor(self._step)
        self._write_key()

    def _show_accuracy(self) -> None:
        history, run = self._history, self._state.run.value
        steps, _, right = history.train.columns()
        looked, _, val_right = history.validation.columns()
        self.accuracy.set_data((steps, right * 100), (looked, val_right * 100))
        self._mark_accuracy()
        if history.best_step:
            self.best.setText(f"best {history.best_accuracy * 100:.2f} % at step {history.best_step:,}")
        elif len(steps):
            self.best.setText("")
        else:
            nothing = "Nothing trained yet" if run is None else f"No curves came with {run.name}"
            self.best.setText(f"{nothing}: press Start, or Space.")

    def _mark_accuracy(self) -> None:
        step = self._step
        self.accuracy.set_cursor(step)
        _, found = (None, None) if step is None else self.accuracy.values_at(step)
        self.accuracy_card.title.setText("ACCURACY" if found is None else f"ACCURACY  {found:.2f} % at step {step:,}".upper())

    @property
    def _history(self) -> History:
        """The curves of the run in view; empty where there is no run."""
        run = self._state.run.value
        return History() if run is None else run.history


def _show(curves: Curves, steps: tuple[float, float] | None) -> None:
    """Show the steps that the user has chosen in the other plot; None: all of them."""
    if steps is None:
        curves.show_whole()
    else:
        curves.show_steps(*steps)
