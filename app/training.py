"""TrainingController: the training of the window. It is started, controlled and watched from the interface thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.engine import ChosenDevice
from app.core.history import History
from app.core.in_view import NetworkInView
from app.core.runs import Run, RunStore
from app.core.session import Job, Result, TrainingSession
from app.core.state import LabState
from app.errors import TRAINING
from app.threads.training import TrainingWorker, Update
from nncore.training.events import Finished, Paused, Progress, Resumed, Started


class Status(Enum):
    IDLE = "idle"
    STARTING = "starting"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"


class TrainingController(QObject):
    """Owns the worker and takes its updates into `history` and into the state's network, moment and timeline."""

    status_changed = Signal(object)
    updated = Signal(object)
    """An Update that history and state have taken in."""
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
        self.history = History()
        self.last: Progress | None = None
        self.started: Started | None = None
        self.status = Status.IDLE
        self.is_compiling = False
        """Whether a training that starts waits for the engine to be compiled."""
        self._choice = ""
        """The choice of a device by which the training was begun."""
        self._is_new_run = self._has_stepped = self._has_finished = False
        self.end_reason = ""
        """Why a setting has ended the last training, as a sentence; empty where none has."""
        self._wanted_steps = 0
        """Steps that the training that runs shall have taken at its end."""
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
    def can_go_on(self) -> bool:
        """Whether a training has ended that can go on."""
        return not self.is_active and self.session is not None

    def start(self, job: Job) -> None:
        """Start a training from new weights, on the device that is chosen. Does nothing while another runs."""
        if self.is_active:
            return
        self._is_new_run = True
        self._begin(lambda device: replace(job, device=device).begin(self._store))

    def go_on(self, epochs: int = 1) -> None:
        """Train `epochs` more: after the end of the training that runs, or at once, on the device that is chosen, where it has
        ended.
        """
        session = self.session
        if self.status in (Status.TRAINING, Status.PAUSED) and session is not None:
            session.trainer.control.train_more(epochs)
            self._wanted_steps += epochs * session.trainer.steps_per_epoch
        elif self.can_go_on and session is not None:

            def extended(device: str) -> TrainingSession:
                session.trainer.to(device)
                session.trainer.extend(epochs)
                return session

            self._is_new_run = False
            self._begin(extended)

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

    def set_learning_rate(self, value: float) -> None:
        """Use this learning rate from the next step on."""
        if self.session is not None and self.is_active:
            self.session.trainer.control.set_learning_rate(value)

    def close(self) -> None:
        """Stop the training and wait until it has been written to the disk."""
        if self._worker is not None:
            self._worker.requestInterruption()
            if self.session is not None:
                self.session.trainer.control.stop()
            self._worker.wait()

    def _begin(self, make_session: Callable[[str], TrainingSession], find_device: Callable[[], str] | None = None) -> None:
        """Start the worker. `find_device` says which device to take where it is not the one that is chosen."""
        self._has_stepped = self._has_finished = self.is_compiling = False
        self.end_reason = ""
        choice = self._choice = self._device.choice.value  # another choice on the way is for the next training
        self._set_status(Status.STARTING)
        find_device = find_device or (lambda: self._device.resolve(choice))
        self._worker = TrainingWorker(find_device, make_session, self._session_ready.emit)
        self._worker.compiling.connect(self._take_compiling)
        self._worker.updated.connect(self._take_update)
        self._worker.finished.connect(self._take_end)
        self._worker.start()

    def _take_compiling(self) -> None:
        self.is_compiling = True
        self.status_changed.emit(self.status)

    def _take_session(self, session: TrainingSession) -> None:
        self.session, self.is_compiling = session, False
        self._wanted_steps = session.trainer.total_steps
        if self._is_new_run:
            self.history, self.last = History(), None

    def _take_update(self, update: Update) -> None:
        for event in update.events:
            self.history.add(event)
            match event:
                case Started():
                    self.started = event
                    if update.moment is not None and self.session is not None and not self._is_in_view:
                        view = NetworkInView.of(
                            self.session.trainer.network,
                            self.session.run.network,
                            f"run {self.session.run.name}",
                            run=self.session.run.name,
                        )
                        self._state.show_network(view, update.moment)
                    self._set_status(Status.TRAINING)
                case Progress():
                    self.last = event
                    if not self._has_stepped:
                        self._has_stepped = True
                        self.first_step.emit()
                        if self.session is not None:
                            self._device.remember(self._choice, self.session.trainer.device)
                case Finished():
                    self._has_finished, self.end_reason = True, event.reason
                    self._wanted_steps -= event.steps_given_up
                case Paused():
                    self._set_status(Status.PAUSED)
                case Resumed():
                    self._set_status(Status.TRAINING)
        if update.moment is not None:
            self._state.timeline.add(update.moment)
            self._state.moment.set(update.moment)
        self.updated.emit(update)
        if self._worker is not None:
            QTimer.singleShot(0, self._worker.acknowledge)  # after what is waiting to be painted

    def _take_end(self) -> None:
        worker = self._worker
        assert worker is not None, "it is this worker that has finished"
        worker.wait()  # as in Task: the object must outlive the thread
        problem, self._worker = worker.problem, None
        session = self.session
        if session is not None and self._must_go_on and not worker.isInterruptionRequested():
            self._is_new_run = False
            self._begin(lambda _: session, lambda: session.trainer.device)
            return
        self._set_status(Status.IDLE)
        self.ended.emit()
        if problem is not None:
            self.problem.emit(replace(problem, about=TRAINING))

    @property
    def _is_in_view(self) -> bool:
        """Whether every view shows the run that is trained already: not a new one, nor one that others were looked at since."""
        view, run = self._state.network.value, self.run
        return not self._is_new_run and view is not None and run is not None and view.opens_with.get("run") == run.name

    @property
    def _must_go_on(self) -> bool:
        """Whether epochs were added when all steps had been taken, while the test images were being evaluated."""
        trainer = None if self.session is None else self.session.trainer
        return trainer is not None and self._has_finished and trainer.total_steps < self._wanted_steps

    def _set_status(self, status: Status) -> None:
        if status is not self.status:
            self.status = status
            self.status_changed.emit(status)
