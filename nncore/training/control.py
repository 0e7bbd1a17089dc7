"""Control: how another thread steers a running training."""

from __future__ import annotations

import queue
from dataclasses import dataclass

from nncore.training.config import SETTINGS


@dataclass(frozen=True)
class Pause:
    pass


@dataclass(frozen=True)
class Resume:
    pass


@dataclass(frozen=True)
class Stop:
    pass


@dataclass(frozen=True)
class SetLearningRate:
    value: float


@dataclass(frozen=True)
class TrainMore:
    epochs: int


Command = Pause | Resume | Stop | SetLearningRate | TrainMore


class Control:
    """A mailbox: any thread puts commands in, the trainer takes them out, in order, between two stretches of some 30 ms."""

    def __init__(self) -> None:
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def pause(self) -> None:
        """Wait after the current stretch, until `resume` or `stop`."""
        self._commands.put(Pause())

    def resume(self) -> None:
        """Go on after `pause`."""
        self._commands.put(Resume())

    def stop(self) -> None:
        """End after the current stretch. Nothing is lost: the trainer's `events` can be called again to go on."""
        self._commands.put(Stop())

    def set_learning_rate(self, value: float) -> None:
        """Use this learning rate (positive, finite) from the next stretch on; a schedule goes on relative to it.

        Raises ConfigError for what is no such number.
        """
        value = SETTINGS["learning_rate"].kind.check("The learning rate", value)
        self._commands.put(SetLearningRate(value))

    def train_more(self, epochs: int) -> None:
        """Add `epochs` to what is left to train. ConfigError unless it is a whole number of at least 1."""
        SETTINGS["epochs"].kind.check("The number of epochs to add", epochs)
        self._commands.put(TrainMore(epochs))

    def take(self, wait: bool) -> Command | None:
        """The next command, waiting for one if `wait`; None where there is none."""
        try:
            return self._commands.get(block=wait)
        except queue.Empty:
            return None
