"""The time bar: buttons to start, pause and stop; the progress of a training, and afterwards a slider over its moments."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSlider, QWidget

from app.core.timeline import Moment
from app.durations import duration
from app.lab import Lab
from app.theme import theme
from app.training import Status
from app.widgets.elided import Elided

WIDTHS = {"toggle": 120, "stop": 84, "more": 112, "branch": 100}
"""Width of each button in pixels: enough for all that it can say, so that nothing moves."""


class TimeBar(QWidget):
    """Left the buttons, in the middle the slider over the steps, right the figures."""

    def __init__(self, lab: Lab, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("timeBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._lab, self._actions = lab, actions
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(10)
        self._buttons: dict[str, QPushButton] = {}
        for name, width in WIDTHS.items():
            button = QPushButton()
            button.setFixedWidth(width)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
            button.setIconSize(QSize(16, 16))
            button.clicked.connect(actions[name].trigger)
            self._buttons[name] = button
            row.addWidget(button)
        self._buttons["toggle"].setProperty("role", "go")
        self._what = Elided(width=56)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("moment of the training")
        self.slider.setToolTip("The moment: every view shows the network as it was at this step (← and →)")
        self.slider.valueChanged.connect(self._moved)
        self._step, self._figures = Elided("value", 160), Elided(width=272)
        row.addWidget(self._what)
        row.addWidget(self.slider, 1)
        row.addWidget(self._step)
        row.addWidget(self._figures)
        theme().changed.connect(self.refresh)
        actions["branch"].changed.connect(lambda: self._name_buttons(lab.training.status))
        lab.training.status_changed.connect(self.refresh)
        lab.training.updated.connect(self._show_progress)
        lab.state.run.subscribe(self.refresh, now=False)
        lab.state.moment.subscribe(self._show_moment)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Update the buttons and the progress."""
        self._name_buttons(self._lab.training.status)
        self._show_progress()

    def _show_progress(self, *_: object) -> None:
        training = self._lab.training
        status, last = training.status, training.last
        if status is Status.IDLE:
            self._show_moment(self._lab.state.moment.value)
            return
        if self.slider.hasFocus():  # otherwise the keyboard would go to some other button
            self._buttons["toggle"].setFocus()
        self.slider.setEnabled(False)
        self._what.show_words("step")
        if status is Status.STARTING or last is None:
            self._step.show_words("starting…")
            self._figures.show_words("compiling the engine: once, about a minute" if training.is_compiling else "")
            self._slide(0, 1, 0)
            return
        total = training.session.trainer.total_steps if training.session else last.total_steps
        self._slide(0, total, last.step)
        self._step.show_words(f"{last.step:,} / {total:,}")
        if status is Status.PAUSED:
            self._figures.show_words("paused")
        else:
            left = "" if math.isnan(last.seconds_left) else f" · {duration(last.seconds_left)} left"
            self._figures.show_words(f"{last.examples_per_second:,.0f} images/s{left}")

    def _name_buttons(self, status: Status) -> None:
        words, icon = {
            Status.IDLE: ("Start", "play"),
            Status.STARTING: ("Starting…", "play"),
            Status.TRAINING: ("Pause", "pause"),
            Status.PAUSED: ("Go on", "play"),
            Status.STOPPING: ("Stopping…", "stop"),
        }[status]
        colors = theme().colors
        for name, text, picture in (
            ("toggle", words, icon),
            ("stop", "Stop", "stop"),
            ("more", "+1 epoch", "more"),
            ("branch", "Branch", "branch"),
        ):
            action, button = self._actions[name], self._buttons[name]
            tint = colors.on_accent if name == "toggle" and action.isEnabled() else colors.text
            button.setText(text)
            button.setIcon(theme().icon(picture, tint))
            button.setToolTip(action.toolTip())
            self._enable(button, name == "toggle" or action.isEnabled())

    def _enable(self, button: QPushButton, enabled: bool) -> None:
        """Enable or disable a button. The keyboard goes from one that is disabled to the one that starts and pauses."""
        if button.hasFocus() and not enabled:
            self._buttons["toggle"].setFocus()
        button.setEnabled(enabled)

    def _show_moment(self, moment: Moment | None) -> None:
        if self._lab.training.is_active:
            return
        run, timeline = self._lab.state.run.value, self._lab.state.timeline
        movable = moment is not None and len(timeline) > 1
        self.slider.setEnabled(movable)
        if moment is None or run is None or run.run is None:
            self._what.show_words("")
            self._slide(0, 1, 0)
            self._step.show_words("")
            self._figures.show_words("Start trains a new run by the recipe")
            return
        self._what.show_words("moment")
        self._slide(0, max(1, len(timeline) - 1), timeline.nearest(moment.step))
        accuracy = run.history.val_accuracy_at(moment.step)  # as the curves have it
        validation = "" if accuracy is None else f" · validation {accuracy * 100:.2f} %"
        self._step.show_words(f"{moment.step:,} / {timeline[-1].step:,}")
        self._figures.show_words(f"{run.name}{validation}")

    def _slide(self, low: int, high: int, value: int) -> None:
        """Set the slider without a signal."""
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(low, high)
        self.slider.setValue(value)
        self.slider.blockSignals(blocked)

    def _moved(self, index: int) -> None:
        if not self._lab.training.is_active:
            self._lab.state.show_moment(index)
