"""Kernels that visit each value once, and pools, each by itself on the host device, against the layers' own functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernel import Images, blank, run, threads, values

from nncore.arrays import Array
from nncore.layers import AvgPool2d, MaxPool2d
from nncore.layers.activations import (
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax_backward,
    tanh,
    tanh_backward,
)
from nncore.layers.dropout import kept
from nncore.losses import softmax

CLOSE = 2e-6
"""Largest difference where a device may round otherwise than NumPy; results are about 1."""
SHAPES = ((3, 5, 7, 3), (2, 1, 1, 1), (1, 2, 3, 5), (0, 3, 2, 2))
"""Images, rows, columns, channels: odd ones, single values, no images."""
LAYOUTS = ((0, 0), (1, 2), (2, 0))
"""Padding above and below, left and right."""
ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e-30, 100.0, -100.0, 3e38, -3e38], np.float32).reshape(1, 1, 11, 1)
"""Values that comparisons and exponentials find hard."""
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "relu": (relu, relu_backward),
    "sigmoid": (sigmoid, sigmoid_backward),
    "tanh": (tanh, tanh_backward),
    "softmax": (softmax, softmax_backward),
}


def drawn(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def activate(name: str, shape: tuple[int, ...], **images: Images) -> None:
    """Run an activation's kernel, or that of its way back, on these images."""
    count, rows, cols, C = shape
    sizes = {"rows": rows, "cols": cols, "C": C} if name.startswith("softmax") else {"rows": rows, "width": cols * C}
    arguments: dict[str, Any] = {"count": count} | sizes
    for letter, image in images.items():
        arguments |= image.at(letter)
    run(name, threads(count * rows * cols * (1 if name.startswith("softmax") else C)), arguments)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation(name: str, shape: tuple[int, ...]) -> None:
    function, gradient = ACTIVATIONS[name]
    given, grads = 3 * drawn(shape), drawn(shape, 1)
    made = function(given)
    for inner, outer in itertools.permutations(LAYOUTS, 2):
        x, y, gx = Images(given, inner), blank(shape, outer), blank(shape, inner)
        activate(name, shape, x=x, y=y)
        y.check(made, CLOSE)
        x.check(given)
        activate(f"{name}_back", shape, y=Images(made, outer), g=(g := Images(grads, outer)), gx=gx)
        gx.check(gradient(made, grads), CLOSE)
        g.check(grads)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_in_place(name: str) -> None:
    function, gradient = ACTIVATIONS[name]
    shape = 2, 3, 4, 5
    given, grads = 3 * drawn(shape), drawn(shape, 1)
    x, g = Images(given, (1, 2)), Images(grads, (2, 1))
    activate(name, shape, x=x, y=x)
    x.check(function(given), CLOSE)
    activate(f"{name}_back", shape, y=x, g=g, gx=g)
    g.check(gradient(x.inside, grads), CLOSE)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_what_is_not_finite_passes_through_an_activation(name: str) -> None:
    function, gradient = ACTIVATIONS[name]
    y, gx, made = blank(ODD.shape), blank(ODD.shape), function(ODD)
    activate(name, ODD.shape, x=Images(ODD), y=y)
    y.check(made, CLOSE)
    activate(f"{name}_back", ODD.shape, y=Images(made), g=Images(ODD), gx=gx)
    with np.errstate(invalid="ignore"):
        gx.check(gradient(made, ODD), CLOSE)


def test_relu_lets_no_gradient_through_at_zero() -> None:
    made = np.array([0.0, -0.0, 1e-30, np.nan], np.float32).reshape(1, 1, 4, 1)
    gx = blank(made.shape)
    activate("relu_back", made.shape, y=Images(made), g=Images(np.full_like(made, 3)), gx=gx)
    assert gx.inside.ravel().tolist() == [0, 0, 3, 0]


def test_softmax_where_scores_are_large_or_not_finite() -> None:
    given = np.array(
        [[3e38, 3e38, 0], [-3e38, -3e38, -3e38], [88, 89, 90], [np.nan, 0, 1], [1, np.nan, 0], [np.inf, 1, 0], [-np.inf, 0, 0]],
        np.float32,
    ).reshape(1, 1, 7, 3)
    y = blank(given.shape)
    activate("softmax", given.shape, x=Images(given), y=y)
    with np.errstate(invalid="ignore", over="ignore"):
        expected = softmax(given)
    assert np.isnan(expected[0, 0, 3:6]).any(axis=1).all()
    y.check(expected, CLOSE)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("p", [0.0, 0.25, 0.999])
def test_dropout_by_the_formula_of_the_layer(p: float, shape: tuple[int, ...]) -> None:
    """Of the third step's second layer, in passes that begin anywhere, from one layout to another and in place."""
    count, rows, cols, C = shape
    threshold, scale, keys = int(p * 2**32), np.float32(1 / (1 - p)), np.arange(8, dtype=np.uint32) * 0x9E3779B1 + 7
    given = drawn((count + 4, rows, cols, C))
    expected = given * (kept(given, int(keys[5]), threshold) * scale)
    for first, (inner, outer) in itertools.product((0, 1, 4), itertools.permutations(LAYOUTS, 2)):
        x, y, mine = Images(given[first : first + count], inner), blank(shape, outer), expected[first : first + count]
        for to in (y, x):
            run("dropout", threads(count * rows * cols * C), {
                "keys": values(keys, np.uint32), "key": 1, "layers": 2, "clock": values([9, 2, 0], np.int32),
                "threshold": threshold, "scale": scale, **x.at("x"), **to.at("y"), "rows": rows, "width": cols * C,
                "first": first, "count": count,
            })  # fmt: skip
            to.check(mine)


