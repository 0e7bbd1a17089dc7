"""Backwards: what the loss wants of the network on this probe, computed in the background; and how its training would step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.core.look import Look
from app.core.pace import SHARE
from app.core.run_in_view import RunInView
from app.lab import Lab
from app.panels.inspect.inspected import Weight
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import Status
from app.widgets.throttle import Throttle
from nncore.explain.weight_step import BackwardPass, WeightStep, weight_step
from nncore.losses import Loss
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.parameter import Parameter
from nncore.training.config import TrainConfig
from nncore.training.parts import is_frozen

PAUSE, PAUSE_WHILE_TRAINING = 30, 1000
"""Milliseconds between two passes: a training needs the cores."""
CHANGEABLE = ("momentum", "weight_decay")
"""Settings that may have been changed on the way, besides the learning rate, which is kept by step."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A look, and the class that its digit is taken to show."""

    look: Look
    label: int
    is_known: bool
    """Whether somebody has said that it shows this class; else it is the network's own answer."""


def asked_of(look: Look) -> Asked | None:
    """What to ask about a look: by the probe's label where it has one, or else by the answer. None where there is no digit."""
    if look.digit is None:
        return None
    label, classes = look.question.probe.label, look.question.network.output_shape[-1]
    if label is not None and 0 <= label < classes and len(look.digits) == 1:
        return Asked(look, label, True)
    return Asked(look, look.digit.answer.digit, False)


class Backwards(QObject):
    """Takes one pass at a time, of the latest look. `found` is emitted when there is a new one."""

    found = Signal()

    def __init__(self, lab: Lab, parent: QObject) -> None:
        super().__init__(parent)
        self._lab = lab
        self.asked: Asked | None = None
        """What `result` is the answer to."""
        self.result: BackwardPass | None = None
        self._next: Asked | None = None
        self._is_busy = False
        self._used = 0.0
        """Seconds of a core that the last pass took."""
        self._network: tuple[Mapping[str, Any], Network] | None = None
        """The network of the last pass, used by one task at a time."""
        self._begin = Throttle(self._start, PAUSE, self)

    def ask(self, look: Look) -> None:
        """Ask for the pass of a look; `found` follows, unless a later one replaces it."""
        if self.asked is not None and self.asked.look is look:
            return
        self._next = asked_of(look)
        is_training = self._lab.training.status is Status.TRAINING
        self._begin.interval = max(PAUSE_WHILE_TRAINING, round(1000 * self._used / SHARE)) if is_training else PAUSE
        self._begin()

    def _start(self) -> None:
        asked, run = self._next, self._lab.state.run.value
        if asked is None or self._is_busy or (self.asked is not None and self.asked.look is asked.look):
            return
        self._next, self._is_busy = None, True
        loss = None if run is None or run.recipe is None else run.recipe.config.build_loss()
        Task(lambda: self._compute(asked, loss), lambda result: self._take(asked, result), self._fail).begin()

    def _compute(self, asked: Asked, loss: Loss | None) -> BackwardPass:
        """For the task's thread."""
        question, digit = asked.look.question, asked.look.digit
        assert digit is not None, "asked_of says so"
        architecture, began = question.network.architecture, time.thread_time()
        lower_priority()
        if self._network is None or self._network[0] is not architecture:
            self._network = architecture, Network.from_config(architecture)
        network = self._network[1]
        network.load_state_dict(question.moment.state)
        found = BackwardPass.of(network, digit.image, asked.label, loss)
        self._used = time.thread_time() - began
        return found

    def _take(self, asked: Asked, result: BackwardPass) -> None:
        self._is_busy = False
        self.asked, self.result = asked, result
        self.found.emit()
        if self._next is not None:
            self._begin()

    def _fail(self, problem: object) -> None:
        self._is_busy = False
        self._lab.problem.emit(problem)


@dataclass(frozen=True, eq=False)
class NextStep:
    """The step that a training would take with a weight next, and what is not known of it."""

    step: WeightStep
    remark: str
    """Which numbers are not those of the run, as a sentence; empty where all are."""


def next_step(lab: Lab, run: RunInView | None, found: BackwardPass, weight: Weight, at: int, own_decay: float) -> NextStep:
    """The step that the optimizer of `run` would take after `at` steps, were this picture the batch."""
    value = float(found.done.state[weight.parameter][weight.index])
    gradient = float(found.gradients[weight.parameter][weight.index])
    config, remark = _config_at(run, at)
    parameter = Parameter(np.array([value]), own_decay)
    optimizer = config.build_optimizer({weight.parameter: parameter})
    optimizer.lr = _rate_at(run, at, config)
    kept = _optimizer_of(lab, run, at)
    averages, steps = None, 0
    if kept is not None:
        averages = {slot: float(values[weight.parameter][weight.index]) for slot, values in kept.moments.items()}
        steps = kept.steps
    elif optimizer.slots and parameter.requires_grad and not remark and at:
        remark = "The running averages of this moment are not kept, so they begin at zero here, as in a first step."
    norm = found.norm([name for name in found.gradients if is_frozen(name, config.freeze)])
    return NextStep(weight_step(optimizer, value, gradient, parameter, averages, steps, norm), remark)


def _config_at(run: RunInView | None, at: int) -> tuple[TrainConfig, str]:
    """The settings of a run after `at` steps, and what is not known of them."""
    if run is None or run.recipe is None:
        return TrainConfig(), "How this network was trained is not kept; this is the step of a new training by the usual settings."
    changed: dict[str, Any] = {
        mark.kind: mark.value
        for mark in run.history.marks
        if mark.kind in CHANGEABLE and mark.step <= at and mark.value is not None
    }
    return replace(run.recipe.config, **changed), ""


def _rate_at(run: RunInView | None, at: int, config: TrainConfig) -> float:
    """The learning rate of the step after `at` steps, or of the last one before where that is the end."""
    steps, rates = (np.zeros(0), np.zeros(0)) if run is None else run.history.rates.columns()
    if not len(steps):
        return config.learning_rate
    return float(rates[min(int(np.searchsorted(steps, at, side="right")), len(rates) - 1)])


def _optimizer_of(lab: Lab, run: RunInView | None, at: int) -> Optimizer | None:
    """The optimizer of the run's training, where that stands still after `at` steps; None else."""
    session = lab.training.session
    is_still = lab.training.status in (Status.IDLE, Status.PAUSED)
    if session is None or run is None or run is not lab.training.trained or not is_still or session.trainer.step != at:
        return None
    return session.trainer.optimizer
