"""Offers: ways out of what went wrong with a training, as buttons beside the sentence that tells it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.core.cut_off import CutOff, newest_cut_off
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.state import LabState
from app.errors import CUT_OFF, Problem, Remedy
from app.threads.task import Task
from app.training import TrainingController
from nncore.training.values import number_text


class Offers(QObject):
    """Offers a run that was cut off, at the next start; and of a training that has diverged its last good weights and a smaller
    learning rate.
    """

    problem = Signal(object)
    """A Problem, with its remedies."""
    offered = Signal(object)
    """A Problem about something that happened before the window was opened; `note_shown` is to be called if it is shown."""
    again = Signal(float)
    """The user wants to train again with this learning rate."""
    continued = Signal(object)
    """The user wants to train this Run further."""
    looked_at = Signal(object)
    """The user wants to look at this Run."""

    def __init__(self, state: LabState, settings: Settings, store: RunStore, training: TrainingController) -> None:
        super().__init__()
        self._state, self._settings, self._store, self._training = state, settings, store, training
        self._found: CutOff | None = None

    def look_for_cut_off(self) -> None:
        """Offer the newest run, where it was cut off, unless that has been shown before. It is looked for in the background."""
        Task(lambda: newest_cut_off(self._store), self._offer, self.problem.emit).begin()

    def note_shown(self) -> None:
        """Note that the offer has been shown, so that it is not made again."""
        if self._found is not None:
            self._settings["offered"] = self._found.key

    def tell_of_training(self, problem: Problem) -> None:
        """Tell what went wrong in a training; of one that has diverged, with what can be done about it."""
        failed, remedies = self._training.failed, []
        if failed is not None and failed.learning_rate is not None:
            rate = failed.learning_rate
            words = f"Start again with {number_text(rate)}"
            remedies.append(Remedy(words, lambda: self.again.emit(rate), "Train a new run with this learning rate"))
        run = self._state.run.value
        if failed is not None and failed.kept_step is not None and run is not None and run is self._training.trained:
            step = failed.kept_step
            words = f"Show step {step:,}"
            remedies.append(Remedy(words, lambda: self._show(step), "Show the last good weights, which are kept"))
        self.problem.emit(replace(problem, remedies=tuple(remedies)))

    def _offer(self, found: CutOff | None) -> None:
        if found is None or self._settings["offered"] == found.key or self._training.is_active:
            return
        self._found, run, step = found, found.run, found.step
        remedies = (
            Remedy(
                f"Continue from step {step:,}",
                lambda: self.continued.emit(run),
                "Train it up to its planned end, as if it had never been interrupted",
            ),
            Remedy("Look at it", lambda: self.looked_at.emit(run), "Show the run without training it"),
        )
        message = f"{run.name} was cut off. It is kept up to step {step:,} of {found.total_steps:,}."
        self.offered.emit(Problem(message, about=CUT_OFF, remedies=remedies))

    def _show(self, step: int) -> None:
        timeline = self._state.timeline
        if len(timeline):
            self._state.show_moment(timeline.nearest(step))
