"""What is known of a run's held-out images, and how it becomes known."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.core.evaluator import Evaluator
from app.core.history import History
from app.core.in_view import NetworkInView
from app.core.run_in_view import Evaluations, RunInView
from app.core.split import Split
from app.core.timeline import Moment
from app.training import Status
from models.presets import preset
from nncore.data import synthetic
from nncore.errors import DataError
from nncore.metrics import Evaluation
from nncore.prediction import Predictor


def evaluation(count: int = 10) -> Evaluation:
    return Evaluation(1.0, np.zeros((count, 10), np.float32), np.zeros(count, np.int64))


def test_evaluations_stay_within_their_memory_and_those_asked_for_last_stay():
    kept, one = Evaluations(limit_bytes=3 * evaluation().nbytes), evaluation()
    for step in (1, 2, 3):
        kept.add(step, one)
    assert kept.get(1) is one and kept.newest() == (3, one)
    kept.add(4, evaluation())
    assert kept.get(2) is None and kept.get(1) is one and len(kept) == 3
    kept.add(5, evaluation(1000))
    assert len(kept) == 1 and kept.newest()[0] == 5, "the last one stays, however large"
    kept.forget_after(4)
    assert kept.newest() is None


def test_evaluations_of_each_split_are_kept_apart():
    kept, held_out, test = Evaluations(), evaluation(), evaluation()
    kept.add(3, held_out)
    kept.add(5, test, Split.TEST)
    assert kept.get(5) is None and kept.get(5, Split.TEST) is test and kept.get(3, Split.TEST) is None
    assert kept.newest() == (3, held_out) and kept.newest(Split.TEST) == (5, test) and kept.newest(Split.TRAINING) is None
    kept.forget_after(4)
    assert kept.newest(Split.TEST) is None and kept.newest() == (3, held_out)


def test_a_run_that_goes_on_forgets_what_came_later():
    rows = [(step, 1.0, 0.5) for step in range(1, 31)]
    run = RunInView(NetworkInView.of(preset("mlp").build(), "mlp", "a test"), history=History.of_rows(rows, rows[9::10], 20, 0.5))
    for step in (10, 20, 30):
        run.timeline.add(Moment(step, {"w": np.zeros(4)}))
        run.evaluations.add(step, evaluation())
    before = run.history.train.columns()[0]
    run.forget_after(20)
    assert run.history.train.columns()[0].tolist() == list(range(1, 21)) and run.history.validation.columns()[0].tolist() == [
        10,
        20,
    ]
    assert run.history.best_step == 20 and len(run.timeline) == 2 and run.evaluations.newest()[0] == 20
    run.history.train.append(21, 0.0, 0.0)
    assert before.tolist() == list(range(1, 31)), "what was handed out stays as it was"
    run.forget_after(19)
    assert run.history.best_step == 0 and np.isnan(run.history.best_accuracy)


def test_parts_make_the_evaluation_of_all(monkeypatch):
    monkeypatch.setattr("app.core.evaluator.PART", 1)
    data, network = synthetic("test", 2500), preset("mlp").build()
    view, moment = NetworkInView.of(network, "mlp", "a test"), Moment(0, network.state_dict())
    evaluator, whole = Evaluator(), Predictor(network).evaluate(data)
    found = evaluator.evaluate(view, moment, data)
    assert np.array_equal(found.labels, whole.labels) and np.allclose(found.probabilities, whole.probabilities, atol=1e-6)
    assert found.loss == pytest.approx(whole.loss)
    asked: list[int] = []

    def after_the_first() -> bool:
        asked.append(1)
        return len(asked) > 1

    assert evaluator.evaluate(view, moment, data, after_the_first) is None and len(asked) == 2


class Held:
    """An Evaluator's `evaluate` that waits until it is let go of, and notes the steps that it was asked for."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.go = threading.Event()

    def __call__(self, network, moment, data, give_up=lambda: False, tell=lambda _: None, loss=None) -> Evaluation | None:
        self.steps.append(moment.step)
        self.go.wait(60)
        return None if give_up() else evaluation(moment.step)


@pytest.fixture
def held(lab, monkeypatch) -> Held:
    found = Held()
    monkeypatch.setattr(lab.evaluating._evaluator, "evaluate", found)
    yield found
    found.go.set()


