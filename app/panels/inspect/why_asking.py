"""WhyAsking: has the latest WhyQuestion answered in the background, as often as a training allows."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.pace import Pace
from app.core.why import Explainer, Why, WhyQuestion
from app.errors import Problem
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import Status, TrainingController

REST = 250
"""Milliseconds for which nothing must have changed before something slow is computed."""


class WhyAsking(QObject):
    """Answers one question at a time, the latest. Quick methods follow a training at the pace of app/core/pace.py; the others
    wait until it pauses or ends.
    """

    answered = Signal(object)
    """A Why, to the latest question or to one of just before."""
    problem = Signal(object)

    def __init__(self, training: TrainingController, parent: QObject) -> None:
        super().__init__(parent)
        self._training, self._explainer = training, Explainer()
        self._wanted: WhyQuestion | None = None
        self._answered: WhyQuestion | None = None
        self._is_busy, self._used, self._rest = False, 0.0, 0.0
        self._pace = Pace(used=lambda: self._used)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._begin)
        training.status_changed.connect(lambda _: self._schedule())

    def ask(self, question: WhyQuestion | None) -> None:
        """Ask a question in place of the last one; None: ask none."""
        self._wanted = question
        self._schedule()

    @property
    def is_training(self) -> bool:
        return self._training.status in (Status.STARTING, Status.TRAINING)

    @property
    def waits(self) -> bool:
        """Whether the answer comes only when the training that runs has paused or ended."""
        wanted = self._wanted
        return wanted is not None and wanted != self._answered and not wanted.is_quick and self.is_training

    def _schedule(self) -> None:
        if self._wanted is None or self._wanted == self._answered or self.waits:
            self._timer.stop()
        elif self._is_busy:
            return
        elif not self._wanted.is_quick:
            self._timer.start(REST)
        elif not self._timer.isActive():
            self._timer.start(round(1000 * self._rest) if self.is_training else 0)

    def _begin(self) -> None:
        question, explainer = self._wanted, self._explainer
        if question is None or self._is_busy:
            return
        self._is_busy = True

        def answer() -> Why:
            lower_priority()
            return explainer.answer(question)

        Task(answer, self._take, self._miss).begin()

    def _take(self, why: Why) -> None:
        self._is_busy, self._answered = False, why.question
        self._used += why.used
        self._rest = self._pace.rest()
        if self._wanted is not None:
            self.answered.emit(why)
        self._schedule()

    def _miss(self, problem: Problem) -> None:
        self._is_busy, self._wanted = False, None
        self.problem.emit(problem)
