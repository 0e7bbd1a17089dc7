"""Ablating: what edits of the network in view do to its accuracy, measured in the background when it is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from threading import Event

from PySide6.QtCore import QObject, Signal

from app.core.edits import Edits
from app.core.evaluator import Evaluator
from app.core.in_view import NetworkInView
from app.core.run_in_view import RunInView
from app.core.split import Split
from app.core.state import LabState
from app.core.timeline import Moment
from app.errors import EVALUATION, Problem
from app.threads.priority import lower_priority
from app.threads.task import Task
from nncore.data.dataset import Dataset
from nncore.metrics import Evaluation
from nncore.network import Network


@dataclass(frozen=True, eq=False)
class Effect:
    """The answers to the same images without and with edits."""

    run: RunInView
    moment: Moment
    edits: Edits
    split: Split
    images: Dataset
    before: Evaluation
    after: Evaluation


class Ablating(QObject):
    """Measures one effect at a time, of held-out images of the run in view, or of test images of the data in view."""

    changed = Signal()
    """Something of what follows has changed, or what belongs to it: run, moment, data, edits."""
    problem = Signal(object)
    _told = Signal(int)

    def __init__(self, state: LabState) -> None:
        super().__init__()
        self._state = state
        self.split = Split.TEST
        """Which images are taken."""
        self.effect: Effect | None = None
        """What was measured last."""
        self.done, self.total = 0, 0
        """How many images have been looked at, each once without and once with the edits, and of how many."""
        self.is_busy = False
        self._evaluator = Evaluator()
        self._before: tuple[Moment, Dataset, Evaluation] | None = None
        self._give_up = Event()
        self._told.connect(self._take_progress)
        for observable in (state.run, state.moment, state.data, state.edits):
            observable.subscribe(lambda _: self.changed.emit(), now=False)

    def images(self, split: Split) -> Dataset | None:
        """The images of a split, where there are any that the network knows what to say of."""
        run, data = self._state.run.value, self._state.data.value
        found = None
        if split is Split.HELD_OUT:
            found = None if run is None else run.held_out
        elif data is not None:
            found = data.test
        network = self._state.network.value
        return found if found is not None and network is not None and _fits(network, found) else None

    @property
    def can_measure(self) -> bool:
        """Whether there are edits, and images to measure them on."""
        return bool(self._state.edits.value) and self.chosen is not None

    @property
    def chosen(self) -> Split | None:
        """The split that is taken: the one that was chosen, or the other where only that is there; None where neither is."""
        order = (self.split, *(split for split in (Split.TEST, Split.HELD_OUT) if split is not self.split))
        return next((split for split in order if self.images(split) is not None), None)

    @property
    def is_current(self) -> bool:
        """Whether the effect is that of the present edits, at the moment in view, on the images that are chosen."""
        effect, split = self.effect, self.chosen
        return (
            effect is not None
            and effect.run is self._state.run.value
            and effect.moment is self._state.moment.value
            and effect.edits == self._state.edits.value
            and split is not None
            and effect.images is self.images(split)
        )

    def choose(self, split: Split) -> None:
        """Take other images from the next time on."""
        if split is not self.split:
            self.split = split
            self.changed.emit()

    def start(self) -> None:
        """Measure the effect of the present edits at the moment in view; `changed` tells of the end."""
        run, moment, split, edits = self._state.run.value, self._state.moment.value, self.chosen, self._state.edits.value
        if self.is_busy or run is None or moment is None or split is None or not edits:
            return
        images = self.images(split)
        assert images is not None, "it was chosen for having some"
        self.is_busy, self.done, self.total, self._give_up = True, 0, 2 * len(images), Event()
        view, evaluator, give_up, known = run.network, self._evaluator, self._give_up, self._before

        def measure() -> Effect | None:
            lower_priority()
            if known is not None and known[0] is moment and known[1] is images:
                before: Evaluation | None = known[2]
            else:
                before = evaluator.evaluate(view, moment, images, give_up.is_set, self._told.emit)
            if before is None:
                return None
            edited = edits.applied(Network.from_config(view.architecture), moment)
            after = evaluator.evaluate(view, edited, images, give_up.is_set, lambda done: self._told.emit(len(images) + done))
            return None if after is None else Effect(run, moment, edits, split, images, before, after)

        Task(measure, self._take, self._miss).begin()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up what is being measured."""
        self._give_up.set()

    def _take_progress(self, done: int) -> None:
        self.done = done
        self.changed.emit()

    def _take(self, effect: Effect | None) -> None:
        self.is_busy = False
        if effect is not None:
            self.effect, self._before = effect, (effect.moment, effect.images, effect.before)
        self.changed.emit()

    def _miss(self, problem: Problem) -> None:
        self.is_busy = False
        self.problem.emit(replace(problem, about=EVALUATION))
        self.changed.emit()


def _fits(network: NetworkInView, data: Dataset) -> bool:
    """Whether the network takes the images, and knows the classes that they show."""
    fits = len(data) > 0 and math.prod(data.image_shape) == math.prod(network.input_shape)
    return fits and data.is_labelled and int(data.labels.max()) < network.output_shape[-1]