def show(lab, *steps: int) -> RunInView:
    """Show a run with moments at `steps`, the first one first."""
    network = preset("mlp").build()
    run = RunInView(NetworkInView.of(network, "mlp", "a test"), held_out=synthetic("test", 20))
    for step in steps:
        run.timeline.add(Moment(step, network.state_dict()))
    lab.state.show_run(run, run.timeline[0])
    return run


def test_only_the_latest_moment_is_evaluated_and_each_only_once(lab, qtbot, held):
    run = show(lab, 1, 2, 3, 4)
    qtbot.wait(10)
    assert not lab.evaluating.is_coming, "nobody wants to see it"
    lab.evaluating.want(True)
    qtbot.waitUntil(lambda: held.steps == [1], timeout=5000)
    for index in (1, 2, 3):
        lab.state.show_moment(index)
    held.go.set()
    qtbot.waitUntil(lambda: lab.evaluating.shown is not None, timeout=5000)
    assert held.steps == [1, 4], "what was left behind is given up, what was passed is not begun"
    shown = lab.evaluating.shown
    assert (shown.run, shown.step, shown.is_current, len(shown.evaluation.labels)) == (run, 4, True, 4)
    held.go.clear()
    lab.state.show_moment(0)
    assert (lab.evaluating.shown.step, lab.evaluating.shown.is_current) == (4, False), "pale, and it says of which step"
    lab.state.show_moment(3)
    assert lab.evaluating.shown.is_current and not lab.evaluating.is_coming, "known already"


def test_another_runs_evaluation_is_never_shown(lab, qtbot, held):
    held.go.set()
    lab.evaluating.want(True)
    show(lab, 5)
    qtbot.waitUntil(lambda: lab.evaluating.shown is not None, timeout=5000)
    held.go.clear()
    run = show(lab, 5)
    assert lab.evaluating.shown is None
    qtbot.waitUntil(lambda: len(held.steps) == 2, timeout=5000)
    show(lab, 5)
    held.go.set()
    qtbot.waitUntil(lambda: lab.evaluating.shown is not None, timeout=5000)
    assert lab.evaluating.shown.run is not run


def test_a_training_ends_an_evaluation_and_shows_its_own(lab, qtbot, held):
    run = show(lab, 5)
    lab.evaluating.want(True)
    qtbot.waitUntil(lambda: held.steps == [5], timeout=5000)
    lab.training.trained = run
    lab.training._set_status(Status.TRAINING)
    held.go.set()
    qtbot.waitUntil(lambda: not lab.evaluating.is_coming, timeout=5000)
    assert lab.evaluating.shown is None
    run.evaluations.add(3, evaluation())
    lab.training.updated.emit(object())
    assert (lab.evaluating.shown.step, lab.evaluating.shown.is_current) == (3, True)
    lab.training._set_status(Status.IDLE)
    assert not lab.evaluating.shown.is_current and lab.evaluating.is_coming


def test_what_cannot_be_evaluated_is_said_once(lab, qtbot, monkeypatch):
    def refuse(*_: object) -> None:
        calls.append(1)
        raise DataError("The labels do not fit.")

    calls, problems = [], []
    monkeypatch.setattr(lab.evaluating._evaluator, "evaluate", refuse)
    lab.problem.connect(problems.append)
    show(lab, 5)
    lab.evaluating.want(True)
    qtbot.waitUntil(lambda: bool(problems), timeout=5000)
    lab.state.run.tell()
    assert (
        lab.evaluating.has_failed
        and not lab.evaluating.is_coming
        and [problem.message for problem in problems] == ["The labels do not fit."]
        and calls == [1]
    )


def test_what_a_moment_brings_along_is_shown_where_it_is_of_all_images(lab, qtbot, held):
    run = show(lab, 5)
    whole, sample = evaluation(20), evaluation(7)
    for step, found in ((6, whole), (7, sample)):
        run.timeline.add(Moment(step, run.timeline[0].state, evaluation=found))
    lab.state.show_moment(1)
    assert lab.evaluating.shown.evaluation is whole and lab.evaluating.shown.is_current
    lab.state.show_moment(2)
    assert lab.evaluating.shown.evaluation is whole and not lab.evaluating.shown.is_current
    run.held_out, run.why_no_images = None, "The data is gone."
    lab.state.run.tell()
    assert lab.evaluating.shown.evaluation is sample, "nothing more is to be had"
