"""Steering: carrying out, between two stretches of steps, the commands that have come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from nncore.errors import DigitLabError
from nncore.training.control import Change, Control, Pause, Resume, Stop, TakeSteps, TrainMore
from nncore.training.course import Course
from nncore.training.events import Changed, Event, Paused, Refused, Resumed, Stopped
from nncore.training.live import LiveSettings


class Steered(Protocol):
    """The parts of a trainer that commands are about."""

    control: Control
    course: Course
    settings: LiveSettings
    step: int
    total_steps: int

    @property
    def seconds(self) -> float: ...

    def change(self, setting: str, value: float) -> None: ...

    def extend(self, epochs: int) -> None: ...

    def take_steps(self, count: int) -> None: ...


def obey(training: Steered) -> Iterator[Event]:
    """Carry out the commands that have come in; while paused, wait for more. After Stopped the training has ended."""
    paused, course = False, training.course
    if course.pause_at is not None and training.step >= course.pause_at:
        paused, course.pause_at = training.step < training.total_steps, None
        if paused:
            yield Paused(training.step)
    while command := training.control.take(wait=paused):
        match command:
            case Pause() if not paused and training.step < training.total_steps:
                paused, course.pause_at = True, None
                yield Paused(training.step)
            case Resume() if paused:
                paused = False
                yield Resumed(training.step)
            case Stop() if training.step < training.total_steps:  # where all steps have been taken it has finished
                course.pause_at = None
                yield Stopped(training.step, training.seconds)
            case Change(setting, value):
                refused = _attempt(training, partial(training.change, setting, value), setting)
                yield refused or Changed(training.step, setting, value)
            case TrainMore(epochs):
                if refused := _attempt(training, partial(training.extend, epochs)):
                    yield refused
            case TakeSteps(count):
                if refused := _attempt(training, partial(training.take_steps, count)):
                    yield refused
                elif paused:
                    paused = False
                    yield Resumed(training.step)


def _attempt(training: Steered, action: Callable[[], None], setting: str = "") -> Refused | None:
    """Do what was asked for on the way, concerning `setting`; what to tell where it cannot be done."""
    try:
        action()
    except DigitLabError as error:
        return Refused(training.step, str(error), setting, training.settings.value(setting) if setting else 0)
    return None
