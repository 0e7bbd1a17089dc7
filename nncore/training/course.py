"""Course: how many steps a training shall take, and by which epochs and learning rates."""

from __future__ import annotations

from typing import Any

from nncore.schedulers import ExponentialLR, Scheduler
from nncore.training.batches import Batches
from nncore.training.config import SETTINGS
from nncore.training.control import checked_steps
from nncore.training.epochs import Epochs
from nncore.training.fit import checked_total
from nncore.training.schedules import Cycles


class Course:
    """The plan of a training, which can be changed on the way. Steps count from the start of the run."""

    def __init__(self, batches: Batches, scheduler: Scheduler, epochs: int) -> None:
        """Raises ConfigError where `epochs` are more steps than a training can have."""
        self._batches, self._scheduler = batches, scheduler
        if isinstance(scheduler, ExponentialLR):
            scheduler.epoch_of = lambda step: batches.epochs.epoch_of(step)  # other ones with every change of the batch size
        self.total_steps = checked_total(epochs * batches.steps_per_epoch)
        self.pause_at: int | None = None
        """The step after which the training shall pause; None where nobody has asked for that."""

    def extend(self, epochs: Any) -> None:
        """Add `epochs`, at least 1, to what is left to train. ConfigError where it is no such number.

        A schedule with an end begins again over the steps that are added.
        """
        added = SETTINGS["epochs"].kind.check("The number of epochs to add", epochs)
        end = self._batches.epochs.place(self.total_steps)
        self._reach(self._batches.epochs.step_at(end._replace(epoch=end.epoch + added)))

    def set_epochs(self, epochs: Any, step: int) -> None:
        """Make `epochs`, at least 1, the number of epochs in all; a training at `step` does not end before it."""
        wanted = SETTINGS["epochs"].kind.check("The number of epochs", epochs)
        end = self._batches.epochs.step_at(self._batches.epochs.place(0)._replace(epoch=wanted))
        if end > self.total_steps:
            self._reach(end)
        else:
            self.total_steps = max(step, end)

    def take_steps(self, count: Any, step: int) -> None:
        """Pause `count` steps after `step`. Where fewer are planned, whole epochs are added.

        With single steps instead, a schedule with an end would begin again at each of them.
        """
        until = step + checked_steps(count)
        checked_total(until)
        while self.total_steps < until:
            self.extend(-(-(until - self.total_steps) // self._batches.steps_per_epoch))
        self.pause_at = until

    def check(self, epochs: Epochs) -> int:
        """How many steps the training has by other `epochs`. ConfigError where they are more than a training can have."""
        return checked_total(epochs.step_at(self._batches.epochs.place(self.total_steps)))

    def regroup(self, step: int, epochs: Epochs) -> None:
        """Take the steps after `step` by other `epochs`, which are the same up to there.

        The training ends with the same image as before, and what is left of a schedule with an end is stretched to that.
        ConfigError, and nothing is changed, where `check` says so.
        """
        before = self._batches.epochs

        def moved(planned: int) -> int:
            return epochs.step_at(before.place(planned))

        self.total_steps = self.check(epochs)
        self._batches.epochs = epochs
        if isinstance(self._scheduler, Cycles):
            self._scheduler.stretch(step, moved)

    def go_back(self, step: int) -> None:
        """The training goes on from `step`, before which it was; with the present batch size, and up to the same planned end."""
        epochs = self._batches.epochs
        if any(changed > step for changed, _ in epochs.changes):
            self.regroup(step, epochs.changed(step, epochs.batch_size))
        self.pause_at = None

    def _reach(self, end: int) -> None:
        """Add the steps up to `end`."""
        planned, self.total_steps = self.total_steps, checked_total(end)
        if isinstance(self._scheduler, Cycles):
            self._scheduler.begin(planned, end - planned)
