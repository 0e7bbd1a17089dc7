"""Evaluating: evaluates the held-out images of the run in view with the weights of the moment in view, in the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.evaluator import Evaluator
from app.core.run_in_view import RunInView
from app.core.state import LabState
from app.core.timeline import Moment
from app.errors import EVALUATION, Problem
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import Status, TrainingController
from nncore.metrics import Evaluation

STILL_FOR = 100
"""Milliseconds for which the moment must stay the same before it is evaluated: not every one that the slider passes."""


@dataclass(frozen=True, eq=False)
class Shown:
    """An evaluation of the run in view."""

    run: RunInView
    step: int
    evaluation: Evaluation
    is_current: bool
    """Whether it belongs to the moment in view, or to the training that runs; else it is shown pale."""


class Evaluating(QObject):
    """Holds what views show of the held-out images (`shown`). One evaluation at a time, and none while a network trains:
    meanwhile `shown` is what the training has told last.
    """

    changed = Signal()
    """`shown` is another one, or why there is none."""
    problem = Signal(object)
    solved = Signal(str)

    def __init__(self, state: LabState, training: TrainingController) -> None:
        super().__init__()
        self._state, self._training = state, training
        self.shown: Shown | None = None
        """None where nothing is known of the run in view yet."""
        self._evaluator = Evaluator()
        self._is_wanted = self._is_busy = False
        self._busy_with: tuple[RunInView, Moment] | None = None
        self._give_up = Event()
        self._failed: tuple[RunInView, int] | None = None
        """Run and step that could not be evaluated; they are not tried again."""
        self._still = QTimer(self, interval=STILL_FOR, singleShot=True)
        self._still.timeout.connect(self._begin)
        state.run.subscribe(lambda _: self._follow(has_changed=True), now=False)
        state.moment.subscribe(lambda _: self._follow(), now=False)
        training.status_changed.connect(lambda _: self._follow())
        training.updated.connect(lambda _: self._follow())

    @property
    def is_coming(self) -> bool:
        """Whether the evaluation of the moment in view is being computed, or about to be."""
        return self._still.isActive() or self._is_busy

    @property
    def has_failed(self) -> bool:
        """Whether the moment in view could not be evaluated; `problem` said why."""
        run, moment = self._state.run.value, self._state.moment.value
        return self._failed is not None and moment is not None and self._failed == (run, moment.step)

    def want(self, wanted: bool) -> None:
        """Say whether a view shows the evaluations now. They are computed only then."""
        if wanted is not self._is_wanted:
            self._is_wanted = wanted
            self._follow()

    def close(self) -> None:
        """End what is under way. Tasks must be waited for afterwards."""
        self._is_wanted = False
        self._still.stop()
        self._give_up.set()

    def _follow(self, has_changed: bool = False) -> None:
        """Show what is known of the run and the moment in view, and see to it that the rest becomes known."""
        run, moment = self._state.run.value, self._state.moment.value
        if run is None or moment is None:
            return
        found, must_compute = self._known(run, moment)
        if must_compute:
            if self._busy_with != (run, moment):
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
        newest = run.evaluations.newest
        shown = self.shown if self.shown is not None and self.shown.run is run else None
        if self._training.status is Status.STARTING:  # the run in view may still be the one before
            return shown, False
        if self._training.is_active:
            return None if newest is None else Shown(run, *newest, is_current=run is self._training.trained), False
        evaluation = run.evaluations.get(moment.step) or _kept_with(moment, run)
        if evaluation is not None:
            return Shown(run, moment.step, evaluation, is_current=True), False
        must = self._is_wanted and bool(run.held_out) and self._failed != (run, moment.step)
        if shown is not None:
            return replace(shown, is_current=False), must
        return None if newest is None else Shown(run, *newest, is_current=False), must

    def _begin(self) -> None:
        run, moment = self._state.run.value, self._state.moment.value
        if self._is_busy or run is None or moment is None or not run.held_out:
            return  # where another is under way, its end leads back here
        self._is_busy, self._busy_with, self._give_up = True, (run, moment), Event()
        evaluator, held_out, give_up = self._evaluator, run.held_out, self._give_up

        def evaluate() -> Evaluation | None:
            lower_priority()
            return evaluator.evaluate(run.network, moment, held_out, give_up.is_set)

        Task(evaluate, lambda found: self._take(run, moment, found), lambda problem: self._miss(run, moment, problem)).begin()

    def _take(self, run: RunInView, moment: Moment, found: Evaluation | None) -> None:
        self._is_busy, self._busy_with = False, None
        if found is not None:
            run.evaluations.add(moment.step, found)
            self.solved.emit(EVALUATION)
        self._follow()

    def _miss(self, run: RunInView, moment: Moment, problem: Problem) -> None:
        self._is_busy, self._busy_with, self._failed = False, None, (run, moment.step)
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
    return one.evaluation is not other.evaluation or one.step != other.step or one.is_current is not other.is_current
