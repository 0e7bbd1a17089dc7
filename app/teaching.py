"""Teaching: the network in view learns the user's own handwriting, in the background, and it can be undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from threading import Event

from PySide6.QtCore import QObject, Signal

from app.core import engine, own_digits
from app.core.own_digits import Kept
from app.core.run_in_view import RunInView
from app.core.runs import RunStore
from app.core.session import TrainingSession
from app.core.state import LabState
from app.core.teaching import Lesson, Pupil, check_network, note_on, prepare, read_own
from app.core.teaching_figures import Taught
from app.core.teaching_in_turn import held_out_in_turn
from app.core.timeline import Moment
from app.core.undo import Act
from app.errors import TRAINING, Problem
from app.own_digits import OwnDigits
from app.threads.priority import lower_priority
from app.threads.task import Feed, Task
from app.training import Status, TrainingController
from nncore.errors import ConfigError

Shown = tuple[RunInView, Moment]
"""A run, and the moment of it that is in view."""
THUMBNAILS = 7
"""Digits of the user's own that are shown, the last ones."""
RUNS = "A training is running; stop it first."
NOT_NOW = "A training is running, and its network stays in view until it has ended; undo, redo and this button work again then."


class Phase(Enum):
    """What is being done."""

    IDLE = auto()
    PREPARING = auto()
    """The digits are read, and the network is measured as it is."""
    LEARNING = auto()
    MEASURING = auto()
    """The network is measured as it is now."""
    IN_TURN = auto()
    """The lesson is over; digits are left out of short trainings in turn."""


