"""How well a network reads digits of a hand that it has learned, but not from them: each is left out once. Qt-free."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from app.core.teaching import Lesson, without
from app.core.teaching_figures import Figure, Taught
from nncore.arrays import Array
from nncore.prediction import Predictor
from nncore.training.trainer import Trainer

FOLDS = 4
"""Into how many parts the digits are parted; each part is left out of one training."""
SHORTER = 2
"""How many times shorter such a training is than the lesson."""
LONGEST = 28.0
"""Seconds from the beginning of the lesson after which no further training is begun, except the first."""


def held_out_in_turn(
    lesson: Lesson, taught: Taught, began: float, is_over: Callable[[], bool] = lambda: False
) -> Generator[Taught]:
    """`taught` with what is known of digits that were left out, after each part.

    `began` is the `time.monotonic()` of the lesson's beginning: where another training would take too long, what there is counts.
    It ends early where `is_over` says so. Digits that the network had learned before are not asked, and where there are fewer than
    FOLDS others nothing is told.
    """
    new = np.flatnonzero(lesson.is_new)
    if len(new) < FOLDS:
        return
    answers, asked = np.zeros(len(lesson.own), np.int64), np.zeros(len(lesson.own), bool)
    for part in (new[each] for each in parts(lesson.own.labels[new])):
        start = time.monotonic()
        trainer = _trainer(lesson, part)
        for _ in trainer.events():
            if is_over():
                return
        answers[part] = Predictor(trainer.network, trainer.device).predict(lesson.own.images[part]).argmax(axis=1)
        asked[part] = True
        before, after = (float((said == lesson.own.labels)[asked].mean()) for said in (lesson.own_answers, answers))
        yield replace(taught, held_out=Figure(before, after), held_out_count=int(asked.sum()))
        now = time.monotonic()
        if now + (now - start) > began + LONGEST:
            return


def parts(labels: Array) -> list[Array]:
    """The indices of digits, int64, in FOLDS parts, the digits of each label spread over all of them."""
    order = np.argsort(labels, kind="stable")
    return [np.sort(order[first::FOLDS]) for first in range(FOLDS)]


def _trainer(lesson: Lesson, part: Array) -> Trainer:
    """A short training of the lesson without a part of the digits."""
    job = lesson.job
    config = replace(job.config, milestones=tuple(step // SHORTER for step in job.config.milestones))
    trainer = Trainer(lesson.pupil.build(), without(lesson, part), config, job.device)
    trainer.total_steps = min(trainer.total_steps, (job.steps or trainer.total_steps) // SHORTER)
    return trainer
