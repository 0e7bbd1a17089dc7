"""Switched off: the answer is that of a network in which the unit gives 0 to whatever reads it."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.data import Dataset
from nncore.errors import ConfigError
from nncore.explain.ablation import Edits, changes, evaluate_in_parts
from nncore.explain.networks import as_batch
from nncore.layers import Conv2d, Linear
from nncore.network import Network
from nncore.prediction import Predictor
from tests.nncore.explain.cases import NETWORKS, image_for, network_of


def with_zeros(network: Network, images: Array, at: int, unit: int | None) -> Array:
    """The scores with the unit's output set to 0 in front of the next weights behind layer `at`."""
    x, channels = as_batch(network, images), network.layers[at].output_shape[-1]
    following = [n for n, layer in enumerate(network.layers) if n > at and isinstance(layer, (Conv2d, Linear))]
    for n, layer in enumerate(network.in_use().layers):
        if following and n == following[0]:
            x = x.copy()
            x.reshape(-1, channels)[:, slice(None) if unit is None else unit] = 0
        x = layer.forward(x)
    return x


@pytest.mark.parametrize("unit", [2, None])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_rest_answers_as_if_the_output_were_zero(name: str, unit: int | None) -> None:
    network = network_of(name)
    images = np.stack([image_for(network, seed) for seed in range(3)])
    state = network.state_dict()
    with_weights = [n for n, layer in enumerate(network.layers) if isinstance(layer, (Conv2d, Linear))]
    for at in with_weights[:-1]:
        edited = Edits().silencing(network.layers[at].name, unit).apply(network)
        expected = with_zeros(network, images, at, unit)
        np.testing.assert_allclose(edited.forward(as_batch(edited, images)), expected, rtol=1e-4, atol=1e-5)
        assert not np.allclose(expected, network.in_use().forward(as_batch(network, images)), rtol=1e-4, atol=1e-5) or unit == 2
    last = network.layers[with_weights[-1]].name
    silent = Predictor(Edits().silencing(last, unit).apply(network)).look(images)[1][last]
    assert not silent[:, slice(None) if unit is None else unit].any()
    assert all(np.array_equal(value, state[name]) for name, value in network.state_dict().items())


def test_a_silent_channel_shows_zeros_in_all_its_maps() -> None:
    network = network_of("digitlab-mnist")
    edits = Edits().silencing("relu3", 5)
    assert edits == Edits().silencing("relu3", 5) != Edits().silencing("conv3", 5)
    _, outputs = Predictor(edits.apply(network)).look(image_for(network)[None])
    assert not any(outputs[name][..., 5].any() for name in ("conv3", "norm2", "relu3"))
    assert outputs["relu3"][..., 4].any() and not edits.restoring("relu3", 5)


def test_a_weight_is_set_and_the_last_edit_of_it_counts() -> None:
    network = network_of("mnist-cnn")
    edits = Edits().setting("conv1.weight", (0, 1, 0, 3), 5.0).setting("conv1.bias", (2,), -1.0)
    state = edits.setting("conv1.weight", (0, 1, 0, 3), 7.0).apply(network).state_dict()
    assert state["conv1.weight"][0, 1, 0, 3] == 7 and state["conv1.bias"][2] == -1
    changed = sum(int((value != network.state_dict()[name]).sum()) for name, value in state.items())
    assert changed == 2
    assert not edits.silencing("conv1", 3).apply(network).state_dict()["conv1.weight"][..., 3].any()


def test_accuracy_and_confusion_grow_to_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nncore.explain.ablation.AT_ONCE", 7)
    network, rng = network_of("kaggle-cnn"), np.random.default_rng(0)
    data = Dataset(rng.integers(0, 256, (20, 28, 28, 1), dtype=np.uint8), rng.integers(0, 10, 20), "noise")
    before = Predictor(network).evaluate(data)
    edited = Predictor(Edits().silencing("linear1").apply(network))
    steps = list(evaluate_in_parts(edited, data))
    assert [step.done for step in steps] == [7, 14, 20] and {step.total for step in steps} == {20}
    found, expected = steps[-1].result, edited.evaluate(data)
    assert found is not None and found.loss == pytest.approx(expected.loss, rel=1e-5)
    assert np.array_equal(found.confusion, expected.confusion) and found.accuracy == expected.accuracy
    told = changes(before, found)
    assert len(told["gained"]) - len(told["lost"]) == round(20 * (found.accuracy - before.accuracy))


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        (Edits().silencing("conv9"), "no layer 'conv9'; it has conv1"),
        (Edits().silencing("conv1", 8), "from 0 to 7, not 8"),
        (Edits().silencing("flatten1", 0), "Units of flatten1 cannot"),
        (Edits().setting("conv1.scale", (0,), 1.0), "no 'conv1.scale'; it has conv1.weight"),
        (Edits().setting("conv1.bias", (8,), 1.0), "no weight at"),
        (Edits().setting("conv1.bias", (0, 0), 1.0), "no weight at"),
        (Edits().setting("conv1.bias", (0,), float("nan")), "not nan"),
    ],
)
def test_what_there_is_not_cannot_be_edited(edits: Edits, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        edits.apply(network_of("kaggle-cnn"))
