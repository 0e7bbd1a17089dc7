"""MomentWriter: takes the moments of a training, and writes them in a thread of its own."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Queue
from threading import Thread

from app.core.pace import Pace
from app.core.runs.moments import Moments
from nncore.arrays import Array
from nncore.errors import DigitLabError
from nncore.metrics import Evaluation
from nncore.training.events import EpochEnd, Event, Finished, Started, Stopped, Validated
from nncore.training.trainer import Trainer

log = logging.getLogger("digitlab")

WAITING = 2
"""Moments that may wait to be written."""
MOST = 200
"""Two moments are at least total_steps / MOST steps apart; for a large network, MOST becomes how many fit into the limit."""
DENSER = 20
"""Early in a training, total_steps counts as no more than DENSER times the steps taken so far: the first moments lie closer."""

DENSE = 20
"""Moments after which the cost of writing them counts, too: some 2 ms of a core each, which all cores lose (app/core/pace.py)."""
SHARE = 0.005
"""Most that writing may take of a core then, but for the moments at the end of an epoch."""
LONGEST = 60.0
"""Most seconds between two moments then, however long one takes to write."""


@dataclass(frozen=True, eq=False)
class _Taken:
    """A moment that waits to be written; the arrays are copies."""

    step: int
    state: Mapping[str, Array]
    evaluation: Evaluation | None
    accuracy: float | None
    best: int | None
    replaces: bool = True
    """Whether it takes the place of a moment of its step that is there already."""


class MomentWriter:
    """Is told each event of a training before the next step is taken, and keeps moments of it: one at the start, one at the end,
    and between them some of those at which held-out images were looked at.

    The training waits only for copies of the weights, and, at the end of an epoch and of the training, for room in the queue;
    other moments are left out where the queue is full. Whatever goes wrong is in `problem`, and the moment is not there.
    """

    def __init__(self, moments: Moments, trainer: Trainer) -> None:
        self.problem: DigitLabError | None = None
        """What went wrong last; whoever has told it sets it to None."""
        self._moments, self._trainer = moments, trainer
        size = sum(holder.data.nbytes for holder in (trainer.network.parameters() | trainer.network.buffers()).values())
        self._most = min(MOST, moments.limit // max(size, 1))
        self._queue: Queue[_Taken | None] = Queue(WAITING)
        self._thread: Thread | None = None
        self._begun_at: int | None = None
        """The step beyond which moments are still to be forgotten."""
        self._last = self._last_epoch = 0
        self._count, self._rested = 0, 0.0
        """Moments that were taken, and when the writing of the last one is paid for."""
        self._look: Validated | EpochEnd | None = None

    def take(self, event: Event) -> None:
        """Take a moment where the event asks for one."""
        match event:
            case Started():
                self._begin(event.step)
            case Validated() | EpochEnd():
                self._look = event
                is_epoch = isinstance(event, EpochEnd)
                if self._is_due(event.step - (self._last_epoch if is_epoch else self._last)) and (is_epoch or self._is_time()):
                    self._put(event, wait=is_epoch)
            case Stopped() | Finished():
                self._end()

    def close(self) -> None:
        """Wait until everything that was taken is written. A Started begins anew."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _begin(self, step: int) -> None:
        """Forget what lies beyond the step from which the training goes on, and take a moment of it unless there is one."""
        self._begun_at, self._last, self._last_epoch = step, step, 0
        try:
            self._forget()
        except DigitLabError as error:
            self.problem = error
        if not self._most:  # a single moment is too large
            return
        thread = Thread(target=self._write_all, name="moments", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no thread left
            self.problem = DigitLabError(f"The moments of the training cannot be kept: {error}.")
            return
        self._thread = thread
        self._put(None, wait=True, replaces=False)

    def _end(self) -> None:
        """Take the last moment unless it is there, and the best one."""
        trainer, best = self._trainer, self._trainer.best
        if trainer.step != self._last:
            look = self._look if self._look is not None and self._look.step == trainer.step else None
            self._put(look, wait=True)
        if best is None or best.step in (self._last_epoch, trainer.step) or self._most <= 2 or self._thread is None:
            return
        self._queue.put(_Taken(best.step, best.state, None, best.val_accuracy, best.step, replaces=False))

    def _is_due(self, distance: int) -> bool:
        """Whether a moment is to be taken of the present step, so far from the last one."""
        trainer = self._trainer
        return self._most > 2 and distance * self._most >= min(trainer.total_steps, DENSER * trainer.step)

    def _is_time(self) -> bool:
        """Whether the thread that writes has rested long enough since the last moment."""
        return self._count < DENSE or time.perf_counter() >= self._rested

    def _put(self, look: Validated | EpochEnd | None, wait: bool, replaces: bool = True) -> None:
        """Take a moment of the present step, with what a look at held-out images has found.

        Where the queue is full, the moment is skipped unless it is to `wait`.
        """
        if self._thread is None or (self._queue.full() and not wait):
            return
        step, best = self._trainer.step, self._trainer.best
        try:
            state = self._trainer.network.state_dict()
        except MemoryError:
            self.problem = DigitLabError(f"There is not enough memory to keep the moment of step {step:,}.")
            return
        found = (None, None) if look is None else (look.evaluation, look.val_accuracy)
        self._rested = math.inf  # until it has been written
        self._queue.put(_Taken(step, state, *found, None if best is None else best.step, replaces))
        self._last = step
        self._count += 1
        if isinstance(look, EpochEnd):
            self._last_epoch = step

    def _write_all(self) -> None:
        """Write what comes through the queue until None does. Runs in the thread."""
        pace = Pace(share=SHARE, longest=LONGEST)
        while (taken := self._queue.get()) is not None:
            try:
                self._forget()
                if taken.replaces or taken.step not in self._moments.steps():
                    self._moments.save(taken.step, taken.state, taken.evaluation, taken.accuracy, taken.best)
            except DigitLabError as error:
                self.problem = error
            except Exception as error:  # nothing here may end the training
                log.exception("The moment of step %s could not be kept.", taken.step)
                self.problem = DigitLabError(f"The moment of step {taken.step:,} could not be kept: {error!r}.")
            self._rested = time.perf_counter() + pace.rest()
            del taken  # its arrays would stay until the next one comes

    def _forget(self) -> None:
        """Forget the moments beyond the step at which the training began, once: until then, none may be written beside them."""
        if self._begun_at is not None:
            self._moments.forget_after(self._begun_at)
            self._begun_at = None
