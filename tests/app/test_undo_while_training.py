"""Undo while a network is trained: corrections are taken back at once, and a lesson when its turn comes, without being lost."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app.core.probe import Probe
from app.lab import Lab
from app.training import TrainingController

BOX = (0, 0, 28, 28)


@pytest.fixture
def training(monkeypatch) -> SimpleNamespace:
    """`is_active`, whether a training runs."""
    faked = SimpleNamespace(is_active=False)
    monkeypatch.setattr(TrainingController, "is_active", property(lambda _: faked.is_active))
    return faked


@pytest.fixture
def taught(lab: Lab, monkeypatch) -> list[str]:
    """A lesson that is the last act; the names of the runs that are shown from then on."""
    shown: list[str] = []
    monkeypatch.setattr(lab.state, "show_run", lambda run, moment: shown.append(run))
    lab.teaching.before, lab.teaching.after = ((name, SimpleNamespace(nbytes=1)) for name in ("before", "after"))
    lab.teaching.keep()
    return shown


def test_a_lesson_is_not_taken_back_while_a_training_runs_but_afterwards(lab, training, taught):
    told: list[str] = []
    lab.problem.connect(lambda problem: told.append(problem.message))
    lab.said.connect(told.append)
    training.is_active = True
    lab.undo()
    assert taught == ["after"] and len(told) == 1 and "until it has ended" in told[0]
    assert lab.state.acts.last.value.words == "handwriting learned" and lab.state.acts.next is None
    training.is_active = False
    lab.undo()
    assert taught == ["after", "before"] and told[1:] == ["Undone: handwriting learned."]
    training.is_active = True
    lab.redo()
    assert taught == ["after", "before"] and lab.state.acts.next.words == "handwriting learned"


def test_the_question_stays_where_its_answer_cannot_be_followed_yet(lab, training, taught):
    lab.teaching.is_asking = training.is_active = True
    lab.teaching.keep()
    assert lab.teaching.is_asking
    training.is_active = False
    lab.teaching.keep()
    assert not lab.teaching.is_asking and taught[-1] == "after"


def test_a_correction_is_taken_back_while_a_training_runs(lab, training, isolated, qtbot):
    training.is_active = True
    probe = Probe(np.zeros((28, 28, 1), np.uint8), "a")
    with qtbot.waitSignal(lab.own_digits.changed, timeout=10_000):
        lab.own_digits.keep(4, probe.picture, lab._mark(probe, BOX, 4))
    assert lab.state.corrections.of(probe) == {BOX: 4}
    with qtbot.waitSignal(lab.own_digits.changed, timeout=10_000) as kept:
        lab.undo()
    assert lab.state.corrections.of(probe) == {} and kept.args == [0]
