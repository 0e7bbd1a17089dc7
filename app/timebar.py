"""The time bar: buttons to start, pause and stop; the progress of a training, and afterwards a slider over its moments."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSlider, QWidget

from app.core.actions import ACTIONS
from app.core.timeline import Moment
from app.durations import duration
from app.lab import Lab
from app.theme import theme
from app.training import Status
from app.widgets.elided import Elided

WIDTHS = {"toggle": 120, "stop": 116, "continue_here": 116, "more": 112, "branch": 100, "start_over": 36, "play": 36}
"""Width of each button in pixels: enough for all that it can say, so that nothing moves."""
WORDS = {"stop": "Stop", "continue_here": "Go on here", "more": "+1 epoch", "branch": "Branch"}
"""What is written on those that always say the same."""
ICONS = {spec.name: spec.icon for spec in ACTIONS}


FURTHER = ("more", "more_5", "step", "steps_100", "more_other")
"""The actions in the menu beside the button "+1 epoch"."""
FURTHER_TIP = "Train further by other amounts: more epochs, single steps, any number"


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
        self._further = _further_button(actions)
        for name, width in WIDTHS.items():
            button = QPushButton()
            button.setFixedWidth(width)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
            button.setIconSize(QSize(16, 16))
            button.clicked.connect(actions[name].trigger)
            self._buttons[name] = button
            if name == "more":
                both = QHBoxLayout()
                both.setSpacing(1)  # they belong together
                both.addWidget(button)
                both.addWidget(self._further)
                row.addLayout(both)
            else:
                row.addWidget(button)
        self._buttons["toggle"].setProperty("role", "go")
        self._buttons["start_over"].setAccessibleName("start over from the first weights")
        self._buttons["play"].setAccessibleName("play the training")
        self._what = Elided(width=56)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("moment of the training")
        self.slider.setToolTip("The moment: every view shows the network as it was at this step (← and →)")
        self.slider.valueChanged.connect(self._moved)
        self._step, self._figures = Elided("value", 124), Elided(width=264)
        row.addWidget(self._what)
        row.addWidget(self.slider, 1)
        row.addWidget(self._step)
        row.addWidget(self._figures)
        theme().changed.connect(self.refresh)
        for name in self._buttons:
            actions[name].changed.connect(lambda name=name: self._name_button(name))
        actions["more"].changed.connect(self._name_further)
        lab.training.status_changed.connect(self.refresh)
        lab.training.updated.connect(self._show_progress)
        lab.state.run.subscribe(self.refresh, now=False)
        lab.state.moment.subscribe(self._show_moment)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Update the buttons and the progress."""
        self._name_buttons()
        self._show_progress()

    def _show_progress(self, *_: object) -> None:
        training = self._lab.training
        status, last = training.status, training.last
        if status is Status.IDLE:
            self._show_moment(self._lab.state.moment.value)
            return
        if self._has_keyboard(self.slider):  # otherwise the keyboard would go to some other button
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
        name = f" · {training.run.name}" if training.run else ""  # at the end, since it may be long
        if status is Status.PAUSED:
            self._figures.show_words(f"paused{name}")
        else:
            left = "" if math.isnan(last.seconds_left) else f" · {duration(last.seconds_left)} left"
            self._figures.show_words(f"{last.examples_per_second:,.0f} images/s{left}{name}")

    def _name_buttons(self) -> None:
        for name in self._buttons:
            self._name_button(name)
        is_idle = self._lab.training.status is Status.IDLE
        # Only one of the two can be done at a time, so they share their place.
        self._buttons["stop"].setVisible(not is_idle)
        self._buttons["continue_here"].setVisible(is_idle)
        self._name_further()

    def _name_further(self) -> None:
        more = self._actions["more"]
        self._enable(self._further, more.isEnabled())
        self._further.setToolTip(FURTHER_TIP if more.isEnabled() else more.toolTip())

    def _name_button(self, name: str) -> None:
        """Bring one button in line with its action and the status of the training."""
        button, action, status = self._buttons[name], self._actions[name], self._lab.training.status
        words, icon = {
            Status.IDLE: ("Start", "play"),
            Status.STARTING: ("Starting…", "play"),
            Status.TRAINING: ("Pause", "pause"),
            Status.PAUSED: ("Go on", "play"),
            Status.STOPPING: ("Stopping…", "stop"),
        }[status]
        pictures = {"toggle": icon, "play": "pause" if self._lab.playing.is_on else "film"}
        colors, is_idle = theme().colors, status is Status.IDLE
        tint = colors.on_accent if name == "toggle" and action.isEnabled() else colors.text
        button.setText(words if name == "toggle" else WORDS.get(name, ""))
        button.setIcon(theme().icon(pictures.get(name) or ICONS[name], tint))
        button.setToolTip(action.toolTip())
        is_there = {"stop": not is_idle, "continue_here": is_idle}.get(name, True)
        self._enable(button, name == "toggle" or (is_there and action.isEnabled()))

    def _enable(self, button: QPushButton, enabled: bool) -> None:
        """Enable or disable a button. The keyboard goes from one that is disabled to the one that starts and pauses."""
        if self._has_keyboard(button) and not enabled:
            self._buttons["toggle"].setFocus()
        button.setEnabled(enabled)

    def _has_keyboard(self, widget: QWidget) -> bool:
        """Whether a widget has the keyboard, or will have it again when a dialog over the window is closed."""
        return self.window().focusWidget() is widget

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
        validation = "" if accuracy is None else f" · validation {run.history.about(moment.step)}{accuracy * 100:.2f} %"
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


def _further_button(actions: dict[str, QAction]) -> QPushButton:
    """A narrow button with the menu FURTHER."""
    button = QPushButton("▾")
    button.setProperty("role", "further")
    button.setAccessibleName("train further by other amounts")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setFixedWidth(24)
    menu = QMenu(button)
    menu.addActions([actions[name] for name in FURTHER])
    button.setMenu(menu)
    return button