class Teaching(QObject):
    """Teaches the network in view, one lesson at a time; the taught one takes its place as an act that can be undone.

    Where the taught one has forgotten too much, the one before is in view again, and `is_asking` until `keep` or `leave` is called.
    """

    changed = Signal()
    """Phase, figures, question, or what is in view has changed."""
    kept_changed = Signal()
    """`kept` is another one."""
    problem = Signal(object)

    def __init__(self, state: LabState, store: RunStore, training: TrainingController, digits: OwnDigits) -> None:
        super().__init__()
        self._state, self._store, self._training = state, store, training
        self.phase = Phase.IDLE
        self.kept = Kept()
        """How many digits of the user's own there are, and the last ones."""
        self.taught: Taught | None = None
        """How the last lesson went; None before the first."""
        self.note = ""
        """What the user should know about the last lesson's data, as a sentence."""
        self.is_asking = False
        """Whether the user is asked whether the taught network shall take the place of the one before."""
        self.before: Shown | None = None
        """What was in view before the last lesson."""
        self.after: Shown | None = None
        """What the last lesson has made of it."""
        self._pupil: Shown | None = None
        self._lesson: Lesson | None = None
        self._session: TrainingSession | None = None
        """The session that the training controller had before the lesson's own."""
        self._ticket = self._latest = object()
        self._began, self._give_up = 0.0, Event()
        digits.changed.connect(lambda _: self.refresh())
        training.ended.connect(self._take_end)
        training.status_changed.connect(self._stop_late)
        state.run.subscribe(lambda _: self.changed.emit(), now=False)

    # -- what is kept

    def refresh(self) -> None:
        """Look in the background which digits are kept."""
        self._latest = latest = object()

        def show(kept: Kept) -> None:
            if latest is self._latest:
                self.kept = kept
                self.kept_changed.emit()

        Task(lambda: own_digits.kept(THUMBNAILS), show, self.problem.emit).begin()

    # -- a lesson

    @property
    def is_busy(self) -> bool:
        """Whether a lesson is going on; what is measured after it does not count."""
        return self.phase in (Phase.PREPARING, Phase.LEARNING, Phase.MEASURING)

    @property
    def why_not(self) -> str:
        """Why the network in view cannot be taught, in one sentence; empty where nothing is known to speak against it."""
        view = self._state.run.value
        if self._training.is_active:
            return RUNS
        if view is None or self._state.moment.value is None:
            return "There is no network in view yet; choose one in the top bar."
        try:
            check_network(view.network.input_shape)
        except ConfigError as error:
            return str(error)
        return ""

    def learn(self) -> None:
        """Teach the network in view the digits that are kept; where that cannot be, `problem` says why. Not while one is taught."""
        view, moment = self._state.run.value, self._state.moment.value
        if self.is_busy:
            return
        if self.why_not or view is None or moment is None:
            self._say(self.why_not)
            return
        self.cancel()
        pupil = Pupil(view.network.name, view.network.architecture, moment.state, view.name, moment.step, view.run)
        at_hand, self._pupil = self._state.data.value, (view, moment)
        self._began, self._give_up, self._ticket = time.monotonic(), Event(), object()

        give_up = self._give_up

        def work() -> Lesson:
            lower_priority()
            engine.prepare(give_up.is_set)  # so that measuring compiles nothing in this process
            return prepare(self._store, pupil, read_own(), at_hand)

        self._set(Phase.PREPARING)
        self._task(work, self._start)

    def cancel(self) -> None:
        """Give up what is going on. A network that is being taught stays as a run, and the one before is in view again."""
        self._give_up.set()
        self._ticket = object()
        if self.phase is Phase.LEARNING:
            self._training.stop()  # its end leads on
        else:
            self._set(Phase.IDLE)

    def _stop_late(self, status: Status) -> None:
        """Stop a training that was given up while it was made ready."""
        if self.phase is Phase.LEARNING and self._give_up.is_set() and status is Status.TRAINING:
            self._training.stop()

    def close(self) -> None:
        """End what is under way. Tasks must be waited for afterwards."""
        self._give_up.set()
        self._ticket = object()

    def _start(self, lesson: Lesson) -> None:
        if self._training.is_active:
            self._set(Phase.IDLE)
            self._say(RUNS)
            return
        self._lesson, self._session = lesson, self._training.session
        self._set(Phase.LEARNING)
        self._training.start(lesson.job)

    def _take_end(self) -> None:
        """The training has ended: measure what it has made of the network."""
        if self.phase is not Phase.LEARNING:
            return
        training, lesson = self._training, self._lesson
        session, trained = training.session, training.trained
        has_run = session is not None and session is not self._session and session.result is not None and training.failed is None
        if (
            not has_run
            or self._give_up.is_set()
            or session is None
            or trained is None
            or lesson is None
            or not len(trained.timeline)
        ):
            self._set(Phase.IDLE)
            if self._pupil is not None and self._state.run.value is not self._pupil[0]:
                self._show(self._pupil)
            return
        self._lesson = lesson = replace(lesson, job=replace(lesson.job, device=session.trainer.device))
        step = session.trainer.best.step if session.trainer.best else session.trainer.step
        after = trained, trained.timeline[trained.timeline.nearest(step)]

        def work() -> Taught:
            lower_priority()
            return lesson.taught(session)

        self._set(Phase.MEASURING)
        self._task(work, partial(self._take, after, lesson))

    def _take(self, after: Shown, lesson: Lesson, taught: Taught) -> None:
        """Show what was learned, or where too much was forgotten ask; then go on with the digits that are left out in turn."""
        self.before, self.after, self.taught, self.note = self._pupil, after, taught, lesson.note
        self.is_asking = taught.is_worse
        if self.is_asking:
            self._show(self.before)
        else:
            self._note_act()
        self._set(Phase.IN_TURN)
        training, give_up, began, ticket, run = self._training, self._give_up, self._began, self._ticket, after[0].run

        def work() -> Generator[Taught]:
            last = taught
            for last in held_out_in_turn(lesson, taught, began, lambda: give_up.is_set() or training.is_active):
                yield last
            with suppress(ConfigError):  # the run has been deleted meanwhile
                if run is not None:
                    note_on(self._store, run, last)

        Feed(
            work,
            partial(self._take_in_turn, ticket),
            partial(self._end_in_turn, ticket),
            partial(self._fail, ticket),
        ).begin()

    def _take_in_turn(self, ticket: object, taught: Taught) -> None:
        if ticket is self._ticket:
            self.taught = taught
            self.changed.emit()

    def _end_in_turn(self, ticket: object, taught: Taught | None) -> None:
        if ticket is self._ticket:
            self.taught = taught or self.taught
            self._set(Phase.IDLE)

    # -- which of the two is in view

    @property
    def is_taught_in_view(self) -> bool:
        """Whether the network that was taught last is in view."""
        return self.after is not None and self._state.run.value is self.after[0]

    @property
    def is_before_in_view(self) -> bool:
        """Whether the network is in view that was there before the last lesson."""
        return self.before is not None and self._state.run.value is self.before[0]

    def keep(self) -> None:
        """Let the taught network take the place of the one before: the answer to the question, or a change of mind."""
        was_asking, self.is_asking = self.is_asking, False
        if self._show(self.after):
            self._note_act()
        else:
            self.is_asking = was_asking

    def leave(self) -> None:
        """Let the network before stay in view: the other answer."""
        self.is_asking = False
        self.changed.emit()

    def go_back(self) -> None:
        """Show the network as it was before the lesson, which can be undone as well."""
        before, after = self.before, self.after
        if self._show(before):
            self._state.acts.add(Act("handwriting taken back", lambda: self._show(after), lambda: self._show(before)))

    def _note_act(self) -> None:
        before, after = self.before, self.after
        nbytes = sum(moment.nbytes for _, moment in filter(None, (before, after)))
        self._state.acts.add(
            Act("handwriting learned", lambda: self._show(before), lambda: self._show(after), nbytes, "Handwriting learned")
        )

    def _show(self, shown: Shown | None) -> bool:
        """Show a run at a moment, unless a training runs; whether it is shown."""
        if self._training.is_active:
            self._say(NOT_NOW)
        elif shown is not None:
            self._state.show_run(*shown)
            self.changed.emit()
            return True
        return False

    # -- in the background

    def _task(self, work: Callable[[], object], done: Callable[..., None]) -> None:
        ticket = self._ticket

        def finish(result: object) -> None:
            if ticket is self._ticket:
                done(result)

        Task(work, finish, partial(self._fail, ticket)).begin()

    def _fail(self, ticket: object, problem: Problem) -> None:
        if ticket is self._ticket:
            self._set(Phase.IDLE)
            self.problem.emit(replace(problem, about=TRAINING))

    def _say(self, words: str) -> None:
        self.problem.emit(Problem(words, about=TRAINING))

    def _set(self, phase: Phase) -> None:
        self.phase = phase
        self.changed.emit()
