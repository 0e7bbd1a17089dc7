"""WhyAsking: has the latest WhyQuestion answered in the background, as often as a training allows."""

from __future__ import annotations

from collections.abc import Generator

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.pace import Pace
from app.core.why import Explainer, Why, WhyQuestion
from app.errors import Problem
from app.threads.priority import lower_priority
from app.threads.task import Feed
from app.training import Status, TrainingController
from nncore.explain.progress import Progress

REST = 250
"""Milliseconds for which nothing must have changed before something slow is computed."""
LATE = 200
"""Milliseconds after which it is told how far an answer is."""


class WhyAsking(QObject):
    """Answers one question at a time, the latest. Quick methods follow a training at the pace of app/core/pace.py; the others
    wait until it pauses or ends, and are given up as soon as something else is asked.
    """

    answered = Signal(object)
    """A Why, to the latest question or to one of just before."""
    progressed = Signal()
    """`is_late`, `progress` or `is_cancelled` has changed."""
    problem = Signal(object)

    def __init__(self, training: TrainingController, parent: QObject) -> None:
        super().__init__(parent)
        self._training, self._explainer = training, Explainer()
        self._wanted: WhyQuestion | None = None
        self._answered: WhyQuestion | None = None
        self._cancelled: WhyQuestion | None = None
        """What the user does not want to wait for."""
        self._asked: WhyQuestion | None = None
        """What is being answered."""
        self._feed: Feed | None = None
        self.progress: Progress[Why] | None = None
        """How far the answer is; None where that is not known."""
        self.is_late = False
        """Whether the answer takes so long that one should hear of it."""
        self._used, self._rest = 0.0, 0.0
        self._pace = Pace(used=lambda: self._used)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._begin)
        self._late = QTimer(self, singleShot=True, interval=LATE)
        self._late.timeout.connect(lambda: self._tell(True))
        training.status_changed.connect(lambda _: self._schedule())

    def ask(self, question: WhyQuestion | None) -> None:
        """Ask a question in place of the last one; None: ask none."""
        self._wanted = question
        self._schedule()

    def cancel(self) -> None:
        """Give up the answer to the question until `again`, or until something else is asked."""
        self._cancelled = self._wanted
        self._schedule()
        self.progressed.emit()

    def again(self) -> None:
        """Answer what was cancelled after all."""
        self._cancelled = None
        self._schedule()
        self.progressed.emit()

    @property
    def is_cancelled(self) -> bool:
        """Whether the user does not want to wait for the answer to the question."""
        return self._wanted is not None and self._wanted == self._cancelled

    @property
    def is_training(self) -> bool:
        return self._training.status in (Status.STARTING, Status.TRAINING)

    @property
    def waits(self) -> bool:
        """Whether the answer comes only when the training that runs has paused or ended."""
        wanted = self._wanted
        return wanted is not None and wanted != self._answered and not wanted.is_quick and self.is_training

    def _schedule(self) -> None:
        if self._feed is not None and self._asked is not None and not self._asked.is_quick and not self._is_wanted_still:
            self._feed.leave()
            self._tell(False)
        if self._wanted is None or self._wanted == self._answered or self.waits or self.is_cancelled:
            self._timer.stop()
        elif self._feed is not None:
            return
        elif not self._wanted.is_quick:
            self._timer.start(REST)
        elif not self._timer.isActive():
            self._timer.start(round(1000 * self._rest) if self.is_training else 0)

    @property
    def _is_wanted_still(self) -> bool:
        """Whether what is being answered is what is asked, and may go on."""
        return self._asked == self._wanted and not self.is_cancelled and not self.waits

    def _begin(self) -> None:
        question, explainer = self._wanted, self._explainer
        if question is None or self._feed is not None:
            return

        def steps() -> Generator[Progress[Why]]:
            lower_priority()
            yield from explainer.steps(question)

        self._asked = question
        self._feed = Feed(steps, self._take_progress, self._take, self._miss)
        self._feed.begin()
        self._late.start()

    def _take_progress(self, progress: Progress[Why]) -> None:
        if progress.result is None and self._is_wanted_still:
            self.progress = progress
            if self.is_late:
                self.progressed.emit()

    def _take(self, last: Progress[Why] | None) -> None:
        self._feed = None
        self._tell(False)
        if last is not None and last.result is not None:
            why = last.result
            self._answered = why.question
            self._used += why.used
            self._rest = self._pace.rest()
            if self._wanted is not None:
                self.answered.emit(why)
        self._schedule()

    def _miss(self, problem: Problem) -> None:
        self._feed, self._wanted = None, None
        self._tell(False)
        self.problem.emit(problem)

    def _tell(self, is_late: bool) -> None:
        """Tell that the answer takes long, or that none is being worked at any more."""
        if not is_late:
            self._late.stop()
            self.progress = None
        if is_late != self.is_late:
            self.is_late = is_late
            self.progressed.emit()
