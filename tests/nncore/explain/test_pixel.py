"""One number taken apart: its parts add up to it, and say where in the layer before they stand."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from models.presets import PRESETS
from nncore.errors import ConfigError
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.layers import layer_outputs
from nncore.explain.pixel import Activated, Index, Normalised, Parts, Passed, Pooled, Share, Weighted, explain, explain_joined
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nncore.layers.base import Layer
from nncore.network import Network
from nncore.prediction import Predictor

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_networks import draw

SEED = int(os.environ["DIGITLAB_RANDOM_SEED"])
ROUNDING = 1e-5
"""How far the sum may be from the layer's own, as a share of the largest part where that is above 1."""


def shaken(network: Network, rng: np.random.Generator) -> Network:
    """The network with biases, scales and running statistics that are not those of a new one."""
    for parameter in network.parameters().values():
        parameter.data += rng.normal(0, 0.1, parameter.shape).astype(np.float32)
    for name, buffer in network.buffers().items():
        low = 0.2 if name.endswith("var") else -1
        buffer.data[...] = rng.uniform(low, 1.5, buffer.shape)
    return network


def picture(network: Network, rng: np.random.Generator) -> np.ndarray:
    shape = network.input_shape if len(network.input_shape) == 3 else (1, *network.input_shape, 1)
    return rng.integers(0, 256, shape).astype(np.uint8)


def places(values: np.ndarray, rng: np.random.Generator, count: int = 6) -> list[Index]:
    """Some places of a layer's output: the corners of the first and last channel, and others."""
    corners = {tuple(0 for _ in values.shape), tuple(size - 1 for size in values.shape)}
    return [*corners, *(tuple(int(rng.integers(size)) for size in values.shape) for _ in range(count))]


def holds(found: Parts, done: ForwardPass) -> None:
    """Check a number's parts against the pass."""
    total = float(found.parts.sum()) + (found.bias if isinstance(found, Weighted) else 0.0)
    size = max(1.0, float(np.abs(found.parts).max(initial=0.0)))
    name = f"{done.name(found.place)} {found.index}"
    assert found.output == done.values[found.place][found.index], name
    assert abs(total - found.output) <= ROUNDING * size and abs(found.value - found.output) <= ROUNDING * size, name
    before = done.values[found.place - 1]
    for at in np.ndindex(found.inputs.shape):
        source = found.source(at)
        assert found.inputs[at] == (0 if source is None else before[source]), f"{name}: its input {at}"


@pytest.mark.parametrize("name", PRESETS)
def test_the_parts_add_up_in_every_layer_of_every_preset(name, rng):
    network = shaken(PRESETS[name].build(3), rng)
    done = ForwardPass.of(network, picture(network, rng))
    for place in range(1, len(done.names) + 1):
        for index in places(done.values[place], rng, 2):
            steps = explain_joined(done, place, index)
            for step in steps:
                holds(step, done)
            assert (steps[-1].place, steps[-1].index) == (place, index)
            assert [step.place for step in steps] == list(range(steps[0].place, place + 1))


@pytest.mark.parametrize("seed", range(40))
def test_the_parts_add_up_in_random_networks(seed):
    rng = np.random.default_rng((SEED, seed))
    network = shaken(draw(rng).build(), rng)
    done = ForwardPass.of(network, picture(network, rng))
    for place in range(1, len(done.names) + 1):
        for index in places(done.values[place], rng):
            holds(explain(done, place, index), done)


@pytest.mark.parametrize("more", [{"padding": "same", "dilation": (2, 3)}, {"padding": 1, "groups": 2}, {"groups": 4, "stride": 2}])
def test_every_place_of_a_convolution_that_is_dilated_or_in_groups(more, rng):
    network = shaken(Network([Conv2d(8, (2, 3), **more)], (7, 8, 4)), rng)
    done = ForwardPass.of(network, picture(network, rng))
    for index in np.ndindex(done.values[1].shape):
        holds(explain(done, 1, index), done)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 5), (7, 7), (11, 11)])
@pytest.mark.parametrize(("stride", "padding"), [((1, 1), (0, 0)), ((2, 3), (1, 2)), ((1, 2), (6, 6))])
def test_every_place_of_a_convolution_with_its_padding_and_stride(kernel, stride, padding, rng):
    network = shaken(Network([Conv2d(2, kernel, stride=stride, padding=padding)], (12, 13, 3)), rng)
    done = ForwardPass.of(network, picture(network, rng))
    for index in np.ndindex(done.values[1].shape):
        found = explain(done, 1, index)
        holds(found, done)
        assert isinstance(found, Weighted) and found.inputs.shape == (*kernel, 3)
    corner = explain(done, 1, (0, 0, 0))
    outside = [at for at in np.ndindex(corner.inputs.shape) if corner.source(at) is None]
    rows, columns = (min(size, pad) for size, pad in zip(kernel, padding, strict=True))
    assert len(outside) == 3 * (kernel[0] * kernel[1] - (kernel[0] - rows) * (kernel[1] - columns))


