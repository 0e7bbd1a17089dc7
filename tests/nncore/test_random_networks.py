"""Random settings give a ConfigError or a network that works: shapes, empty batches, copies and descriptions included."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from nncore.errors import ConfigError, DigitLabError
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    layer_from_config,
)
from nncore.network import Network, total_cost

PLAIN = st.one_of(
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.lists(st.integers(-1, 4), max_size=3),
)
ANYTHING = st.one_of(PLAIN, st.builds(np.int64, st.integers(-2, 9)), st.builds(np.float32, st.floats(-1, 2, width=32)))
KEYS = ["input_shape", "layers", "seed", "type", "out_features", "p", "x"]
SIZE = st.integers(1, 4)
SIZES = st.one_of(SIZE, st.tuples(SIZE, SIZE))
SHARE = st.floats(0, 1)


def conv(**settings: Any) -> Layer:
    return Conv2d(settings.pop("out_channels"), settings.pop("kernel_size"), **settings)


GOOD: dict[Callable[..., Layer], dict[str, st.SearchStrategy[Any]]] = {
    conv: {
        "out_channels": SIZE,
        "kernel_size": SIZES,
        "stride": SIZES,
        "padding": st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3))),
        "dilation": SIZES,
        "groups": st.just(1),
        "bias": st.booleans(),
        "initializer": st.one_of(st.sampled_from(["he_normal", "he_uniform", "xavier_normal", "xavier_uniform"]), SHARE),
        "weight_decay": SHARE,
    },
    MaxPool2d: {"kernel_size": SIZES, "stride": st.one_of(st.none(), SIZES), "padding": st.integers(0, 1)},
    AvgPool2d: {"kernel_size": SIZES, "stride": st.one_of(st.none(), SIZES), "padding": st.integers(0, 1)},
    Linear: {"out_features": SIZE, "bias": st.booleans(), "initializer": SHARE, "weight_decay": SHARE},
    BatchNorm: {"momentum": SHARE, "eps": st.floats(1e-8, 1)},
    Dropout: {"p": st.floats(0, 0.99)},
    LeakyReLU: {"negative_slope": SHARE},
    GELU: {"approximate": st.sampled_from(["none", "tanh"])},
    **{kind: {} for kind in (GlobalAvgPool2d, ReLU, SiLU, Sigmoid, Tanh, Softmax, Flatten)},
}
SHAPES = st.one_of(st.tuples(SIZE), st.tuples(SIZE, SIZE, SIZE), st.tuples(st.integers(5, 9), st.integers(5, 9), st.integers(1, 3)))


@st.composite
def layers(draw: st.DrawFn) -> list[Layer]:
    kinds = draw(st.lists(st.sampled_from(list(GOOD)), min_size=1, max_size=6))
    return [kind(**{name: draw(values) for name, values in GOOD[kind].items()}) for kind in kinds]


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from([kind for kind in GOOD if GOOD[kind]]), data=st.data())
def test_a_wild_setting_is_refused_or_taken_as_plain_python(kind: Callable[..., Layer], data: st.DataObject) -> None:
    chosen = {name: data.draw(values) for name, values in GOOD[kind].items()}
    wild = data.draw(st.sampled_from(sorted(chosen)))
    try:
        layer = kind(**(chosen | {wild: data.draw(ANYTHING)}))
    except ConfigError as error:
        assert str(error).isprintable() and len(str(error)) < 300
        return
    config = layer.config()
    assert layer_from_config(json.loads(json.dumps(config, allow_nan=False))).config() == config


@settings(max_examples=200, deadline=None)
@given(layers=layers(), shape=SHAPES, seed=st.integers(0, 2**64 - 1), training=st.booleans())
def test_layers_that_fit_together_work(layers: list[Layer], shape: tuple[int, ...], seed: int, training: bool) -> None:
    try:
        expected = total_cost(layers, shape)
    except ConfigError as error:
        event("refused")
        assert str(error).isprintable()
        return
    event("works")
    network = Network(layers, shape, seed).train(training)
    assert network.parameter_count == expected.parameters == sum(line.parameters for line in network.summary())
    assert Network.from_config(json.loads(json.dumps(network.config()))).config() == network.config()
    for count in (3, 1, 0):
        x = np.random.default_rng(count).random((count, *shape), np.float32)
        values = [count * math.prod(layer.input_shape[:-1]) for layer in layers if isinstance(layer, BatchNorm)]
        try:
            outputs = network.activations(x)
        except DigitLabError:
            assert training and min(values) < 2, "batch norm alone refuses a batch that fits, where it has no variance"
            continue
        assert [values.shape for _, values in outputs] == [(count, *layer.output_shape) for layer in layers]
        y = outputs[-1][1]
        assert np.isfinite(y).all()
        grad = network.backward(np.ones_like(y))
        assert grad.shape == x.shape and np.isfinite(grad).all()
        assert all(parameter.grad.shape == parameter.shape for parameter in network.parameters().values())
    twin = network.copy()
    assert all(np.array_equal(value, twin.state_dict()[name]) for name, value in network.state_dict().items())


@settings(max_examples=100, deadline=None)
@given(
    config=st.recursive(
        PLAIN,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
            st.fixed_dictionaries({"type": st.sampled_from(["Linear", "Conv2d", "Dropout", "ReLU"])}),
            st.fixed_dictionaries({"input_shape": st.just([3]), "layers": st.lists(inner, max_size=3), "seed": inner}),
        ),
        max_leaves=12,
    )
)
def test_any_description_gives_a_network_or_a_config_error(config: Any) -> None:
    try:
        network = Network.from_config(config)
    except ConfigError as error:
        assert str(error).isprintable() and len(str(error)) < 400
        return
    assert network.forward(np.zeros((1, *network.input_shape), np.float32)).shape == (1, *network.output_shape)
