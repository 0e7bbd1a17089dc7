"""The states of layers that a training tells of are in the table of runs, wherever it was broken off."""

from __future__ import annotations

import pytest

from app.core.resume import resume
from app.core.runs import RunStore
from app.core.runs.marks import LayerState
from app.core.session import Job, TrainingSession
from models.presets import preset
from nncore.data import open_dataset
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Event, Examined, Progress, Validated

CONFIG = TrainConfig(epochs=2, batch_size=50, validate_every=3)


def begun(store: RunStore, name: str) -> TrainingSession:
    data = open_dataset("synthetic").limit(300, 0)
    return Job(preset("two-layer"), "synthetic", data, None, CONFIG, name, image_limit=300).begin(store)


def states(store: RunStore, name: str) -> list[LayerState]:
    return store.layer_states(store.get(name))


def looks(store: RunStore, name: str) -> list[tuple[int, float, float]]:
    return store.metrics(store.get(name), "validation")


@pytest.mark.parametrize("kind", [Progress, Examined, Validated, EpochEnd])
def test_a_training_that_is_left_and_resumed_has_the_states_and_looks_of_one_that_was_not(tmp_path, monkeypatch, kind):
    """It is left at the first event of a kind whose step has a look; the look may still be to come."""
    monkeypatch.setattr("nncore.training.meters.STRETCH_SECONDS", 0)
    store = RunStore(tmp_path / "runs")
    seen: list[Event] = list(begun(store, "straight").events())
    told = [(event.step, health.layer) for event in seen if isinstance(event, Examined) for health in event.layers]
    assert [(state.step, state.layer) for state in states(store, "straight")] == told and len(told) > 6
    happening = begun(store, "left").events()
    for event in happening:
        if isinstance(event, kind) and event.step in (3, 5):
            happening.close()
    list(resume(store, "left").events())
    assert states(store, "left") == states(store, "straight") and looks(store, "left") == looks(store, "straight")
