"""Evaluating: evaluates a split of the run in view with the weights of the moment in view, in the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.evaluator import Evaluator
from app.core.run_in_view import RunInView
from app.core.split import Split
from app.core.state import LabState
from app.core.timeline import Moment
from app.errors import EVALUATION, Problem
from app.split_images import SplitImages
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import Status, TrainingController
from nncore.data.dataset import Dataset
from nncore.metrics import Evaluation

STILL_FOR = 100
"""Milliseconds for which the moment must stay the same before it is evaluated: not every one that the slider passes."""

Job = tuple[RunInView, int, Split]
"""What is evaluated: a run, a step of it, and a split of its data."""


@dataclass(frozen=True, eq=False)
class Shown:
    """An evaluation of the run in view."""

    run: RunInView
    step: int
    evaluation: Evaluation
    is_current: bool
    """Whether it belongs to the moment in view, or to the training that runs; else it is shown pale."""
    split: Split = Split.HELD_OUT
    images: Dataset | None = None
    """The images that were evaluated, in the evaluation's order; None where they are not there, or not yet."""


class Evaluating(QObject):
    """Holds what views show of the split that is chosen (`shown`). One evaluation at a time, and none while a network trains:
    meanwhile `shown` is what the training has told last of the held-out images, or what was last known of another split.
    """

    changed = Signal()
    """`shown` is another one, or why there is none."""
    progressed = Signal()
    """`progress` has changed."""
    problem = Signal(object)
    solved = Signal(str)
    _told = Signal(int)

    def __init__(self, state: LabState, training: TrainingController) -> None:
        super().__init__()
        self._state, self._training = state, training
        self.split = Split.HELD_OUT
        """The split that is chosen."""
        self.shown: Shown | None = None
        """None where nothing is known of the run in view and the split yet."""
        self.progress = 0
        """How many images the evaluation under way has looked at."""
        self._images = SplitImages(state, training)
        self._images.setParent(self)
        self._evaluator = Evaluator()
        self._is_wanted = self._is_busy = False
        self._busy_with: Job | None = None
        self._give_up = Event()
        self._failed: Job | None = None
        """What could not be evaluated; it is not tried again."""
        self._cancelled: Job | None = None
        """What the user does not want to be evaluated."""
        self._still = QTimer(self, interval=STILL_FOR, singleShot=True)
        self._still.timeout.connect(self._begin)
        self._told.connect(self._take_progress)
        state.run.subscribe(lambda _: self._follow(has_changed=True), now=False)
        state.moment.subscribe(lambda _: self._follow(), now=False)
        training.status_changed.connect(lambda _: self._follow())
        training.updated.connect(lambda _: self._follow())
        self._images.changed.connect(lambda: self._follow(has_changed=True))

    @property
    def is_coming(self) -> bool:
        """Whether the evaluation of the moment in view is being computed, or about to be; or its images are being opened."""
        run = self._state.run.value
        is_opening = run is not None and self._images.is_opening(run, self.split)
        return self._still.isActive() or self._is_busy or is_opening

    @property
    def has_failed(self) -> bool:
        """Whether the moment in view could not be evaluated; `problem` said why."""
        return self._failed is not None and self._failed == self._wanted_job

    @property
    def is_cancelled(self) -> bool:
        """Whether the user has cancelled the evaluation of the moment in view."""
        return self._cancelled is not None and self._cancelled == self._wanted_job

    @property
    def why_none(self) -> str:
        """Why there are no images of the split that is chosen, in one sentence; empty while they are there, or can be opened."""
        run = self._state.run.value
        return "" if run is None else self._images.why_none(run, self.split)

    @property
    def count(self) -> int:
        """How many images the split has; 0 where they are not there, or not yet."""
        run = self._state.run.value
        found = None if run is None else self._images.of(run, self.split)
        return 0 if found is None else len(found)

    def want(self, wanted: bool) -> None:
        """Say whether a view shows the evaluations now. They are computed only then."""
        if wanted is not self._is_wanted:
            self._is_wanted = wanted
            self._follow()

    def choose(self, split: Split) -> None:
        """Show another split of the run's data."""
        if split is not self.split:
            self.split, self._cancelled = split, None
            self._follow(has_changed=True)

    def cancel(self) -> None:
        """Give up the evaluation of the moment in view, until `again`, or another moment or split is chosen."""
        self._cancelled = self._wanted_job
        self._follow(has_changed=True)

    def again(self) -> None:
        """Evaluate what was cancelled all the same."""
        self._cancelled = None
        self._follow(has_changed=True)

    def close(self) -> None:
        """End what is under way. Tasks must be waited for afterwards."""
        self._is_wanted = False
        self._still.stop()
        self._give_up.set()

    @property
    def _wanted_job(self) -> Job | None:
        run, moment = self._state.run.value, self._state.moment.value
        return None if run is None or moment is None else (run, moment.step, self.split)

    def _follow(self, has_changed: bool = False) -> None:
        """Show what is known of the run and the moment in view, and see to it that the rest becomes known."""
        run, moment = self._state.run.value, self._state.moment.value
        if run is None or moment is None:
            return
        if self._is_wanted and not self._training.is_active and not self.is_cancelled:
            self._images.want(run, self.split)
        found, must_compute = self._known(run, moment)
        if must_compute:
            if self._busy_with != self._wanted_job or self._give_up.is_set():
                self._give_up.set()
                self._still.start()
        else:
            self._still.stop()
            self._give_up.set()
        before, self.shown = self.shown, found
        if has_changed or _differ(before, found):
            self.changed.emit()

    def _known(self, run: RunInView, moment: Moment) -> tuple[Shown | None, bool]:
        """What is known of the run, as near to the moment as can be, and whether the moment itself must be computed."""
        split, images = self.split, self._images.of(run, self.split)

        def shown(step: int, evaluation: Evaluation, is_current: bool) -> Shown:
            fits = images is not None and len(images) == len(evaluation.labels)
            return Shown(run, step, evaluation, is_current, split, images if fits else None)

        newest, before = run.evaluations.newest(split), self.shown
        if before is not None and (before.run is not run or before.split is not split):
            before = None
        if self._training.status is Status.STARTING:  # the run in view may still be the one before
            return before, False
        if self._training.is_active:
            is_told = run is self._training.trained and split is Split.HELD_OUT
            return None if newest is None else shown(*newest, is_current=is_told), False
        evaluation = run.evaluations.get(moment.step, split)
        if evaluation is None and split is Split.HELD_OUT:
            evaluation = _kept_with(moment, run)
        if evaluation is not None:
            return shown(moment.step, evaluation, is_current=True), False
        must = self._is_wanted and bool(images) and not self.has_failed and not self.is_cancelled
        if before is not None:
            return shown(before.step, before.evaluation, is_current=False), must
        return None if newest is None else shown(*newest, is_current=False), must

    def _begin(self) -> None:
        run, moment, job = self._state.run.value, self._state.moment.value, self._wanted_job
        if self._is_busy or run is None or moment is None or job is None:
            return  # where another is under way, its end leads back here
        images = self._images.of(run, self.split)
        if not images:
            return
        self._is_busy, self._busy_with, self._give_up = True, job, Event()
        self._take_progress(0)
        evaluator, give_up, loss = self._evaluator, self._give_up, run.held_out_loss()

        def evaluate() -> Evaluation | None:
            lower_priority()
            return evaluator.evaluate(run.network, moment, images, give_up.is_set, self._told.emit, loss)

        # What was given up may be of a step that has been trained anew since.
        Task(
            evaluate,
            lambda found: self._take(job, None if give_up.is_set() else found),
            lambda problem: self._miss(job, problem),
        ).begin()

    def _take_progress(self, images: int) -> None:
        self.progress = images
        self.progressed.emit()

    def _take(self, job: Job, found: Evaluation | None) -> None:
        self._is_busy, self._busy_with = False, None
        if found is not None:
            run, step, split = job
            run.evaluations.add(step, found, split)
            self.solved.emit(EVALUATION)
        self._follow()
        self._take_progress(0)

    def _miss(self, job: Job, problem: Problem) -> None:
        self._is_busy, self._busy_with, self._failed = False, None, job
        self.problem.emit(replace(problem, about=EVALUATION))
        self._follow(has_changed=True)


def _kept_with(moment: Moment, run: RunInView) -> Evaluation | None:
    """The evaluation that was kept with a moment, where it is one of all held-out images or these are not to be had."""
    found = moment.evaluation
    if found is None:
        return None
    whole = run.held_out is not None and len(run.held_out) == len(found.labels)
    return found if whole or run.why_no_images else None


def _differ(one: Shown | None, other: Shown | None) -> bool:
    """Whether two are shown in another way."""
    if one is None or other is None:
        return one is not other
    return (
        one.evaluation is not other.evaluation
        or one.step != other.step
        or one.is_current is not other.is_current
        or one.images is not other.images
    )
