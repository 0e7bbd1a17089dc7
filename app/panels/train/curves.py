"""TrainingCurves: the plots of the run in view, as they grow, and the moment in view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QPushButton, QSlider, QStackedWidget, QToolButton, QWidget

from app.core.history import History
from app.core.run_in_view import RunInView
from app.lab import Lab
from app.panels.train.figures import loss_text
from app.panels.train.plots import PLOTS, PlotSpec, mark_label, mark_words
from app.theme import theme
from app.threads.task import Task
from app.threads.training import Update
from app.widgets.card import Card, label
from app.widgets.curves import EPOCH_END, Curves
from app.widgets.elided import Elided
from app.widgets.key_line import KeyLine
from app.widgets.lines import Lines
from app.widgets.mark_lines import PlotMark
from app.widgets.step_plot import StepPlot
from app.widgets.throttle import Throttle
from nncore.training.events import Finished, Stopped

OFTENEST, SELDOMEST = 1000, 5000
"""Least and most milliseconds between two drawings of the plots, which take longer than all other drawing."""
OF_THE_TIME = 6
"""Between the two they are drawn after this part of the time that the training has taken: the longer, the less they change."""
APART = 60
"""Milliseconds between the drawing of the two, which would delay a frame together."""
CURVES_AFTER = 30
"""Milliseconds by which a plot is drawn later than the answer and the maps of the same moment, so that no frame has to draw all."""
ACCURACY = "Accuracy"
"""The first of the second card's plots."""

READING = (
    "The line under the mouse tells every value at its step (with the keyboard: ← and →, with Shift one step).\n"
    "The wheel zooms along the steps, dragging moves along them, a double click shows all again "
    "(with the keyboard: +, −, Page Up and Page Down, Home)"
)
LOOKS = "Dots: looks at held-out images on the way, mostly at a sample of them. Rings: at an epoch's end, at all of them.\n"


def loss_plot() -> Curves:
    """An empty plot for the losses of a training."""
    return Curves("loss", logarithmic=True)


def accuracy_plot() -> Curves:
    """An empty plot for its accuracies."""
    return Curves("accuracy in percent", shows_raw=False, is_percent=True, write="{:.2f} %".format)


