"""Each kernel of the dense convolution against layers/conv.py: exactly, since all sums are of small whole numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import kernel
import numpy as np
import pytest
from kernel import Images, blank, run, values

from nncore.arrays import Array
from nncore.backend.cuda.device import At, Size
from nncore.layers.conv import conv2d, conv2d_backward

IntPair = tuple[int, int]
BLOCKS = ((64, 64), (64, 32), (64, 16), (32, 32), (32, 16))
"""(TILE, WIDE) that all three kernels allow."""
LATE = 2
"""Images that a launch is made for beyond those that there are."""


@pytest.fixture(autouse=True)
def _whole_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images lie at multiples of four values, as those of a program do where their channels are divisible by four."""
    monkeypatch.setattr(kernel, "GAP", 4)


@dataclass(frozen=True)
class Case:
    """A convolution, and how many images it is made of."""

    size: IntPair
    C: int
    O: int
    kernel: IntPair
    stride: IntPair = (1, 1)
    padding: IntPair = (0, 0)
    count: int = 2

    def __str__(self) -> str:
        return f"{self.count} of {self.size} {self.C}-{self.O} {self.kernel} by {self.stride} in {self.padding}"

    @property
    def out(self) -> IntPair:
        down, across = (
            (self.size[d] + 2 * self.padding[d] - self.kernel[d]) // self.stride[d] + 1 for d in range(2)
        )  # fmt: skip
        return down, across

    @property
    def numbers(self) -> dict[str, int]:
        """The parameters that all three kernels have."""
        (kh, kw), (sh, sw), (rows, cols) = self.kernel, self.stride, self.out
        return {"kh": kh, "kw": kw, "sh": sh, "sw": sw, "rows": rows, "cols": cols, "C": self.C, "O": self.O, "count": self.count}

    @property
    def weight_size(self) -> int:
        return self.kernel[0] * self.kernel[1] * self.C

    def draw(self) -> tuple[Array, Array, Array, Array, Array]:
        """Whole numbers for x, weight, bias, y and dL/dy; y is not that of x, so that a mask is a mask of anything."""
        rng = np.random.default_rng(self.C * 100 + self.O)

        def whole(*shape: int) -> Array:
            return rng.integers(-4, 5, shape).astype(np.float32)

        of_y = (self.count, *self.out, self.O)
        return whole(self.count, *self.size, self.C), whole(*self.kernel, self.C, self.O), whole(self.O), whole(*of_y), whole(*of_y)


CASES = (
    Case((5, 6), 1, 3, (3, 3), padding=(1, 1)),
    Case((1, 1), 1, 1, (1, 1), count=1),
    Case((7, 5), 3, 33, (5, 5), padding=(2, 2)),
    Case((6, 7), 2, 66, (3, 1), padding=(2, 1)),
    Case((9, 8), 5, 3, (3, 3), (2, 2), (2, 1)),
    Case((8, 9), 8, 12, (3, 3), (1, 1), (1, 1), 3),
    Case((7, 9), 8, 33, (2, 3), (3, 2), (1, 0)),
    Case((4, 5), 3, 8, (4, 5)),
    Case((6, 6), 8, 64, (3, 3), padding=(1, 1)),
    Case((7, 7), 4, 4, (1, 1), (3, 3)),
    Case((5, 5), 68, 1, (3, 3), padding=(1, 1)),
    Case((6, 5), 20, 36, (3, 3), (2, 1), (1, 1)),
    Case((5, 6), 3, 5, (3, 3), padding=(1, 1), count=0),
    Case((5, 6), 4, 8, (3, 3), padding=(1, 1), count=0),
)
EXTREMES = (Case((9, 8), 8, 68, (3, 3), padding=(1, 1), count=3), Case((8, 9), 5, 67, (3, 3), padding=(1, 1), count=3))
"""Every block takes these: more rows and columns than one makes, sums of several slices, whole and odd channels."""


