"""The table of runs, and the session that fills it."""

from __future__ import annotations

import pytest

from app.core.history import History
from app.core.runs import RunStore
from app.core.session import Job
from models.presets import preset
from nncore.data import synthetic
from nncore.errors import ConfigError, DigitLabError
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import Checkpointed, EpochEnd, Progress, Validated
from nncore.weights import load_weights


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


def job(**settings) -> Job:
    config = TrainConfig(**{"epochs": 1, "batch_size": 32, "validate_every": 2} | settings)
    return Job(preset("mnist-cnn"), "synthetic", synthetic("train", 120), synthetic("test", 60), config)


def test_runs_are_named_listed_and_deleted(store):
    assert store.list() == []
    first, second = (store.create(None, "mnist-cnn", "mnist", {"epochs": 1}) for _ in range(2))
    named = store.create("my first try", "mnist-cnn", "mnist", {})
    assert [run.name for run in store.list()] == ["my first try", "mnist-cnn-2", "mnist-cnn-1"]
    assert first.config == {"epochs": 1} and first.status == "running" and second.id != named.id
    store.delete(named)
    assert [run.name for run in store.list()] == ["mnist-cnn-2", "mnist-cnn-1"]
    with pytest.raises(ConfigError, match="no run called"):
        store.get("my first try")


@pytest.mark.parametrize("name", ["", "../out", "a/b", ".hidden", "x" * 81, "a\0b"])
def test_names_that_lead_out_of_the_folder_are_refused(store, name):
    with pytest.raises(ConfigError):
        store.create(name, "mnist-cnn", "mnist", {})


def test_a_name_that_is_taken_is_refused(store):
    store.create("one", "mnist-cnn", "mnist", {})
    with pytest.raises(ConfigError, match="already a run"):
        store.create("one", "mnist-cnn", "mnist", {})


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DigitLabError, match="cannot be used"):
        RunStore(tmp_path / "file").create(None, "m", "d", {})


def test_a_session_keeps_all_that_happens(store):
    session = job().begin(store)
    events, history = [], History()
    for event in session.events():
        events.append(event)
        history.add(event)
    run = store.get(session.run.name)
    assert run.status == "finished" and run.steps == session.trainer.step == 4 and run.seconds > 0
    trained = [(e.step, e.train_loss, e.train_accuracy) for e in events if isinstance(e, Progress)]
    looked = [(e.step, e.val_loss, e.val_accuracy) for e in events if isinstance(e, Validated | EpochEnd)]
    assert store.metrics(run, "train") == trained == [tuple(row) for row in zip(*history.train.columns(), strict=True)]
    assert store.metrics(run, "validation") == looked == [tuple(row) for row in zip(*history.validation.columns(), strict=True)]
    network, info = load_weights(store.weights_of(run))
    assert info["run"] == run.name and info["test_accuracy"] == run.test_accuracy == session.result.test_accuracy
    assert Predictor(network).evaluate(session.test_data).accuracy == run.test_accuracy
    assert history.best_step == 4 and history.best_accuracy == run.val_accuracy


def test_a_stopped_session_leaves_weights_and_a_checkpoint(store):
    session = job(epochs=3).begin(store)
    for event in session.events():
        if isinstance(event, Progress) and event.step == 2:
            session.trainer.control.stop()
    run = store.get(session.run.name)
    assert run.status == "stopped" and store.weights_of(run).exists() and store.checkpoint_of(run).exists()


def test_checkpoints_come_when_they_are_due_and_after_the_look_at_the_epoch(store):
    session = job(epochs=2).begin(store, checkpoint_every=4)
    kinds = [type(event) for event in session.events()]
    assert kinds.count(Checkpointed) == 2
    assert kinds[kinds.index(Checkpointed) - 1] is EpochEnd
