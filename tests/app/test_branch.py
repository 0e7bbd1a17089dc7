"""A new run that begins at a moment of another one."""

from __future__ import annotations

import numpy as np
import pytest

from app.cli import main
from app.core.in_view import DataInView
from app.core.repeat import command_of
from app.core.resume import resume
from app.core.runs import RunStore
from app.core.runs.moments import Moments
from app.core.session import Job, TrainingSession
from app.window import Window
from models.presets import preset
from nncore.data import open_dataset, synthetic_street
from nncore.errors import ConfigError, WeightsError
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import Started
from nncore.weights import load_weights
from tests.app.test_run_in_view import every_view_tells, recipe, train


@pytest.fixture
def trained(window, qtbot) -> Window:
    """A window with a run `mlp-1` of 30 steps in view, at the moment in its middle."""
    window.show_panel("train")
    recipe(window, "mlp", 0.02)
    train(window, qtbot)
    timeline = window.lab.state.timeline
    assert len(timeline) > 2 and 0 < timeline[len(timeline) // 2].step < 30
    window.time_bar.slider.setValue(len(timeline) // 2)
    return window


def network_at(store: RunStore, name: str, step: int) -> Network:
    """The network of a run as it was at a step, from the disk."""
    run = store.get(name)
    network, _ = load_weights(store.weights_of(run))
    moment = Moments(store.moments_of(run)).load(step, network)
    assert moment is not None
    network.load_state_dict(moment.state)
    return network


def test_a_branch_begins_with_the_weights_of_the_moment_and_leaves_its_run_alone(trained, make_window, qtbot):
    lab, store = trained.lab, trained.lab.store
    begun_with, step = {name: array.copy() for name, array in lab.state.moment.value.state.items()}, lab.state.moment.value.step
    files = {path: path.read_bytes() for path in store.folder_of(store.get("mlp-1")).rglob("*.safetensors")}
    assert "mlp-1" in trained._actions["branch"].toolTip()
    train(trained, qtbot, "branch")

    run = store.get("mlp-2")
    assert (run.parent, run.parent_step, run.steps, run.status) == ("mlp-1", step, 30, "finished")
    first = network_at(store, "mlp-2", 0).state_dict()
    assert first.keys() == begun_with.keys() and all(np.array_equal(first[name], begun_with[name]) for name in first)
    assert {path: path.read_bytes() for path in store.folder_of(store.get("mlp-1")).rglob("*.safetensors")} == files
    assert store.get("mlp-1").parent is None and store.get("mlp-1").steps == 30
    every_view_tells(trained, qtbot, "mlp-2", lab.state.moment.value.step)

    trained.close()
    again = make_window()
    qtbot.waitUntil(lambda: again.lab.state.run.value is not None and again.lab.state.run.value.name == "mlp-2", timeout=10_000)
    assert again.lab.state.run.value.run.parent == "mlp-1"


def test_no_branch_for_a_recipe_of_another_network(trained):
    action, button = trained._actions["branch"], trained.time_bar._buttons["branch"]
    assert action.isEnabled() and button.isEnabled()
    trained.lab.state.recipe.set(trained.lab.state.recipe.value.with_network("two-layer"))
    assert not action.isEnabled() and not button.isEnabled()
    assert "two-layer" in action.toolTip() and "mlp-1" in action.toolTip() and button.toolTip() == action.toolTip()
    trained.lab.branching.branch()
    assert not trained.lab.training.is_active


def test_a_branch_from_the_network_that_ships(window, qtbot):
    state = window.lab.state
    window.show_panel("train")
    recipe(window, "mnist-cnn", 1e-4, images=60)
    shipped = Predictor(Network.from_config(state.network.value.architecture))
    shipped.network.load_state_dict(state.moment.value.state)
    train(window, qtbot, "branch")
    run = window.lab.store.get("mnist-cnn-1")
    assert run.parent == "mnist-cnn"
    held_out = state.run.value.held_out
    begun = Predictor(network_at(window.lab.store, "mnist-cnn-1", 0)).evaluate(held_out)
    assert np.array_equal(begun.probabilities, shipped.evaluate(held_out).probabilities)


def test_a_branch_whose_first_weights_are_lost_is_not_resumed_with_others(trained, qtbot, capsys):
    train(trained, qtbot, "branch")
    store = trained.lab.store
    run = store.get("mlp-2")
    assert main(["runs", "show", "mlp-2"]) == 0
    assert f"mlp-1 at step {run.parent_step}" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="began with weights of mlp-1"):
        command_of(run)
    store.checkpoint_of(run).unlink()
    with pytest.raises(WeightsError, match="begin a new run from mlp-1"):
        resume(store, "mlp-2")


def test_a_branch_that_is_cut_off_at_once_goes_on_with_its_weights(isolated):
    store, data = RunStore(), open_dataset("synthetic").limit(120, 3)
    config = TrainConfig(epochs=1, batch_size=10, seed=3, validate_every=5)
    weights = preset("two-layer").build(99, data.image_shape).state_dict()

    def begun(name: str) -> TrainingSession:
        return Job(preset("two-layer"), "synthetic", data, None, config, name, 120, weights=weights, parent=("other", 7)).begin(
            store
        )

    for _ in begun("straight").events():
        pass
    happening = begun("cut").events()
    assert isinstance(next(happening), Started)
    checkpoint = store.checkpoint_of(store.get("cut"))
    at_once = checkpoint.read_bytes()
    happening.close()
    checkpoint.write_bytes(at_once)  # what a killed process would have left
    for _ in resume(store, "cut").events():
        pass
    ends = [load_weights(store.weights_of(store.get(name)))[0].state_dict() for name in ("straight", "cut")]
    assert all(np.array_equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert store.metrics(store.get("cut"), "train") == store.metrics(store.get("straight"), "train")


def test_no_branch_where_the_data_has_another_shape(trained):
    trained.lab.state.data.set(DataInView("street", synthetic_street("train", 20), None))
    assert trained.lab.state.recipe.value.network == "mlp", "which takes any images"
    action = trained._actions["branch"]
    assert not action.isEnabled() and "mlp-1 takes 28×28×1, and this data is 32×32×3" in action.toolTip()


def test_the_best_moment(trained):
    lab = trained.lab
    best = lab.state.run.value.history.best_step
    assert best and lab.state.moment.value.step != best
    trained._actions["best"].trigger()
    assert lab.state.moment.value.step == best
