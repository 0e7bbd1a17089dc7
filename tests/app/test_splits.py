"""The test and training images of a run: which they are, and how their evaluations become known."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from app.core.in_view import DataInView, NetworkInView
from app.core.run_in_view import RunInView
from app.core.split import Split
from app.core.stored_run import images_of
from app.core.timeline import Moment
from app.panels.train.evaluation_line import EvaluationLine
from app.training import Status
from models.presets import preset
from nncore.data import open_dataset, synthetic
from nncore.data.checksums import content_sum
from nncore.errors import DataError
from nncore.metrics import Evaluation
from nncore.training.config import TrainConfig


def stored(lab, data: str = "synthetic", **settings):
    """A line in the table of runs, trained on 200 images, a quarter of them held out."""
    config = TrainConfig(validation=0.25).as_dict()
    checksum = content_sum(open_dataset("synthetic").limit(200, 0))
    return lab.store.create(None, "mlp", data, config, **{"image_limit": 200, "checksum": checksum} | settings)


def test_the_splits_of_a_run_are_its_own(lab):
    run, whole = stored(lab), open_dataset("synthetic").limit(200, 0)
    held_out, training, test = (images_of(split, run) for split in (Split.HELD_OUT, Split.TRAINING, Split.TEST))
    assert (len(held_out), len(training)) == (50, 150)
    parts = np.concatenate([held_out.images, training.images]).reshape(200, -1)
    assert np.array_equal(np.unique(parts, axis=0), np.unique(whole.images.reshape(200, -1), axis=0)), "each image once"
    assert np.array_equal(test.images, synthetic("test").images)


def test_a_split_that_is_not_there_says_why(lab, tmp_path):
    data = synthetic("test", 200)
    np.savez(tmp_path / "some.npz", images=data.images, labels=data.labels)
    alone = stored(lab, str(tmp_path / "some.npz"), checksum=None)
    with pytest.raises(DataError, match=r"some\.npz has no test part"):
        images_of(Split.TEST, alone)
    named = DataInView("synthetic", open_dataset("synthetic"), replace(synthetic("test", 20), class_names=tuple("abcdefghij")))
    with pytest.raises(DataError, match="other classes than its training part"):
        images_of(Split.TEST, stored(lab), named)
    for split in Split:
        with pytest.raises(DataError, match="does not hold the images"):
            images_of(split, stored(lab, checksum="of other images"))


class Answerer:
    """An Evaluator's `evaluate`, slowed down: answers as many images as it is given, and notes which."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, network, moment, data, give_up=lambda: False, tell=lambda _: None, loss=None) -> Evaluation | None:
        self.asked.append((moment.step, len(data)))
        tell(len(data) // 2)
        self.go.wait(60)
        return None if give_up() else Evaluation(1.0, np.full((len(data), 10), 0.1, np.float32), data.labels)


@pytest.fixture
def answerer(lab, monkeypatch) -> Answerer:
    made = Answerer()
    monkeypatch.setattr(lab.evaluating._evaluator, "evaluate", made)
    yield made
    made.go.set()


@pytest.fixture
def run(lab) -> RunInView:
    """A run in view with moments after 1 and 2 steps, and views that want to see its evaluations."""
    network = preset("mlp").build()
    made = RunInView(NetworkInView.of(network, "mlp", "a test"), stored(lab), held_out=synthetic("test", 20))
    for step in (1, 2):
        made.timeline.add(Moment(step, network.state_dict()))
    lab.state.show_run(made, made.timeline[0])
    lab.evaluating.want(True)
    return made


def current(lab, split: Split, step: int):
    """A condition: the evaluation of a split after a step is shown."""

    def holds() -> bool:
        shown = lab.evaluating.shown
        return shown is not None and shown.is_current and (shown.split, shown.step) == (split, step)

    return holds


def test_each_split_is_evaluated_once_with_its_own_images(lab, run, answerer, qtbot):
    evaluating = lab.evaluating
    qtbot.waitUntil(current(lab, Split.HELD_OUT, 1), timeout=5000)
    evaluating.choose(Split.TRAINING)
    assert evaluating.shown is None, "numbers of another split are never shown"
    qtbot.waitUntil(current(lab, Split.TRAINING, 1), timeout=5000)
    assert len(evaluating.shown.images) == 150 == evaluating.count
    lab.state.show_moment(1)
    assert (evaluating.shown.step, evaluating.shown.is_current) == (1, False)
    qtbot.waitUntil(current(lab, Split.TRAINING, 2), timeout=5000)
    evaluating.choose(Split.HELD_OUT)
    assert (evaluating.shown.split, evaluating.shown.step, evaluating.shown.is_current) == (Split.HELD_OUT, 1, False)
    qtbot.waitUntil(current(lab, Split.HELD_OUT, 2), timeout=5000)
    lab.state.show_moment(0)
    evaluating.choose(Split.TRAINING)
    assert current(lab, Split.TRAINING, 1)(), "known already"
    assert answerer.asked == [(1, 20), (1, 150), (2, 150), (2, 20)]


def test_what_is_cancelled_is_evaluated_when_it_is_wanted_again(lab, run, answerer, qtbot):
    evaluating = lab.evaluating
    qtbot.waitUntil(current(lab, Split.HELD_OUT, 1), timeout=5000)
    answerer.go.clear()
    evaluating.choose(Split.TRAINING)
    qtbot.waitUntil(lambda: evaluating.progress == 75, timeout=5000)
    evaluating.cancel()
    answerer.go.set()
    qtbot.waitUntil(lambda: not evaluating.is_coming, timeout=5000)
    qtbot.wait(250)
    assert evaluating.is_cancelled and evaluating.shown is None and len(answerer.asked) == 2
    evaluating.again()
    qtbot.waitUntil(current(lab, Split.TRAINING, 1), timeout=5000)
    evaluating.cancel()
    lab.state.show_moment(1)
    qtbot.waitUntil(current(lab, Split.TRAINING, 2), timeout=5000)


def test_a_long_evaluation_tells_how_far_it_is_and_can_be_cancelled(lab, run, answerer, qtbot):
    line = EvaluationLine(lab.evaluating)
    qtbot.addWidget(line)
    line.resize(400, 22)
    line.show_words("step 1")
    qtbot.waitUntil(current(lab, Split.HELD_OUT, 1), timeout=5000)
    assert (line.text.words, line.button.isHidden()) == ("step 1", True)
    answerer.go.clear()
    lab.evaluating.choose(Split.TRAINING)
    qtbot.waitUntil(lambda: line.text.words == "75 of 150 evaluated", timeout=5000)
    assert (line.button.text(), line.button.isHidden()) == ("Cancel", False)
    line.button.click()
    assert lab.evaluating.is_cancelled and line.button.text() == "Evaluate"
    answerer.go.set()
    qtbot.waitUntil(lambda: not lab.evaluating.is_coming, timeout=5000)
    line.button.click()
    qtbot.waitUntil(current(lab, Split.TRAINING, 1), timeout=5000)
    assert (line.text.words, line.button.isHidden()) == ("step 1", True)


def test_while_a_network_trains_other_splits_stay_pale_and_say_their_step(lab, run, answerer, qtbot):
    lab.evaluating.choose(Split.TRAINING)
    qtbot.waitUntil(current(lab, Split.TRAINING, 1), timeout=5000)
    lab.training.trained = run
    lab.training._set_status(Status.TRAINING)
    run.evaluations.add(2, Evaluation(1.0, np.zeros((20, 10), np.float32), np.zeros(20, np.int64)))
    lab.state.show_moment(1)
    lab.training.updated.emit(object())
    shown = lab.evaluating.shown
    assert (shown.split, shown.step, shown.is_current) == (Split.TRAINING, 1, False)
    asked = len(answerer.asked)
    lab.evaluating.choose(Split.HELD_OUT)
    assert (lab.evaluating.shown.step, lab.evaluating.shown.is_current) == (2, True), "what the trainer has told"
    qtbot.wait(200)
    assert len(answerer.asked) == asked, "nothing is computed beside a training"


def test_a_run_without_its_training_has_no_splits(lab, qtbot, answerer):
    network = preset("mlp").build()
    run = RunInView(NetworkInView.of(network, "mlp", "shipped"), why_no_images="It came without.")
    lab.state.show_run(run, Moment(1, network.state_dict()))
    lab.evaluating.want(True)
    lab.evaluating.choose(Split.TEST)
    assert lab.evaluating.why_none == "mlp came without its training, and so without its test images."
    assert not lab.evaluating.is_coming and lab.evaluating.shown is None
