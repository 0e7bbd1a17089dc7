"""Marks and the states of layers in the table of runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from app.core.runs import RunStore
from app.core.runs.marks import CONTINUED, LayerState, Mark
from app.core.session import Job
from models.presets import preset
from nncore.data import open_dataset
from nncore.training.config import TrainConfig
from nncore.training.events import Changed, Progress


@pytest.fixture
def run(tmp_path):
    store = RunStore(tmp_path / "runs")
    return store, store.create("one", "mnist-cnn", "synthetic", {})


def test_marks_are_kept_in_order_and_forgotten_with_the_steps(run):
    store, one = run
    store.add_marks(one, [Mark(20, "momentum", 0.5), Mark(10, "learning_rate", 0.1), Mark(20, CONTINUED)])
    store.add_marks(one, [Mark(10, "learning_rate", 0.2)])
    assert store.marks(one) == [(10, "learning_rate", 0.2), (20, "momentum", 0.5), (20, CONTINUED, None)]
    store.forget_metrics_after(one, 10)
    assert store.marks(one) == [(10, "learning_rate", 0.2)]


def test_states_of_layers_and_rates_are_kept_and_damaged_ones_left_out(run):
    store, one = run
    states = [LayerState(5, "conv1", 0.1, 2.0, None), LayerState(5, "relu1", None, None, 0.25)]
    store.add_layer_states(one, states)
    store.add_metrics(one, [("train", 1, 2.0, 0.1, 0.01), ("train", 2, 2.0, 0.1), ("validation", 2, 2.0, 0.1)])
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        database.execute("INSERT INTO layers VALUES (?, 6, 'conv1', 'x', 1.0, NULL)", (one.id,))
        database.execute("INSERT INTO marks VALUES (?, 'x', 'momentum', 1.0)", (one.id,))
        database.commit()
    assert store.layer_states(one) == states and store.rates(one) == [(1, 0.01)] and store.marks(one) == []


def test_what_belongs_to_a_run_goes_with_it(run):
    store, one = run
    store.add_marks(one, [Mark(1, CONTINUED)])
    store.add_layer_states(one, [LayerState(1, "conv1", 0.1, 2.0, None)])
    store.delete(one)
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        for table in ("marks", "layers"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_training_keeps_its_rates_its_changes_and_where_it_went_on(tmp_path):
    store, data = RunStore(tmp_path / "runs"), open_dataset("synthetic").limit(300, 0)
    config = TrainConfig(epochs=1, batch_size=50, learning_rate=0.01, schedule="cosine")
    session = Job(preset("two-layer"), "synthetic", data, None, config).begin(store)
    rates = []
    for event in session.events():
        if isinstance(event, Progress):
            rates.extend(zip(event.steps.tolist(), event.learning_rates.tolist(), strict=True))
    assert store.rates(session.run) == rates and len({rate for _, rate in rates}) > 1
    session.trainer.extend(1)
    session.trainer.control.change("learning_rate", 0.003)
    changed = [event for event in session.events() if isinstance(event, Changed)]
    ended = len(rates)
    assert changed == [Changed(ended, "learning_rate", 0.003)]
    assert store.marks(session.run) == [(ended, CONTINUED, None), (ended, "learning_rate", 0.003)]