def test_each_kind_says_what_it_did(rng):
    kinds = [Conv2d(4, 3, padding=1), BatchNorm(eps=1e-3), ReLU(), MaxPool2d(3, 2), AvgPool2d(2), Tanh(), Flatten(),
             Dropout(0.5), Linear(5), Sigmoid(), Softmax()]  # fmt: skip
    network = shaken(Network(kinds, (10, 10, 1)), rng)
    done = ForwardPass.of(network, picture(network, rng))
    first = [explain(done, place, tuple(0 for _ in done.values[place].shape)) for place in range(1, 12)]
    expected = [Weighted, Normalised, Activated, Pooled, Pooled, Activated, Passed, Passed, Weighted, Activated, Share]
    assert [type(found) for found in first] == expected
    norm, largest, mean, share = first[1], first[3], first[4], first[10]
    assert norm.value == pytest.approx(norm.scale * norm.normal + norm.shift) and norm.eps == 1e-3
    assert largest.inputs[largest.winner] == largest.inputs.max() and mean.winner is None
    assert mean.value == pytest.approx(mean.inputs.mean())
    assert share.value == pytest.approx(share.powers[0] / share.powers.sum()) and share.powers.max() == 1
    joined = explain_joined(done, 10, (3,))
    assert [type(step) for step in joined] == [Weighted, Activated], "not beyond what looks at several numbers"
    through = explain_joined(done, 8, (5,))
    assert [type(step) for step in through] == [Pooled, Activated, Passed, Passed]
    assert through[0].index == np.unravel_index(5, done.values[6].shape)


def test_a_layer_without_a_bias_adds_none(rng):
    network = Network([Conv2d(2, 3, bias=False), Flatten(), Linear(3, bias=False)], (5, 5, 1))
    done = ForwardPass.of(network, picture(network, rng))
    for place, index in ((1, (2, 1, 1)), (3, (2,))):
        found = explain(done, place, index)
        holds(found, done)
        assert isinstance(found, Weighted) and not found.has_bias and found.bias == 0


def test_what_activations_make_of_a_number_below_zero():
    image = np.zeros((2, 2, 1), np.uint8)
    layers = [BatchNorm(), LeakyReLU(0.5), GELU(), SiLU()]
    network = Network(layers, (2, 2, 1))
    network.parameters()["norm1.bias"].data[...] = -2
    done = ForwardPass.of(network, image)
    found = [explain(done, place, (0, 0, 0)).value for place in (2, 3, 4)]
    assert found == pytest.approx([-1, -0.15865525, -0.15865525 / (1 + math.exp(0.15865525))])


def test_of_equal_numbers_in_a_window_the_first_wins():
    done = ForwardPass.of(Network([MaxPool2d(2)], (4, 4, 1)), np.full((4, 4, 1), 7, np.uint8))
    assert explain(done, 1, (1, 1, 0)).winner == (0, 0)


def test_a_pass_of_known_outputs_is_that_of_the_network(rng):
    network = shaken(PRESETS["digitlab-mnist"].build(), rng)
    image = picture(network, rng)
    outputs = layer_outputs(Predictor(network), image)
    known = ForwardPass.of_outputs(network.layers, network.input_shape, network.state_dict(), image, outputs)
    done = ForwardPass.of(network, image)
    assert known.names == done.names and all(np.array_equal(*pair) for pair in zip(known.values, done.values, strict=True))
    assert explain(known, 4, (2, 3, 1)).value == explain(done, 4, (2, 3, 1)).value
    assert known.place("norm1") == 6 and known.name(6) == "norm1" and known.place("input") == 0 and known.name(0) == "input"


def test_explaining_leaves_the_network_as_it_was(rng):
    network = shaken(PRESETS["fully-connected"].build(), rng).train()
    before, calls = network.state_dict(), network.random_state()
    explain(ForwardPass.of(network, picture(network, rng)), 2, (4,))
    assert all(np.array_equal(values, before[name]) for name, values in network.state_dict().items())
    assert network.random_state() == calls and all(layer.training for layer in network.layers)


class Doubled(Layer):
    """A layer of somebody else's."""

    def forward(self, x):
        return 2 * x


def test_what_cannot_be_explained_is_said(rng):
    network = Network([Doubled(), Flatten()], (3, 3, 1))
    done = ForwardPass.of(network, picture(network, rng))
    with pytest.raises(ConfigError, match="Doubled"):
        explain(done, 1, (0, 0, 0))
    for index in ((9,), (-1,), (0, 0)):
        with pytest.raises(IndexError, match="flatten1"):
            explain(done, 2, index)
