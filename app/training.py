"""TrainingController: the training of the window. It is started, controlled and watched from the interface thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.engine import ChosenDevice
from app.core.pace import Pace
from app.core.resume import resume
from app.core.run_in_view import RunInView
from app.core.runs import Run, RunStore
from app.core.session import Job, Result, TrainingSession
from app.core.state import LabState
from app.core.stored_run import network_in_view, read_history, recipe_of, stored_moments
from app.core.timeline import Moment
from app.errors import TRAINING, Problem
from app.threads.task import Task
from app.threads.training import TrainingWorker, Update
from nncore.network import Network
from nncore.training.events import EpochEnd, Failed, Finished, Paused, Progress, Refused, Resumed, Started


class Status(Enum):
    IDLE = "idle"
    STARTING = "starting"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"


class TrainingController(QObject):
    """Owns the worker and takes its updates into the run that is trained (`trained`), which becomes the run in view."""

    status_changed = Signal(object)
    updated = Signal(object)
    """An Update that `trained` and the state have taken in."""
    first_step = Signal()
    """The worker has taken its first step; all that training needs has been loaded by then."""
    ended = Signal()
    problem = Signal(object)
    _session_ready = Signal(object)

    def __init__(self, state: LabState, store: RunStore, device: ChosenDevice) -> None:
        super().__init__()
        self._state, self._store, self._device = state, store, device
        self._worker: TrainingWorker | None = None
        self.session: TrainingSession | None = None
        self.trained: RunInView | None = None
        """What views show of the session's run: the one that is trained, or was last."""
        self._next: RunInView | None = None
        """The run that goes on in the training that starts; None where it is a new one."""
        self.last: Progress | None = None
        self.started: Started | None = None
        self.status = Status.IDLE
        self.is_compiling = False
        """Whether a training that starts waits for the engine to be compiled."""
        self._choice = ""
        """The choice of a device by which the training was begun."""
        self._has_stepped = self._has_finished = False
        self.end_reason = ""
        """Why a setting has ended the last training, as a sentence; empty where none has."""
        self.failed: Failed | None = None
        """How the last training has diverged; None where it has not."""
        self._pace, self._resting = Pace(), QTimer(self, singleShot=True)
        self._resting.timeout.connect(self._acknowledge)
        self._early: list[tuple[str, float]] = []
        """Settings that were changed while the training was made ready, with their values."""
        self._session_ready.connect(self._take_session)

    @property
    def is_active(self) -> bool:
        return self.status is not Status.IDLE

    @property
    def run(self) -> Run | None:
        return self.session.run if self.session else None

    @property
    def result(self) -> Result | None:
        return self.session.result if self.session else None

    @property
    def why_no_more(self) -> str:
        """Why the run in view cannot be trained further, in one sentence; empty where it can."""
        view = self._state.run.value
        if view is None:
            return "There is no run in view yet; Start trains a new one."
        if view.run is None:
            return f"{view.name} came without its training, so it cannot be trained further; Start trains a new run."
        return "" if self._is_own(view) else view.why_no_more

    def start(self, job: Job) -> None:
        """Start a training from new weights, on the device that is chosen. Does nothing while another runs."""
        if not self.is_active:
            self._begin(None, lambda device: replace(job, device=device).begin(self._store))

    def go_on(self, epochs: int | None = 1) -> None:
        """Train `epochs` more: after the end of the training that runs, or else the run in view, on the device that is chosen.

        Where it is the run that was trained last its session goes on, and else its last checkpoint does. None: up to the
        planned end, or one epoch more where that has been reached. Does nothing where `why_no_more` says why.
        """
        if self.status in (Status.TRAINING, Status.PAUSED) and self.session is not None:
            self.session.trainer.control.train_more(1 if epochs is None else epochs)
            return

        def extend(session: TrainingSession) -> None:
            trainer = session.trainer
            if epochs is not None or trainer.step >= trainer.total_steps:
                trainer.extend(1 if epochs is None else epochs)

        self._continue(extend)

    def go_on_from(self, moment: Moment) -> None:
        """Train the run in view from one of its moments up to its planned end; what came after the moment is given up.

        Does nothing while a training runs, and where `why_no_more` says why.
        """
        self._continue(lambda session: session.go_back(moment))

    def take_steps(self, count: int) -> None:
        """Take `count` more steps and pause: of the training that runs or is paused, or else of the run in view, as `go_on` does.

        Steps beyond the planned end begin an epoch more. Does nothing where `why_no_more` says why.
        """
        if self.status in (Status.TRAINING, Status.PAUSED) and self.session is not None:
            self.session.trainer.control.take_steps(count)
        else:
            self._continue(lambda session: session.trainer.take_steps(count))

    def _continue(self, prepare: Callable[[TrainingSession], None]) -> None:
        """Go on with the run in view once `prepare` has said from where and for how long. Nothing where that cannot be, or another
        runs.
        """
        session, view = self.session, self._state.run.value
        if not self.is_active and view is not None and not self.why_no_more:
            own = session if self._is_own(view) else None
            self._begin(view, lambda device: self._prepared(own, view, prepare, device))

    def _prepared(
        self, own: TrainingSession | None, view: RunInView, prepare: Callable[[TrainingSession], None], device: str
    ) -> TrainingSession:
        """The session `own`, or else that of the run in `view` at its last checkpoint, after `prepare`.

        For the worker's thread. Raises a DigitLabError where the run cannot be resumed.
        """
        if own is not None:
            session = own
            session.trainer.to(device)
        else:
            assert view.run is not None, "why_no_more says so of any other"
            session = resume(self._store, self._store.again(view.run).name, device=device)
        trainer = session.trainer
        try:
            if own is None:  # it may have been trained elsewhere since it was opened, or further than to its checkpoint
                best = trainer.best
                accuracy = None if best is None else best.val_accuracy
                view.history = read_history(self._store, session.run, 0 if best is None else best.step, accuracy)
            prepare(session)
        except BaseException:
            self._store.release(session.run)
            raise
        return session

    def _is_own(self, view: RunInView) -> bool:
        """Whether the session at hand is that of the run in `view`."""
        return self.session is not None and view is self.trained

    def toggle_pause(self) -> None:
        """Pause the training that runs, or resume the one that is paused."""
        if self.session is not None and self.status is Status.TRAINING:
            self.session.trainer.control.pause()
        elif self.session is not None and self.status is Status.PAUSED:
            self.session.trainer.control.resume()

    def stop(self) -> None:
        """End the training after its present step. Its weights are kept."""
        if self.session is not None and self.status in (Status.TRAINING, Status.PAUSED):
            self.session.trainer.control.stop()
            self._set_status(Status.STOPPING)

    def change(self, name: str, value: float) -> None:
        """Use this value of a setting, one of CHANGEABLE, from the next step of the training that runs on; nothing where none does.

        ConfigError where it makes no sense. What this training does not allow is told by `problem`, and the recipe has the value
        again that holds.
        """
        if self.status is Status.STARTING:
            self._early.append((name, value))  # the session at hand may be the one before
        elif self.session is not None and self.status in (Status.TRAINING, Status.PAUSED):
            self.session.trainer.control.change(name, value)

    def close(self) -> None:
        """Stop the training and wait until it has been written to the disk."""
        if self._worker is not None:
            self._worker.stop()
            self._worker.wait()

    def _begin(
        self,
        view: RunInView | None,
        make_session: Callable[[str], TrainingSession],
        find_device: Callable[[], str] | None = None,
    ) -> None:
        """Start the worker: for the run in `view`, or for a new one where it is None.

        `find_device` says which device to take where it is not the one that is chosen.
        """
        self._next = view
        self._has_stepped = self._has_finished = self.is_compiling = False
        self._early.clear()
        self.end_reason, self.failed = "", None
        choice = self._choice = self._device.choice.value  # another choice on the way is for the next training
        self._set_status(Status.STARTING)
        find_device = find_device or (lambda: self._device.resolve(choice))
        self._worker = TrainingWorker(find_device, make_session, self._session_ready.emit)
        self._worker.compiling.connect(self._take_compiling)
        self._worker.warned.connect(self.problem)
        self._worker.updated.connect(self._take_update)
        self._worker.finished.connect(self._take_end)
        self._worker.start()

    def _take_compiling(self) -> None:
        self.is_compiling = True
        self.status_changed.emit(self.status)

    def _take_session(self, session: TrainingSession) -> None:
        self.session, self.is_compiling = session, False
        before, run = self.trained, session.run
        self.trained = self._next or RunInView(network_in_view(session.trainer.network, run), run, recipe_of(run))
        self.trained.held_out, self.trained.why_no_images = session.trainer.validation_data, ""
        if self.trained is not before:
            self.last = None

    def _take_update(self, update: Update) -> None:
        trained = self.trained
        assert trained is not None, "a session comes before its updates"
        for event in update.events:
            match event:
                case Started():
                    self._take_start(event, trained, update.moment)
                case Progress():
                    self.last = event
                    if not self._has_stepped:
                        self._has_stepped = True
                        self.first_step.emit()
                        if self.session is not None:
                            self._device.remember(self._choice, self.session.trainer.device)
                case EpochEnd():
                    trained.evaluations.add(event.step, event.evaluation)
                case Finished():
                    self._has_finished, self.end_reason = True, event.reason
                case Failed():
                    self.failed = event
                case Refused():
                    self._take_refusal(event)
                case Paused():
                    self._set_status(Status.PAUSED)
                case Resumed():
                    self._set_status(Status.TRAINING)
            trained.history.add(event)
        if update.moment is not None:
            trained.timeline.add(update.moment)
            self._state.moment.set(update.moment)
        self.updated.emit(update)
        QTimer.singleShot(0, self._rest)  # after what is waiting to be painted

    def _rest(self) -> None:
        """Let the next update come when the thread has rested."""
        self._resting.start(round(1000 * self._pace.rest()))

    def _acknowledge(self) -> None:
        if self._worker is not None:
            self._worker.acknowledge()

    def _take_refusal(self, event: Refused) -> None:
        """Tell why what was asked for cannot be done, and show in the recipe what holds."""
        if event.setting:
            self._state.change_recipe(**{event.setting: event.kept})
        self.problem.emit(Problem(event.reason, about=TRAINING))

    def _take_start(self, event: Started, trained: RunInView, moment: Moment | None) -> None:
        """Show the run that is trained from now on, from the step on that it begins with."""
        self.started = event
        session = self.session
        if session is not None:
            if session.run.name != trained.name:  # it has been renamed since it was last trained
                trained.network = network_in_view(session.trainer.network, session.run)
            trained.run = session.run
            for name, value in self._early:
                session.trainer.control.change(name, value)
            self._early.clear()
        trained.forget_after(event.step)
        if moment is not None:
            self._state.show_run(trained, moment)
        self._set_status(Status.TRAINING)

    def _take_end(self) -> None:
        worker = self._worker
        assert worker is not None, "it is this worker that has finished"
        worker.wait()  # as in Task: the object must outlive the thread
        problem, self._worker = worker.problem, None
        session = self.session
        # Epochs may have been asked for when all steps had been taken, while the test images were being evaluated.
        asked = session is not None and session.trainer.control.forget_halts()
        if session is not None and asked and self._has_finished and not worker.isInterruptionRequested():
            self._begin(self.trained, lambda _: session, lambda: session.trainer.device)
            return
        best = None if session is None or self.trained is None else session.trainer.best
        if best is not None and self.trained is not None:
            self.trained.timeline.add(Moment(best.step, best.state, best.val_accuracy))
        self._set_status(Status.IDLE)
        # Before anyone hears of the end, and not where the window closes: whoever closes it waits for what has begun by then.
        if session is not None and self.trained is not None and not worker.isInterruptionRequested():
            self._read_moments(session.run, self.trained)
        self.ended.emit()
        if problem is not None:
            self.problem.emit(replace(problem, about=TRAINING))

    def _read_moments(self, run: Run, trained: RunInView) -> None:
        """Add to the moments that the window has seen those that were written: so the next start shows no others."""
        architecture = trained.network.architecture

        def read() -> list[Moment]:
            network = Network.from_config(architecture)
            return list(stored_moments(self._store, run, network, lambda _: None))  # damage is told when the run is opened

        def add(moments: list[Moment]) -> None:
            if not self.is_active or self.trained is not trained:  # else it goes on, from an earlier moment perhaps
                for moment in moments:
                    if moment.step <= trained.history.last_step:
                        trained.timeline.add(moment)
                if self._state.run.value is trained:
                    self._state.run.tell()

        Task(read, add, lambda problem: self.problem.emit(replace(problem, about=TRAINING))).begin()

    def _set_status(self, status: Status) -> None:
        if status is not self.status:
            self.status = status
            self.status_changed.emit(status)
