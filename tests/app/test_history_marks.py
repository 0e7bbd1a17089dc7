"""What a history holds besides losses: rates, marks, layers, and which looks were at all held-out images."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.history import History
from app.core.runs import RunStore
from app.core.runs.marks import CONTINUED, Mark
from app.core.session import Job
from app.core.stored_run import read_history
from models.presets import preset
from nncore.data import open_dataset
from nncore.metrics import Evaluation
from nncore.training.config import TrainConfig
from nncore.training.events import Changed, EpochEnd, Examined, LayerHealth, Progress, Started, Validated

NONE = Evaluation(0.0, np.zeros((0, 10), np.float32), np.zeros(0, np.int64))


def look(step: int, loss: float = 1.0) -> Validated:
    return Validated(step, loss, 0.5, NONE)


def epoch_end(step: int) -> EpochEnd:
    return EpochEnd(1, step, 1.0, 0.5, 0.9, 0.6, 0.0, 1.0, NONE)


def examined(step: int) -> Examined:
    return Examined(step, (LayerHealth("conv1", 0.5 * step, 2.0, None), LayerHealth("relu1", None, None, 0.25)))


def progress(first: int, last: int) -> Progress:
    steps = np.arange(first, last + 1)
    return Progress(steps, steps / 10, steps / 100, steps / 1000, 100, 1, 0.0, 0.0)


def told() -> History:
    history = History()
    for event in (
        Started(0, 20, 10, 100, 10), progress(1, 10), examined(5), look(5), epoch_end(10), examined(10),
        Changed(10, "learning_rate", 0.2), Changed(10, "learning_rate", 0.3), Started(10, 20, 10, 100, 10), progress(11, 20),
        look(15), look(15, 3.0), Changed(15, "batch_size", 64.0), epoch_end(20), examined(20),
    ):  # fmt: skip
        history.add(event)
    return history


def plain(history: History) -> dict[str, object]:
    rows = {"train": history.train, "validation": history.validation, "full": history.full, "rates": history.rates}
    numbers = {name: [column.tolist() for column in found.columns()] for name, found in {**rows, **history.layers}.items()}
    return {"marks": history.marks, **{name: str(found) for name, found in numbers.items()}}


def test_a_history_holds_rates_marks_and_layers():
    history = told()
    assert history.rates.columns()[1].tolist() == [step / 1000 for step in range(1, 21)]
    assert history.marks == [(10, "learning_rate", 0.3), (10, CONTINUED, None), (15, "batch_size", 64.0)]
    assert list(history.layers) == ["conv1", "relu1"]
    steps, gradients, weights, dead = history.layers["conv1"].columns()
    assert steps.tolist() == [5, 10, 20] and gradients.tolist() == [2.5, 5.0, 10.0] and weights.tolist() == [2.0] * 3
    assert np.isnan(dead).all()


def test_looks_at_all_images_are_told_from_looks_at_a_sample_and_the_last_look_at_a_step_counts():
    history = told()
    steps, losses, _ = history.validation.columns()
    assert steps.tolist() == [5, 10, 15, 20] and losses.tolist() == [1.0, 0.9, 3.0, 0.9]
    assert history.full.columns()[0].tolist() == [10, 20]


def test_what_came_later_is_forgotten():
    history = told()
    history.forget_after(10)
    expected = History()
    for event in (progress(1, 10), examined(5), look(5), epoch_end(10), examined(10), Changed(10, "learning_rate", 0.3)):
        expected.add(event)
    expected.add_mark(Mark(10, CONTINUED))
    assert plain(history) == plain(expected)
    history.forget_after(0)
    assert plain(history) == plain(History())


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


def test_a_history_comes_back_from_the_disk(store):
    config = TrainConfig(epochs=2, batch_size=50, learning_rate=0.01, schedule="cosine", validate_every=3)
    session = Job(preset("two-layer"), "synthetic", open_dataset("synthetic").limit(300, 0), None, config).begin(store)
    history = History()
    for event in session.events():
        history.add(event)
    session.trainer.extend(1)
    session.trainer.control.change("learning_rate", 0.003)
    for event in session.events():
        history.add(event)
    found = read_history(store, session.run, history.best_step, history.best_accuracy)
    assert plain(found) == plain(history) and len(found.marks) == 2 and len(found.full) == 3 and len(found.layers) == 3
    assert len(found.validation) > 3, "there are looks on the way too"


def test_a_run_whose_looks_were_not_told_apart_is_read_and_goes_on(store):
    run = store.create("old", "two-layer", "synthetic", {})
    store.add_metrics(run, [("train", 1, 2.0, 0.1), ("validation", 1, 2.0, 0.1), ("validation", 2, 1.0, 0.2)])
    found = read_history(store, run, 2, 0.2)
    assert len(found.validation) == 2 and not len(found.full) and not len(found.rates)
    store.add_metrics(run, [("full", 2, 0.5, 0.3)])  # the end of the epoch is looked at again, by this version
    assert store.metrics(run, "validation") == [(1, 2.0, 0.1), (2, 0.5, 0.3)] and store.metrics(run, "full") == [(2, 0.5, 0.3)]
