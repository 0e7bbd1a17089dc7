"""What is changed in a network to see what becomes of its answers."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from app.core.edits import Edits, NewWeight, Off, owner_of
from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Looker, Question
from app.core.probe import Kind, Probe
from app.core.run_in_view import RunInView
from app.core.state import LabState
from app.core.timeline import Moment
from models.presets import PRESETS
from nncore.data import synthetic
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sigmoid, Tanh
from nncore.network import Network


def shaken(network: Network, rng: np.random.Generator) -> Network:
    """The network with other numbers everywhere, also where training begins with zeros or ones."""
    state = {name: (value + rng.uniform(0.05, 0.5, value.shape)).astype(np.float32) for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    return network


def outputs(network: Network, edits: Edits, image: np.ndarray) -> dict[str, np.ndarray]:
    """The output of each layer with the edits."""
    view = NetworkInView.of(network, "n", "test")
    moment = edits.applied(view.summary, Moment(1, network.state_dict()))
    return Looker().look(Question(view, moment, Probe(image, kind=Kind.DATASET), frozenset({LAYERS}))).results[LAYERS]


BEHIND = {
    "relu": (ReLU(), MaxPool2d(2)),
    "norm behind a pool": (ReLU(), MaxPool2d(2), BatchNorm()),
    "norm and tanh": (BatchNorm(), Tanh()),
    "sigmoid": (Sigmoid(),),
    "norm and sigmoid": (BatchNorm(), Sigmoid(), MaxPool2d(2)),
    "flat sigmoid": (Flatten(), Sigmoid()),
    "flat norm": (ReLU(), Flatten(), BatchNorm()),
}


@pytest.mark.parametrize("behind", BEHIND)
def test_nothing_of_a_unit_that_is_off_reaches_the_next_weights(behind, rng):
    layers = [Conv2d(4, 3), *copy.deepcopy(BEHIND[behind])]
    if not any(isinstance(layer, Flatten) for layer in layers):
        layers.append(Flatten())
    network = shaken(Network([*layers, Linear(10)], (28, 28, 1)), rng)
    image = synthetic("test", 1).images[0]
    whole, off = outputs(network, Edits(), image), outputs(network, Edits((Off("conv1", 2),)), image)
    last = network.layers[-2].name
    by_channel = off[last].reshape(-1, 4)
    assert not by_channel[:, 2].any() and whole[last].reshape(-1, 4)[:, 2].any()
    assert np.array_equal(np.delete(by_channel, 2, axis=1), np.delete(whole[last].reshape(-1, 4), 2, axis=1))


@pytest.mark.parametrize("name", PRESETS)
def test_a_layer_of_any_preset_can_be_off(name, rng):
    network = shaken(PRESETS[name].build(), rng)
    view = NetworkInView.of(network, name, "test")
    weighted = [line.name for line in view.summary if line.kind in ("conv", "linear")]
    moment = Moment(1, network.state_dict())
    for layer in weighted:
        edited = Edits((Off(layer),)).applied(view.summary, moment).state
        assert not edited[f"{layer}.weight"].any() and not edited[f"{layer}.bias"].any()
        others = {other for other in weighted if other != layer}
        assert all(edited[f"{other}.weight"] is moment.state[f"{other}.weight"] for other in others)
    assert moment.state.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert np.array_equal(moment.state[name], value), "the moment itself stays as it was"


def test_a_unit_belongs_to_the_layer_whose_weights_make_it():
    network = Network(
        [Conv2d(3, 3), BatchNorm(), ReLU(), MaxPool2d(2), Flatten(), ReLU(), Linear(7), ReLU(), Linear(10)], (28, 28, 1)
    )
    summary = tuple(network.summary())
    assert owner_of(summary, "pool1", 2) == ("conv1", 2) == owner_of(summary, "conv1", 2)
    assert owner_of(summary, "relu2", 3 * 5 + 1) == ("conv1", 1)
    assert owner_of(summary, "relu3", 6) == ("linear1", 6)
    assert owner_of(summary, "input", 0) is None


def test_another_value_of_a_weight_replaces_the_one_before():
    weight = NewWeight("conv1.weight", (0, 1, 0, 2), 0.5)
    edits = Edits().plus(weight).plus(Off("conv2", 3)).plus(NewWeight("conv1.weight", (0, 1, 0, 2), -1.25))
    assert str(edits) == "conv2 unit 3 is off, conv1.weight[0, 1, 0, 2] is −1.25"
    assert edits.plus(Off("conv2", 3)) is edits and str(edits.before) == "conv2 unit 3 is off"


def show(state: LabState, network: Network, name: str = "n") -> RunInView:
    run = RunInView(NetworkInView.of(network, name, "test"))
    state.show_run(run, Moment(1, network.state_dict()))
    return run


def test_edits_stay_from_moment_to_moment_and_go_with_the_run():
    state, network = LabState(), PRESETS["mnist-cnn"].build()
    run = show(state, network)
    for edits in (Edits((Off("conv2", 3),)), Edits((Off("conv2", 3), Off("conv1")))):
        state.edit(edits, "switched off")
    state.show_run(run, Moment(2, network.state_dict()))
    found = state.edited_moment
    assert found.step == 2 and not found.state["conv2.weight"][..., 3].any() and found is state.edited_moment
    assert state.moment.value.state["conv2.weight"][..., 3].any()
    heard = []
    state.edits.subscribe(heard.append, now=False)
    show(state, network, "other")
    assert heard == [Edits()] and state.edited_moment is state.moment.value
    state.acts.undo()
    assert not state.edits.value, "an act on another run changes nothing here"


def test_undo_takes_edits_back_one_by_one():
    state = LabState()
    show(state, PRESETS["mnist-cnn"].build())
    first, second = Edits((Off("conv1", 0),)), Edits((Off("conv1", 0), Off("conv1", 1)))
    state.edit(first, "one")
    state.edit(second, "two")
    state.acts.undo()
    assert state.edits.value == first
    state.acts.redo()
    assert state.edits.value == second
    state.acts.undo()
    state.acts.undo()
    assert not state.edits.value