class TrainingCurves(QObject):
    """Two cards: `loss_card`, and `accuracy_card`, where the user chooses among several plots.

    While a network trains, the second is drawn a moment after the first.
    """

    def __init__(self, lab: Lab, panel: QWidget, loss: Curves, accuracy: Curves) -> None:
        """`panel` is the parent; nothing is drawn while it is out of sight. The plots are made before: each takes its time."""
        super().__init__(panel)
        self._state, self._training, self._panel, self._problem = lab.state, lab.training, panel, lab.problem
        self.loss, self.accuracy = loss, accuracy
        self.lines: dict[str, Lines] = {}
        """The other plots, by title: those that have been chosen once."""
        self._save_buttons: list[QToolButton] = []
        self._steps: tuple[float, float] | None = None
        """The steps that the user has chosen to see; None: all of them."""
        self.loss_card, self.accuracy_card = self._build_loss(), self._build_second()
        theme().changed.connect(self._restyle)
        self._restyle()
        for curves in (self.loss, self.accuracy):
            curves.help = LOOKS + READING
            self._join(curves)
        self._shown: RunInView | None = None
        """The run whose curves are drawn."""
        self._next = QTimer(self, interval=APART, singleShot=True)
        self._next.timeout.connect(self._show_second)
        self._redraw = Throttle(self._show_next, OFTENEST, self, CURVES_AFTER)
        lab.training.updated.connect(self._show_update)
        lab.state.run.subscribe(lambda _: self._show_run())
        lab.state.moment.subscribe(lambda _: self._show_moment(), now=False)

    def _build_loss(self) -> Card:
        self._smoothing = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=99, value=90)
        self._smoothing.setFixedWidth(60)
        self._smoothing.setAccessibleName("smoothing")
        self._smoothing.setToolTip(
            "Smoothing: how much each point of the training curve remembers of those before it; the pale line is unsmoothed"
        )
        self._smoothing.valueChanged.connect(self._smooth)
        self._key = KeyLine()
        logarithmic = _log_button("loss")
        logarithmic.setChecked(True)
        logarithmic.toggled.connect(self.loss.set_logarithmic)
        save = self._save_button(lambda: self.loss)
        card = Card("Loss", self._key, self._smoothing, logarithmic, save)
        card.header.setStretchFactor(self._key, 100)
        card.body.addWidget(self.loss)
        return card

    def _build_second(self) -> Card:
        self.choice = QComboBox()
        self.choice.addItems([ACCURACY, *(spec.title for spec in PLOTS)])
        self.choice.setAccessibleName("plot")
        self.choice.setToolTip("Which plot stands here")
        self.choice.currentTextChanged.connect(self._choose)
        self.at_moment = Elided("title", 180)
        self.best, self._best_step = label("", "dim"), Elided()
        self.best.setToolTip("The best accuracy on all held-out images, at the end of an epoch")
        self._logarithmic = _log_button("the plot")
        self._logarithmic.hide()
        self._logarithmic.toggled.connect(lambda checked: self.second.set_logarithmic(checked))
        card = Card(ACCURACY, self.best, self._best_step, self._logarithmic, self._save_button(lambda: self.second))
        card.title.hide()  # the list says which plot it is
        card.header.insertWidget(0, self.choice)
        card.header.insertWidget(1, self.at_moment)
        card.header.setStretchFactor(self._best_step, 100)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.accuracy)
        card.body.addWidget(self._stack)
        return card

    def _save_button(self, plot: Callable[[], StepPlot]) -> QToolButton:
        button = QToolButton()
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setAccessibleName("save the plot")
        button.setToolTip("Save… this plot as a picture (PNG, SVG) or its values as a table (CSV)")
        button.clicked.connect(lambda: plot().ask_and_save())
        self._save_buttons.append(button)
        return button

    def _restyle(self) -> None:
        for button in self._save_buttons:
            button.setIcon(theme().icon("save"))
        self._write_key()

    @property
    def second(self) -> StepPlot:
        """The plot in the second card."""
        return self.lines.get(self.choice.currentText(), self.accuracy)

    def _join(self, plot: StepPlot) -> None:
        """Let a plot show the same steps as the others, and be saved in the background."""
        plot.setToolTip(plot.help)
        plot.zoomed.connect(lambda steps: self._show_steps(steps, plot))
        plot.save_wanted.connect(lambda write: Task(write, lambda _: None, self._problem.emit).begin())

    def _choose(self, title: str) -> None:
        """Put another plot into the second card."""
        spec = _spec(title)
        if spec is not None and title not in self.lines:
            made = self.lines[title] = Lines(spec.value, spec.is_logarithmic, spec.least_top, spec.write)
            made.help = f"{spec.notion}\n{READING}"
            self._join(made)
            self._stack.addWidget(made)
        plot: StepPlot = self.second
        self._stack.setCurrentWidget(plot)
        if self._steps is None:
            plot.show_whole()
        else:
            plot.show_steps(*self._steps)
        self._logarithmic.setVisible(spec is not None and not spec.least_top)
        self._logarithmic.setChecked(plot.is_logarithmic)
        self.best.setVisible(spec is None)
        self._best_step.setVisible(spec is None)
        self.accuracy_card.setAccessibleName(title)
        self._show_second()

    def _show_steps(self, steps: tuple[float, float] | None, chosen_in: StepPlot | None = None) -> None:
        """Show the steps that the user has chosen, in one plot, in all the others; None: all of them."""
        self._steps = steps
        for plot in (self.loss, self.accuracy, *self.lines.values()):
            if plot is chosen_in:
                continue
            if steps is None:
                plot.show_whole()
            else:
                plot.show_steps(*steps)

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
            parts.append((color, f"— {words}" if value is None else f"— {words} {loss_text(value)}"))
        if len(self._history.full):
            parts.append((colors.second, f"○ {EPOCH_END}"))
        self._key.show_parts(parts)

    def _show_update(self, update: Update) -> None:
        if self._panel.isVisible():
            self._redraw()
        if any(isinstance(event, Finished | Stopped) for event in update.events):
            self.show_all()  # whichever plot's turn it was

    def _show_run(self) -> None:
        run = self._state.run.value
        if run is not self._shown:
            self._shown = run
            self._show_steps(None)
        if self._panel.isVisible():  # else it is drawn when the panel comes into sight
            self.show_all()

    def show_all(self) -> None:
        """Draw both plots."""
        self._show_loss()
        self._show_second()

    def _show_next(self) -> None:
        """Draw one plot now and the other soon."""
        if self._training.session is not None:
            since = round(1000 * self._training.session.trainer.seconds / OF_THE_TIME)
            self._redraw.interval = min(max(since, OFTENEST), SELDOMEST)
        self._show_loss()
        self._next.start()

    def _show_moment(self) -> None:
        """Move the cursors. While a network trains each moves when its plot is drawn."""
        if not self._training.is_active and self._panel.isVisible():
            self._mark_loss()
            self._mark_second()

    @property
    def _step(self) -> int | None:
        """The step of the moment in view; None where there are no curves."""
        run, moment = self._state.run.value, self._state.moment.value
        return moment.step if run is not None and moment is not None and len(run.history.train) else None

    @property
    def _planned(self) -> int:
        """The step with which the run in view is planned to end; 0 where it is not being trained."""
        training = self._training
        is_trained = training.is_active and training.session is not None and self._state.run.value is training.trained
        return training.session.trainer.total_steps if is_trained else 0

    @property
    def _nothing(self) -> str:
        """Why there is nothing to draw, in a sentence; empty where there are curves."""
        run = self._state.run.value
        if len(self._history.train):
            return ""
        if self._training.is_active:
            return "The training begins: its curves come with the first steps."
        return f"{'Nothing trained yet' if run is None else f'No curves came with {run.name}'}: press Start, or Space."

    def _show_loss(self) -> None:
        history = self._history
        self.loss.planned = self._planned
        steps, losses, _ = history.train.columns()
        looked, val_losses, _ = history.validation.columns()
        self.loss.set_data((steps, losses), (looked, val_losses), *history.full.columns())
        self.loss.set_marks(_marks(history))
        self.loss.say(self._nothing)
        self._mark_loss()

    def _mark_loss(self) -> None:
        self.loss.set_cursor(self._step)
        self._write_key()

    def _show_second(self) -> None:
        history, spec = self._history, _spec(self.choice.currentText())
        self.second.planned = self._planned
        if spec is None:
            self._show_accuracy(history)
        else:
            lines = spec.lines(history)
            last = history.train.columns()[0][-1:]
            plot = self.lines[spec.title]
            plot.show_lines(lines, float(last[0]) if len(last) else 0.0)
            plot.say(self._nothing or ("" if lines else spec.why_empty(history)))
        self.second.set_marks(_marks(history))
        self._mark_second()

    def _show_accuracy(self, history: History) -> None:
        steps, _, right = history.train.columns()
        looked, _, val_right = history.validation.columns()
        self.accuracy.set_data((steps, right * 100), (looked, val_right * 100), *history.full.columns())
        self.accuracy.say(self._nothing)
        self.best.setText(f"best {history.best_accuracy * 100:.2f} %" if history.best_step else "")
        at = f"at {history.best_step:,}" if history.best_step else ""
        self._best_step.setMaximumWidth(self._best_step.fontMetrics().horizontalAdvance(at) + 2)
        self._best_step.show_words(at)

    def _mark_second(self) -> None:
        step, plot = self._step, self.second
        plot.set_cursor(step)
        _, found = (None, None) if step is None or plot is not self.accuracy else self.accuracy.values_at(step)
        self.at_moment.show_words(
            "" if found is None else f"{self._history.about(step or 0)}{found:.2f} % at step {step:,}".upper()
        )

    @property
    def _history(self) -> History:
        """The curves of the run in view; empty where there is no run."""
        run = self._state.run.value
        return History() if run is None else run.history


def _spec(title: str) -> PlotSpec | None:
    """The plot of that title; None for the accuracy."""
    return next((spec for spec in PLOTS if spec.title == title), None)


def _marks(history: History) -> list[PlotMark]:
    return [PlotMark(mark.step, mark_label(mark), mark_words(mark)) for mark in history.marks]


def _log_button(of: str) -> QPushButton:
    button = QPushButton("log")
    button.setCheckable(True)
    button.setAccessibleName(f"logarithmic axis of {of}")
    button.setToolTip("Logarithmic axis: equal distances are equal factors, so that small values are told apart beside large ones")
    return button
