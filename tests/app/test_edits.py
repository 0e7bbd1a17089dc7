"""What is changed in a network to see what becomes of its answers."""

from __future__ import annotations

import numpy as np

from app.core.edits import NO_EDITS, Edits, owner_of
from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Look, Looker, Question
from app.core.probe import Kind, Probe
from app.core.run_in_view import RunInView
from app.core.state import LabState
from app.core.timeline import Moment
from models.presets import PRESETS
from nncore.data import synthetic
from nncore.explain import ablation
from nncore.explain.ablation import Silent, WeightEdit
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.prediction import Predictor


def test_every_view_of_the_probe_is_of_the_edited_network():
    network = PRESETS["digitlab-mnist"].build()
    view, moment = NetworkInView.of(network, "n", "test"), Moment(3, network.state_dict())
    image, looker = synthetic("test", 1).images[0], Looker()

    def look(edits: Edits) -> Look:
        return looker.look(Question(view, moment, Probe(image, kind=Kind.DATASET), frozenset({LAYERS}), edits=edits))

    edits = Edits((Silent("conv3", 2), WeightEdit("conv1.bias", (0,), 1.5)))
    whole, edited = look(NO_EDITS), look(edits)
    assert edited.question.moment.step == 3 and edited.question.moment.state["conv1.bias"][0] == 1.5
    assert not edited.results[LAYERS]["relu3"][..., 2].any() and whole.results[LAYERS]["relu3"][..., 2].any()
    expected = Predictor(ablation.Edits(frozenset({Silent("conv3", 2)}), (WeightEdit("conv1.bias", (0,), 1.5),)).apply(network))
    assert np.allclose(edited.digit.answer.probabilities, expected.predict(image[None])[0], atol=1e-6)
    assert look(edits).question.moment is edited.question.moment, "nothing has changed"
    again = look(NO_EDITS)
    assert np.array_equal(again.digit.answer.probabilities, whole.digit.answer.probabilities)
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
    weight = WeightEdit("conv1.weight", (0, 1, 0, 2), 0.5)
    edits = Edits().plus(weight).plus(Silent("conv2", 3)).plus(WeightEdit("conv1.weight", (0, 1, 0, 2), -1.25))
    assert str(edits) == "conv2 unit 3 is off, conv1.weight[0, 1, 0, 2] is −1.25"
    assert edits.plus(Silent("conv2", 3)) is edits and str(edits.before) == "conv2 unit 3 is off"


def show(state: LabState, network: Network, name: str = "n") -> RunInView:
    run = RunInView(NetworkInView.of(network, name, "test"))
    state.show_run(run, Moment(1, network.state_dict()))
    return run


def test_edits_stay_from_moment_to_moment_and_go_with_the_run():
    state, network = LabState(), PRESETS["mnist-cnn"].build()
    run = show(state, network)
    for edits in (Edits((Silent("conv2", 3),)), Edits((Silent("conv2", 3), Silent("conv1")))):
        state.edit(edits, "switched off")
    state.show_run(run, Moment(2, network.state_dict()))
    assert state.moment.value.step == 2 and len(state.edits.value.steps) == 2
    assert state.moment.value.state["conv2.weight"][..., 3].any()
    heard = []
    state.edits.subscribe(heard.append, now=False)
    show(state, network, "other")
    assert heard == [NO_EDITS]
    state.acts.undo()
    assert not state.edits.value, "an act on another run changes nothing here"


def test_undo_takes_edits_back_one_by_one():
    state = LabState()
    show(state, PRESETS["mnist-cnn"].build())
    first, second = Edits((Silent("conv1", 0),)), Edits((Silent("conv1", 0), Silent("conv1", 1)))
    state.edit(first, "one")
    state.edit(second, "two")
    state.acts.undo()
    assert state.edits.value == first
    state.acts.redo()
    assert state.edits.value == second
    state.acts.undo()
    state.acts.undo()
    assert not state.edits.value