def ceil(value: int, by: int) -> int:
    return -(-value // by)


def block(tile: int, wide: int) -> Size:
    high = 8 if tile == wide == 64 else 4
    return tile // high * wide // 4, 1, 1


def groups(tile: int, wide: int) -> Size:
    """The block of the weight's gradient, whose groups take parts of a sum in turn."""
    return block(tile, wide)[0], 4 if tile < 64 else 2 if wide < 64 else 1, 1


def vector(channels: int) -> int:
    return 1 if channels % 4 else 4


def in_zeros(images: Array, padding: IntPair) -> Images:
    """Images in a padding of zeros; between and behind them there is NaN."""
    made = Images(images, padding)
    made.whole[...] = 0
    made.inside[...] = images
    return made


def padded(images: Array, padding: IntPair) -> Array:
    return np.pad(images, ((0, 0), *((size, size) for size in padding), (0, 0))).astype(np.float64)


def check_forward(case: Case, tile: int, wide: int, relu: bool) -> None:
    x, weight, bias, _, _ = case.draw()
    y = blank((case.count, *case.out, case.O), (1, 2))
    grid = ceil((case.count + LATE) * case.out[0] * case.out[1], tile), ceil(case.O, wide), 1
    given = in_zeros(x, case.padding).corner("x") | {"weight": values(weight, np.float32), "bias": values(bias, np.float32)}
    arguments = given | y.at("y") | case.numbers | {"relu": relu}
    run("conv2d", (grid, block(tile, wide)), arguments, (tile, wide, vector(case.C)))
    expected = conv2d(padded(x, case.padding), weight.astype(np.float64), bias, case.stride)
    y.check(np.maximum(expected, 0) if relu else expected)


def check_weight_gradient(case: Case, tile: int, wide: int, relu: bool, slice: int) -> None:
    x, weight, _, y, g = case.draw()
    E, places = case.weight_size, (case.count + LATE) * case.out[0] * case.out[1]
    shares, size = ceil(places, slice), (E + 1) * case.O
    copies = values(np.full(shares * size + 8, 1234), np.float32)
    given = in_zeros(x, case.padding).corner("x") | Images(y, (0, 1)).at("y") | Images(g, (2, 0)).at("g")
    launch = (ceil(E, tile), ceil(case.O, wide), shares), groups(tile, wide)
    arguments = given | case.numbers | {"copies": copies, "relu": relu, "slice": slice}
    run("conv2d_weight_gradient", launch, arguments, (tile, wide, vector(case.C)))
    found = copies.buffer[: shares * size].reshape(shares, E + 1, case.O)
    flat = np.arange(case.count * case.out[0] * case.out[1]).reshape(g.shape[:3]) // slice
    for share in range(shares):
        mine = (flat == share)[..., None] & ((y > 0) | (not relu))
        _, of_weight, of_bias = conv2d_backward(padded(x, case.padding), weight, np.where(mine, g, 0), case.stride)
        np.testing.assert_array_equal(found[share, :E], of_weight.reshape(E, case.O))
        np.testing.assert_array_equal(found[share, E], of_bias)
    assert (copies.buffer[shares * size :] == 1234).all()


def check_input_gradient(case: Case, tile: int, wide: int, relu: bool) -> None:
    x, weight, _, y, g = case.draw()
    (up, left), (sh, sw) = case.padding, case.stride
    gx = blank(x.shape, (1, 2))
    given = Images(y, (0, 1)).at("y") | Images(g, (2, 0)).at("g") | {"weight": values(weight, np.float32)}
    sizes = {"x_rows": case.size[0], "x_cols": case.size[1], "up": up, "left": left}
    pixels = (case.count + LATE) * ceil(case.size[0], sh) * ceil(case.size[1], sw)
    launch = (ceil(pixels, tile), ceil(case.C, wide), sh * sw), block(tile, wide)
    arguments = given | gx.at("gx") | case.numbers | sizes | {"relu": relu}
    run("conv2d_input_gradient", launch, arguments, (tile, wide, vector(case.O)))
    expected, _, _ = conv2d_backward(padded(x, case.padding), weight, np.where(y > 0, g, 0) if relu else g, case.stride)
    gx.check(expected[:, up : up + case.size[0], left : left + case.size[1]])


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("relu", (False, True))
def test_forward(case: Case, relu: bool) -> None:
    check_forward(case, 32, 16, relu)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("relu", (False, True))
def test_weight_gradient(case: Case, relu: bool) -> None:
    check_weight_gradient(case, 32, 16, relu, slice=32)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("relu", (False, True))
def test_input_gradient(case: Case, relu: bool) -> None:
    check_input_gradient(case, 32, 16, relu)


@pytest.mark.parametrize(("tile", "wide"), BLOCKS)
def test_every_block_of_the_forward_pass(tile: int, wide: int) -> None:
    for case in EXTREMES:
        check_forward(case, tile, wide, relu=True)


@pytest.mark.parametrize(("tile", "wide"), (*BLOCKS, (16, 32)))
def test_every_block_of_the_weight_gradient(tile: int, wide: int) -> None:
    for case, slice in itertools.product(EXTREMES, (48, 1000)):
        check_weight_gradient(case, tile, wide, True, slice)


@pytest.mark.parametrize(("tile", "wide"), BLOCKS)
def test_every_block_of_the_input_gradient(tile: int, wide: int) -> None:
    for case in EXTREMES:
        mirrored = Case(case.size, case.O, case.C, case.kernel, padding=case.padding, count=case.count)
        check_input_gradient(mirrored, tile, wide, relu=True)


def test_what_is_not_a_number_passes_relu() -> None:
    """A training that has run away must show in its loss."""
    x = np.array([np.nan, -1, 2], np.float32).reshape(1, 1, 3, 1)
    y = blank(x.shape)
    numbers = Case((1, 3), 1, 1, (1, 1), count=1).numbers
    weights = {"weight": values([1], np.float32), "bias": values([0], np.float32)}
    arguments = Images(x).corner("x") | weights | y.at("y") | numbers | {"relu": True}
    run("conv2d", ((1, 1, 1), block(32, 16)), arguments, (32, 16, 1))
    y.check(np.array([np.nan, 0, 2]).reshape(x.shape))


def test_the_product_is_taken_in_one_order_whatever_the_block() -> None:
    """The sizes of blocks are chosen by speed: they must not show in what is learned."""
    case, found = EXTREMES[0], []
    x, weight, bias = (np.random.default_rng(1).standard_normal(array.shape).astype(np.float32) for array in case.draw()[:3])
    for tile, wide in ((64, 64), (32, 16)):
        y = blank((case.count, *case.out, case.O))
        grid = ceil(case.count * case.out[0] * case.out[1], tile), ceil(case.O, wide), 1
        given = in_zeros(x, case.padding).corner("x") | {"weight": values(weight, np.float32), "bias": values(bias, np.float32)}
        arguments = given | y.at("y") | case.numbers | {"relu": False}
        run("conv2d", (grid, block(tile, wide)), arguments, (tile, wide, 4))
        found.append(y.inside.tobytes())
    assert found[0] == found[1]


def test_no_gradient_reads_the_output_where_no_relu_follows() -> None:
    """There may be none: batch norm masks its own gradient."""
    case = Case((4, 4), 4, 4, (3, 3), padding=(1, 1))
    x, weight, _, _, g = case.draw()
    gx, nothing = blank(x.shape), {"y": None, "y_pitch": 0, "y_row": 0}
    sizes = {"x_rows": 4, "x_cols": 4, "up": 1, "left": 1, "relu": False}
    given = Images(g).at("g") | nothing | case.numbers
    arguments = given | gx.at("gx") | sizes | {"weight": values(weight, np.float32)}
    run("conv2d_input_gradient", ((1, 1, 1), block(32, 16)), arguments, (32, 16, 4))
    of_x, of_weight, _ = conv2d_backward(padded(x, (1, 1)), weight, g)
    gx.check(of_x[:, 1:5, 1:5])
    copies: At = values(np.zeros((case.weight_size + 1) * 4), np.float32)
    arguments = given | in_zeros(x, (1, 1)).corner("x") | {"copies": copies, "slice": 32, "relu": False}
    run("conv2d_weight_gradient", ((2, 1, 1), groups(32, 16)), arguments, (32, 16, 4))
    np.testing.assert_array_equal(copies.buffer[: of_weight.size], of_weight.ravel())
