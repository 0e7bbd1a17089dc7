"""A network as an object: what it takes and gives back, what it refuses, and what its copies share."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from nncore.errors import ConfigError, DataError, WeightsError
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Sigmoid, Softmax, Tanh
from nncore.losses import CrossEntropyLoss, HingeLoss, ProbabilityCrossEntropyLoss
from nncore.network import Network


def layers() -> list[Layer]:
    return [
        *(Conv2d(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), Sigmoid(), AvgPool2d(2), Dropout(0.3)),
        *(Flatten(), Tanh(), Linear(5), Softmax()),
    ]


def network(seed: int = 7) -> Network:
    return Network(layers(), (8, 8, 1), seed)


def batch(count: int, shape: tuple[int, ...] = (8, 8, 1)) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "kind", "words"),
    [
        (np.zeros((2, 8, 8), np.float32), ConfigError, ["conv1", "conv 4 · 3×3", "8×8×1", "(2, 8, 8)"]),
        (np.zeros((2, 8, 9, 1), np.float32), ConfigError, ["conv1", "(2, 8, 9, 1)"]),
        (np.zeros((2, 64), np.float32), ConfigError, ["conv1", "(2, 64)"]),
        (np.zeros((8, 8, 1), np.float32), ConfigError, ["conv1", "(8, 8, 1)"]),
        (np.float32(1), DataError, ["conv1"]),
        (np.zeros((), np.float32), DataError, ["conv1", "single number"]),
        ([[[[0.0] * 8] * 8]], DataError, ["conv1", "array of float32"]),
        (None, DataError, ["conv1", "None"]),
        (np.zeros((2, 8, 8, 1), np.uint8), DataError, ["conv1", "uint8", "255"]),
        (np.zeros((2, 8, 8, 1), np.int64), DataError, ["conv1", "int64"]),
        (np.zeros((2, 8, 8, 1), complex), DataError, ["conv1", "complex128"]),
        (np.zeros((2, 8, 8, 1), np.float16), DataError, ["conv1", "float16"]),
        (np.zeros((2, 8, 8, 1), bool), DataError, ["conv1", "bool"]),
        (np.zeros((2, 8, 8, 1), object), DataError, ["conv1", "object"]),
    ],
)
def test_an_input_that_does_not_fit_is_refused_in_words(x, kind, words):
    for call in (network().forward, network().activations, network()):
        with pytest.raises(kind) as caught:
            call(x)
        assert all(word in str(caught.value) for word in words), caught.value


def test_float64_goes_through_in_float64():
    assert network().forward(batch(2).astype(np.float64)).dtype == np.float64


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("make", "shape"), [(layers, (8, 8, 1)), (lambda: [Linear(3), ReLU(), Linear(2)], (6,)), (lambda: [Flatten()], (2, 3, 4))]
)
def test_an_empty_batch(make, shape, training):
    made = [layer for layer in make() if not (training and isinstance(layer, BatchNorm))]
    empty = Network(made, shape).train(training)
    y = empty.forward(np.zeros((0, *shape), np.float32))
    assert y.shape == (0, *empty.output_shape)
    assert empty.backward(np.zeros_like(y)).shape == (0, *shape)
    assert all(parameter.grad.shape == parameter.shape and not parameter.grad.any() for parameter in empty.parameters().values())


def test_batch_norm_cannot_train_on_an_empty_batch():
    with pytest.raises(DataError, match="norm1 needs at least two values a channel to train on, but got 0"):
        network().train().forward(batch(0))


@pytest.mark.parametrize("loss", [CrossEntropyLoss(), ProbabilityCrossEntropyLoss(), HingeLoss()], ids=lambda x: type(x).__name__)
def test_the_loss_of_an_empty_batch_is_zero(loss):
    assert loss(np.zeros((0, 4), np.float32), np.zeros(0, int)) == 0
    assert loss.backward().shape == (0, 4)


def test_there_is_no_way_back_without_a_way_there():
    fresh, grad = network(), np.zeros((2, 5), np.float32)
    for trial in (fresh, fresh.copy()):
        with pytest.raises(ConfigError, match="forward before backward"):
            trial.backward(grad)
    fresh.forward(batch(2))
    with pytest.raises(ConfigError, match=r"\(3, 5\).*softmax1.*\(2, 5\)"):
        fresh.backward(np.zeros((3, 5), np.float32))
    for wrong in ([[0.0] * 5] * 2, np.zeros((2, 5), int)):
        with pytest.raises(DataError, match="gradient"):
            fresh.backward(wrong)
    assert fresh.backward(grad).shape == (2, 8, 8, 1)
    with pytest.raises(ConfigError):
        fresh.forward(batch(2)[:, :7])


def test_memory_that_runs_out_is_told_in_words(monkeypatch):
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(Linear, "forward", no_memory)
    with pytest.raises(ConfigError, match="not enough memory for linear1 and 2 examples; take fewer"):
        network().forward(batch(2))
    monkeypatch.setattr(Linear, "_build", no_memory)
    with pytest.raises(ConfigError, match="not enough memory for linear1"):
        network()


def test_train_and_eval_return_the_network():
    made = network()
    assert made.train() is made and all(layer.training for layer in made.layers)
    assert made.eval() is made and not any(layer.training for layer in made.layers)
    assert made.train(False) is made


def test_classes():
    assert network().classes == 5
    with pytest.raises(ConfigError, match="ends in 8×8×4"):
        _ = Network([Conv2d(4, 3, padding=1)], (8, 8, 1)).classes


@pytest.mark.parametrize("loss", [CrossEntropyLoss(), ProbabilityCrossEntropyLoss(), HingeLoss()], ids=lambda x: type(x).__name__)
def test_losses_refuse_what_is_no_row_of_scores(loss):
    image = Network([Conv2d(4, 3, padding=1)], (8, 8, 1)).forward(batch(2))
    labels = np.zeros(2, int)
    for scores in (image, np.zeros(2), np.zeros((2, 0)), np.zeros((2, 3, 1))):
        with pytest.raises(DataError, match=r"\(N, classes\)"):
            loss(scores, labels)
    for scores in ([[0.1, 0.9]] * 2, np.zeros((2, 3), int), np.zeros((2, 3), complex)):
        with pytest.raises(DataError, match="floats"):
            loss(scores, labels)
    with pytest.raises(DataError, match="array of 2 whole numbers"):
        loss(np.full((2, 3), 0.1), [0, 1])
    with pytest.raises(ConfigError, match="forward before backward"):
        type(loss)().backward()


# A layer belongs to one network.


def test_one_layer_twice_in_a_network_is_refused():
    relu = ReLU()
    with pytest.raises(ConfigError, match="Layers 2 and 4 of the network are one ReLU object"):
        Network([Linear(4), relu, Linear(4), relu], (4,))
    assert Network([Linear(4), relu, Linear(4)], (4,)).output_shape == (4,), "a network that was refused has taken no layer"


def test_one_layer_in_two_networks_is_refused():
    linear = Linear(4)
    first = Network([linear], (4,))
    before = linear.weight
    with pytest.raises(ConfigError, match=r"Layer 2 .*belongs to a network already, as linear1"):
        Network([ReLU(), linear], (4,))
    assert linear.weight is before and linear.name == "linear1"
    for part in (first.in_use().layers, copy.deepcopy(first).layers, pickle.loads(pickle.dumps(first)).layers, first.copy().layers):  # noqa: S301
        with pytest.raises(ConfigError, match="already"):
            Network(part, (4,))


def test_a_copy_of_a_layer_is_another_layer():
    linear = Linear(4)
    first = Network([linear], (4,), seed=1)
    for clone in (copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))):  # noqa: S301
        second = Network([clone(linear)], (4,), seed=2)
        assert second.layers[0].weight is not linear.weight and not np.array_equal(second.layers[0].weight.data, linear.weight.data)
    assert np.array_equal(first.layers[0].weight.data, Network([Linear(4)], (4,), seed=1).layers[0].weight.data)


@pytest.mark.parametrize("what", [["relu"], [ReLU], [None], ReLU(), 5, []])
def test_what_is_no_list_of_layers_is_refused(what):
    with pytest.raises(ConfigError):
        Network(what, (4,))


@pytest.mark.parametrize("make", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made)), Network.copy])  # noqa: S301
def test_a_deep_copy_is_independent(make):
    original = network().train()
    original.forward(batch(4))
    state = original.state_dict()
    twin = make(original)
    assert twin.random_state() == original.random_state() == {"dropout1": 1}
    assert all(layer.training for layer in twin.layers)
    np.testing.assert_array_equal(original.forward(batch(6)), twin.forward(batch(6)))
    twin.backward(np.ones((6, 5), np.float32))
    for parameter in twin.parameters().values():
        parameter.data -= parameter.grad + 1
    original.load_state_dict(state)
    assert all(not np.array_equal(value, twin.state_dict()[name]) for name, value in state.items() if "weight" in name)


def test_a_copy_drops_and_decays_what_the_original_would():
    original = network().train()
    original.parameters()["linear1.weight"].weight_decay = 0.25
    twin = original.copy()
    for _ in range(3):
        np.testing.assert_array_equal(original.forward(batch(4)), twin.forward(batch(4)))
        twin = twin.copy()
    assert twin.parameters()["linear1.weight"].weight_decay == 0.25


def test_a_shallow_copy_shares_the_parameters_and_nothing_else():
    original = network().train()
    original.forward(batch(4))
    grad = np.ones((4, 5), np.float32)
    expected = original.backward(grad)
    twin = copy.copy(original)
    assert twin.parameters() == original.parameters()
    twin.eval().forward(batch(9))
    np.testing.assert_array_equal(original.backward(grad), expected)
    assert all(layer.training for layer in original.layers)


# Values that are loaded.

BAD_VALUES = {
    "too large for float32": ("conv1.weight", lambda value: np.full(value.shape, 1e300)),
    "infinite": ("conv1.weight", lambda value: np.full(value.shape, -np.inf, np.float32)),
    "not numbers": ("norm1.bias", lambda value: np.full(value.shape, np.nan, np.float32)),
    "complex": ("linear1.weight", lambda value: value.astype(complex)),
    "truth values": ("linear1.bias", lambda value: np.ones(value.shape, bool)),
    "text": ("linear1.bias", lambda value: np.full(value.shape, "1")),
    "objects": ("linear1.bias", lambda value: np.full(value.shape, None, object)),
    "negative variance": ("norm1.running_var", lambda value: np.full(value.shape, -0.5, np.float32)),
    "a list": ("linear1.bias", lambda value: value.tolist()),
    "nothing": ("linear1.bias", lambda value: None),
    "another shape": ("linear1.bias", lambda value: value[:, None]),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_values_that_make_no_sense_are_refused_and_nothing_is_changed(case):
    name, spoil = BAD_VALUES[case]
    made = network(1)
    before, other = made.state_dict(), network(2).state_dict()
    with pytest.raises(WeightsError, match=name):
        made.load_state_dict(other | {name: spoil(other[name])})
    assert all(value.tobytes() == before[key].tobytes() for key, value in made.state_dict().items())


def test_values_of_other_real_kinds_are_taken():
    made = network()
    state = {name: value.astype(np.float64) for name, value in made.state_dict().items()}
    made.load_state_dict(state | {"linear1.bias": np.arange(5)})
    assert made.state_dict()["linear1.bias"].tolist() == [0, 1, 2, 3, 4] and made.state_dict()["linear1.bias"].dtype == np.float32


@pytest.mark.parametrize("state", [None, [1], {"dropout1": -1}, {"dropout1": 1.5}, {"dropout1": float("inf")}, {"dropout1": "2"}])
def test_a_random_state_that_is_none(state):
    made = network()
    with pytest.raises(WeightsError):
        made.load_random_state(state)
    assert made.random_state() == {"dropout1": 0}


def test_a_summary_tells_kind_and_cost():
    lines = Network([Conv2d(4, (3, 2), stride=2, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(5)], (8, 8, 3)).summary()
    assert [line.kind for line in lines] == ["conv", "relu", "pool", "flatten", "linear"]
    assert [line.parameters for line in lines] == [3 * 2 * 3 * 4 + 4, 0, 0, 0, 2 * 2 * 4 * 5 + 5]
    assert lines[0].output_shape == (4, 5, 4) and lines[0].multiply_adds == 4 * 5 * 4 * 3 * 2 * 3
    assert lines[0].values == 10 * 10 * 3 + 4 * 5 * (3 * 2 * 3 + 4)
    assert [(line.values, line.multiply_adds) for line in lines[1:]] == [(80, 80), (16, 64), (0, 0), (5, 80)]
