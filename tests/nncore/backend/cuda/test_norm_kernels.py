"""Each kernel of batch norm against layers/batchnorm.py in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from kernel import Images, blank, run, values

from nncore.arrays import Array
from nncore.backend.cuda.device import At, Size
from nncore.layers import BatchNorm

CLOSE = 3e-6
"""How far float32 may be from the formula, of values around 1."""
RUNNING = np.float32([0.5, 2.0])
"""A running mean, and a running variance."""


@dataclass(frozen=True)
class Case:
    """Images to be normalised, and by how many blocks."""

    count: int
    rows: int
    cols: int
    C: int
    shares: int = 3

    def __str__(self) -> str:
        return f"{self.count} of {self.rows} by {self.cols} by {self.C} in {self.shares}"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.count, self.rows, self.cols, self.C

    @property
    def numbers(self) -> dict[str, int]:
        return {"rows": self.rows, "cols": self.cols, "C": self.C, "count": self.count}

    def launch(self, shares: int | None = None) -> tuple[Size, Size]:
        side_by_side = min(32, 1 << (self.C - 1).bit_length())
        return (shares or self.shares, -(-self.C // side_by_side), 1), (side_by_side, 256 // side_by_side, 1)

    def draw(self, mean: float = 0.0, deviation: float = 1.0) -> Array:
        """Normal numbers, of another mean in each channel."""
        rng = np.random.default_rng(self.C)
        drawn = mean + rng.standard_normal(self.C) + deviation * rng.standard_normal(self.shape)
        return drawn.astype(np.float32)

    def layer(self) -> BatchNorm:
        """A layer in training whose numbers are none that a kernel could guess."""
        layer, rng = BatchNorm(momentum=0.3, eps=1e-3), np.random.default_rng(self.C + 1)
        layer.build((self.rows, self.cols, self.C), rng)
        layer.training = True
        for parameter in (layer.weight, layer.bias):
            parameter.data[...] = rng.standard_normal(self.C)
        for buffer, value in zip((layer.running_mean, layer.running_var), RUNNING, strict=True):
            buffer.data[...] = value + np.arange(self.C) / 64
        return layer


CASES = (
    Case(2, 1, 1, 1),
    Case(3, 5, 4, 3),
    Case(3, 28, 27, 1, shares=2),
    Case(2, 4, 4, 33),
    Case(5, 3, 7, 66, shares=7),
    Case(40, 1, 1, 20, shares=64),
    Case(9, 5, 5, 8, shares=1),
)
NOBODY = Case(0, 3, 4, 5)
FAR = Case(4, 12, 12, 5)
"""Its mean is a thousand and its deviation a tenth."""


def sums(case: Case, x: Images) -> At:
    partial = values(np.full(case.shares * 3 * case.C, 1234), np.float32)
    run("batch_norm_sums", case.launch(), x.at("x") | case.numbers | {"partial": partial})
    return partial


def running(layer: BatchNorm) -> Array:
    return np.concatenate((layer.running_mean.data, layer.running_var.data))


def weights(layer: BatchNorm) -> dict[str, At]:
    return {"weight": values(layer.weight.data, np.float32), "bias": values(layer.bias.data, np.float32)}


def apply(case: Case, x: Images, relu: bool, blocks: int = 5, stopped: int = 0) -> tuple[Images, At, At]:
    """y, found and running after both kernels of the way forward."""
    layer, y = case.layer(), blank(case.shape, (0, 1))
    found, kept = values(np.full(2 * case.C, 1234), np.float32), values(running(layer), np.float32)
    steps = {"clock": values([0, 0, stopped], np.int32), "eps": layer.eps, "momentum": layer.momentum, "relu": relu}
    arguments = x.at("x") | y.at("y") | weights(layer) | steps | case.numbers
    arguments |= {"partial": sums(case, x), "shares": case.shares, "found": found, "running": kept}
    run("batch_norm_apply", case.launch(blocks), arguments)
    return y, found, kept


def masked(values: Array, relu: bool) -> Array:
    return np.maximum(values, 0) if relu else values


@pytest.mark.parametrize("case", (*CASES, NOBODY), ids=str)
def test_shares_hold_mean_and_squares_of_their_places(case: Case) -> None:
    x = case.draw()
    partial = sums(case, Images(x, (1, 2))).buffer.reshape(case.shares, 3, case.C)
    places = x.reshape(-1, case.C).astype(np.float64)
    share = -(-len(places) // case.shares)
    for number, (count, mean, square) in enumerate(partial):
        mine = places[number * share : (number + 1) * share]
        expected = mine.mean(axis=0) if len(mine) else np.zeros(case.C)
        assert (count == len(mine)).all()
        np.testing.assert_allclose(mean, expected, atol=CLOSE)
        np.testing.assert_allclose(square, ((mine - expected) ** 2).sum(axis=0), rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("relu", (False, True))
def test_training_is_the_layers(case: Case, relu: bool) -> None:
    x, layer = case.draw(), case.layer()
    y, found, kept = apply(case, Images(x, (2, 1)), relu)
    expected = layer.forward(x.astype(np.float64))
    y.check(masked(expected, relu), tolerance=4 * CLOSE)
    mean, inverse = found.buffer.reshape(2, case.C)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 2), dtype=np.float64), atol=CLOSE)
    np.testing.assert_allclose(inverse, layer._inverse, rtol=CLOSE)
    np.testing.assert_allclose(kept.buffer, running(layer), rtol=CLOSE, atol=CLOSE)


def test_a_mean_of_thousands_does_not_drown_a_small_variance() -> None:
    x, layer = FAR.draw(1000, 0.1), FAR.layer()
    y, found, kept = apply(FAR, Images(x), relu=False)
    expected = layer.forward(x.astype(np.float64))
    last_digit = float(np.spacing(np.float32(1000)))
    mean, inverse = found.buffer.reshape(2, FAR.C)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 2), dtype=np.float64), rtol=0, atol=2 * last_digit)
    np.testing.assert_allclose(inverse, layer._inverse, rtol=2e-5)
    np.testing.assert_allclose(kept.buffer[FAR.C :], layer.running_var.data, rtol=1e-5)
    y.check(expected, tolerance=2 * last_digit * float(np.abs(layer.weight.data * layer._inverse).max()))


def test_running_averages_stay_once_the_run_has_stopped() -> None:
    case = CASES[1]
    y, _, kept = apply(case, Images(case.draw()), relu=False, stopped=1)
    assert kept.buffer.tobytes() == running(case.layer()).tobytes()
    y.check(case.layer().forward(case.draw().astype(np.float64)), tolerance=4 * CLOSE)


def test_an_empty_batch_changes_nothing() -> None:
    y, found, kept = apply(NOBODY, Images(NOBODY.draw()), relu=True)
    y.check(NOBODY.draw())
    assert kept.buffer.tobytes() == running(NOBODY.layer()).tobytes()
    assert np.isfinite(found.buffer).all()


def test_what_is_not_a_number_passes_relu() -> None:
    """A training that has run away must show in its loss."""
    case = CASES[1]
    x = case.draw()
    x[1, 2, 3, 1] = np.nan
    y, _, _ = apply(case, Images(x), relu=True)
    assert np.isnan(y.inside[..., 1]).all() and np.isfinite(y.inside[..., [0, 2]]).all()


@pytest.mark.parametrize("case", (*CASES, NOBODY), ids=str)
@pytest.mark.parametrize("relu", (False, True))
def test_in_use_the_running_averages_take_their_place(case: Case, relu: bool) -> None:
    x, layer, y = case.draw(), case.layer(), blank(case.shape, (1, 1))
    arguments = Images(x, (0, 2)).at("x") | y.at("y") | weights(layer) | case.numbers
    arguments |= {"running": values(running(layer), np.float32), "eps": layer.eps, "relu": relu}
    run("batch_norm_running", case.launch(4), arguments)
    layer.training = False
    y.check(masked(layer.forward(x.astype(np.float64)), relu), tolerance=2 * CLOSE)


@pytest.mark.parametrize("case", (*CASES, NOBODY), ids=str)
@pytest.mark.parametrize("relu", (False, True))
@pytest.mark.parametrize("in_place", (False, True))
def test_gradients_are_the_layers(case: Case, relu: bool, in_place: bool) -> None:
    x, layer = case.draw(), case.layer()
    g = np.random.default_rng(7).standard_normal(case.shape).astype(np.float32)
    if case.count:
        out = layer.forward(x.astype(np.float64))
        passed = np.where(out > 0, g, 0) if relu else g
        expected = layer.backward(passed.astype(np.float64))
        found = np.stack((x.mean(axis=(0, 1, 2), dtype=np.float64), layer._inverse))
    else:
        out, expected, found = x, x, np.ones((2, case.C))
    grad, copies = Images(g, (1, 2)), values(np.full(case.shares * 2 * case.C, 1234), np.float32)
    gx = grad if in_place else blank(case.shape, (0, 1))
    y = Images(np.maximum(out, 0), (2, 0)).at("y") if relu else {"y": None, "y_pitch": 0, "y_row": 0}
    arguments = Images(x, (1, 1)).at("x") | y | grad.at("g") | case.numbers
    arguments |= {"found": values(found, np.float32), "copies": copies, "relu": relu}
    run("batch_norm_back_sums", case.launch(), arguments)
    if case.count:
        of_weight, of_bias = copies.buffer.reshape(case.shares, 2, case.C).astype(np.float64).sum(axis=0)
        scale = CLOSE * float(np.abs(layer.weight.grad).max() + np.abs(layer.bias.grad).max() + 1)
        np.testing.assert_allclose(of_weight, layer.weight.grad, atol=scale)
        np.testing.assert_allclose(of_bias, layer.bias.grad, atol=scale)
    else:
        assert not copies.buffer.any()
    arguments |= gx.at("gx") | {"shares": case.shares, "weight": values(layer.weight.data, np.float32)}
    run("batch_norm_back", case.launch(5), arguments)
    largest = float(np.abs(expected).max(initial=1))
    gx.check(expected, tolerance=4 * CLOSE * largest)


def test_each_share_of_the_gradients_is_of_its_own_places() -> None:
    """A sum over all of them would not show a place that is counted in another share, once missing and once twice."""
    case = Case(3, 4, 5, 2, shares=4)
    x, g = case.draw(), np.random.default_rng(8).integers(-3, 4, case.shape).astype(np.float32)
    copies = values(np.zeros(case.shares * 2 * case.C), np.float32)
    arguments = Images(x).at("x") | Images(x).at("y") | Images(g).at("g") | case.numbers
    arguments |= {"found": values(np.ones((2, case.C)), np.float32), "copies": copies, "relu": True}
    run("batch_norm_back_sums", case.launch(), arguments)
    shares = np.where(x > 0, g, 0).reshape(case.shares, -1, case.C)
    np.testing.assert_array_equal(copies.buffer.reshape(case.shares, 2, case.C)[:, 1], shares.sum(axis=1))
