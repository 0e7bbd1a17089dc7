"""Control: how another thread steers a running training."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import Any

from nncore.errors import ConfigError
from nncore.training.config import LARGEST_COUNT, SETTINGS
from nncore.training.values import Whole, listed


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
class Change:
    setting: str
    value: float


@dataclass(frozen=True)
class TrainMore:
    epochs: int


@dataclass(frozen=True)
class TakeSteps:
    count: int


Command = Pause | Resume | Stop | Change | TrainMore | TakeSteps

CHANGEABLE = ("learning_rate", "momentum", "weight_decay", "batch_size")
"""The settings that can be changed while a training runs: fields of TrainConfig."""


def checked_change(setting: str, value: Any) -> float:
    """`value` as the setting takes it. Raises ConfigError where it is none, or where the setting cannot be changed on the way."""
    if setting not in CHANGEABLE:
        raise ConfigError(f"{setting!s:.40} cannot be changed while a training runs, only {listed(CHANGEABLE)}.")
    title = SETTINGS[setting].title.lower()
    return SETTINGS[setting].kind.check(f"The {title}", value)


def checked_steps(count: Any) -> int:
    """`count`. Raises ConfigError where it is no number of steps."""
    return Whole(1, LARGEST_COUNT).check("The number of steps to take", count)


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

    def change(self, setting: str, value: Any) -> None:
        """Use another value of a setting, one of CHANGEABLE, from the next stretch on; a schedule goes on relative to the rate.

        Raises ConfigError for what is no such value. What the network at hand does not allow is told by the event Refused.
        """
        self._commands.put(Change(setting, checked_change(setting, value)))

    def train_more(self, epochs: int) -> None:
        """Add `epochs` to what is left to train. ConfigError unless it is a whole number of at least 1."""
        SETTINGS["epochs"].kind.check("The number of epochs to add", epochs)
        self._commands.put(TrainMore(epochs))

    def take_steps(self, count: int) -> None:
        """Take `count` more steps, paused or not, and pause; see `Trainer.take_steps`. ConfigError for no such number."""
        self._commands.put(TakeSteps(checked_steps(count)))

    def forget_halts(self) -> bool:
        """After the training has ended: drop what asked for a pause or an end of it; whether more steps were asked for since.

        Call it where nobody else takes commands out.
        """
        waiting: list[Command] = []
        while (command := self.take(wait=False)) is not None:
            is_stop = isinstance(command, Stop)
            waiting = [earlier for earlier in waiting if not (is_stop and isinstance(earlier, TrainMore | TakeSteps))]
            if not isinstance(command, Pause | Resume | Stop):
                waiting.append(command)
        for command in waiting:
            self._commands.put(command)
        return any(isinstance(command, TrainMore | TakeSteps) for command in waiting)

    def take(self, wait: bool) -> Command | None:
        """The next command, waiting for one if `wait`; None where there is none."""
        try:
            return self._commands.get(block=wait)
        except queue.Empty:
            return None