def test_dropout_beyond_two_to_the_31_values_and_where_the_bits_equal_the_threshold() -> None:
    """Values are counted in 32 bits without a sign; a value whose bits are the threshold itself stays."""
    first, width, key = 2**31 - 1, 3, 12345
    index = (np.arange(2 * width, dtype=np.uint64) + first * width).astype(np.uint32)
    bits = index ^ np.uint32(key)
    bits = (bits ^ (bits >> 16)) * np.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * np.uint32(0x846CA68B)
    bits ^= bits >> 16
    threshold = int(np.sort(bits)[3])
    y = blank((2, 1, width, 1))
    run("dropout", threads(2 * width), {
        "keys": values([key], np.uint32), "key": 0, "layers": 1, "clock": values([0, 0, 0], np.int32), "threshold": threshold,
        "scale": 2.0, **Images(np.ones((2, 1, width, 1), np.float32)).at("x"), **y.at("y"), "rows": 1, "width": width,
        "first": first, "count": 2,
    })  # fmt: skip
    y.check(2.0 * (bits >= threshold).reshape(2, 1, width, 1))
    assert (y.inside > 0).sum() == 3


POOLS = [
    ((2, 6, 8, 3), (2, 2), (2, 2)),
    ((3, 7, 5, 2), (3, 2), (2, 1)),  # windows overlap
    ((2, 9, 8, 1), (2, 1), (3, 4)),  # and leave pixels out
    ((1, 4, 6, 5), (1, 5), (1, 2)),
    ((1, 3, 2, 1), (3, 2), (1, 1)),  # one window
    ((1, 1, 1, 1), (1, 1), (1, 1)),
    ((0, 4, 4, 2), (2, 2), (2, 2)),
]
"""Images (count, rows, columns, channels), windows, strides."""


class Pool:
    """One pool's kernels on these images, and the layer that they are held against."""

    def __init__(
        self, kind: type[MaxPool2d] | type[AvgPool2d], given: Array, size: Any, stride: Any, padding: Any = (0, 0)
    ) -> None:
        self.name = "max_pool2d" if kind is MaxPool2d else "avg_pool2d"
        self.layer = kind(size, stride=stride)
        self.layer.build(given.shape[1:], np.random.default_rng())
        rows, cols, C = self.layer.output_shape
        self.given, self.shape, self.padding = given, (len(given), rows, cols, C), padding
        self.sizes = {"rows": rows, "cols": cols, "C": C, "kh": size[0], "kw": size[1], "sh": stride[0], "sw": stride[1]}
        self.sizes["count"] = len(given)
        self.winner = values(np.full(given[:, :rows, :cols].size + 1, -1), np.int32)
        self.own = {"winner": self.winner} if kind is MaxPool2d else {}

    def forward(self) -> Images:
        x, y = Images(self.given, self.padding), blank(self.shape, self.padding[::-1])
        run(self.name, threads(int(np.prod(self.shape))), x.at("x") | y.at("y") | self.own | self.sizes)
        x.check(self.given)
        assert self.winner.buffer[-1] == -1
        return y

    def backward(self, grads: Array) -> Images:
        gx, g = blank(self.given.shape, self.padding), Images(grads, self.padding[::-1])
        of_x = {"x_rows": self.given.shape[1], "x_cols": self.given.shape[2]}
        run(f"{self.name}_back", threads(self.given.size), gx.at("gx") | g.at("g") | self.own | self.sizes | of_x)
        g.check(grads)
        return gx


@pytest.mark.parametrize("padding", LAYOUTS)
@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("kind", [MaxPool2d, AvgPool2d])
def test_a_pool(kind: Any, pool: Any, padding: tuple[int, int]) -> None:
    shape, size, stride = pool
    given = np.round(2 * drawn(shape))  # whole numbers: sums are exact, and many values are equal
    pool = Pool(kind, given, size, stride, padding)
    grads = np.round(4 * drawn(pool.shape, 1))
    pool.forward().check(pool.layer.forward(given), CLOSE)
    pool.backward(grads).check(pool.layer.backward(grads), CLOSE)


def test_of_equal_values_the_first_in_reading_order_wins() -> None:
    pool = Pool(MaxPool2d, np.zeros((2, 4, 6, 3), np.float32), (2, 3), (2, 3))
    pool.forward().check(np.zeros(pool.shape))
    assert not pool.winner.buffer[:-1].any()
    assert (pool.backward(np.ones(pool.shape, np.float32)).inside[:, ::2, ::3] == 1).all()


@pytest.mark.parametrize("position", range(6))
@pytest.mark.parametrize("first", [0.0, 9.0, np.inf])
def test_a_single_nan_wherever_it_stands_in_the_window(position: int, first: float) -> None:
    given = np.zeros((1, 2, 3, 2), np.float32)
    given[0, 0, 0], given[0, position // 3, position % 3] = first, np.nan
    for kind in (MaxPool2d, AvgPool2d):
        Pool(kind, given, (2, 3), (1, 1)).forward().check(np.full((1, 1, 1, 2), np.nan))


def test_infinities_win_and_get_the_gradient() -> None:
    given = np.array(
        [[-np.inf, -np.inf], [-np.inf, -np.inf], [1, np.inf], [-np.inf, np.inf], [-np.inf, 3e38], [-3e38, 0]], np.float32
    )
    pool = Pool(MaxPool2d, given.reshape(1, 6, 2, 1), (2, 2), (2, 2))
    grads = np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1)
    pool.forward().check(np.array([-np.inf, np.inf, 3e38], np.float32).reshape(1, 3, 1, 1))
    pool.backward(grads).check(np.array([1, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0]).reshape(1, 6, 2, 1))
