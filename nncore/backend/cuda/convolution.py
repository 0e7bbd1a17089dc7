"""Convolutions: see kernels/pooled.cu for those that 2 × 2 pooling follows, kernels/conv.cu for all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nncore.backend.contract import Spread, Tensor, Weights, Window
from nncore.backend.cuda.base import Arguments, BaseRecorder, corner, image, sizes
from nncore.backend.cuda.geometry import THREADS, busy_tiles, copies_of_windows, share_of_places, threads, tiles, widest
from nncore.backend.cuda.memory import Pass
from nncore.backend.cuda.pooling import PoolingRecorder
from nncore.errors import NotCompilable

POOLED_KERNELS = (1, 2, 3, 4, 5)
"""Sizes of square kernels that are done together with the pool: of larger ones too little fits into registers."""
WIDE = 16
"""Input channels that a block of `pooled_convolution_input_gradient` does, as in pooled.cu."""
TWO_BY_TWO = Window((2, 2), (2, 2))


class ConvolutionRecorder(PoolingRecorder, BaseRecorder):
    """Records convolutions."""

    def conv2d(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        weight, bias, O, P = self.theta(weights.weight), self.theta(weights.bias), y.channels, y.rows * y.cols
        made = busy_tiles(self.batch * P, O)
        self.add(
            "conv2d",
            lambda part: (made.grid(part.count * P, O), made.block),
            lambda part: {
                **corner("x", x), "weight": weight(), "bias": bias(), **image("y", y), **shapes(x, y, window), "relu": relu,
                "count": part.count,
            },
            (made.high, made.wide, loaded(x.channels)),
        )  # fmt: skip

    def spread_conv2d(self, x: Tensor, weights: Weights, spread: Spread, y: Tensor) -> None:
        raise NotCompilable("The GPU has no kernel for convolutions that are dilated, in groups, or padded unevenly.")

    def spread_conv2d_backward(self, x: Tensor, weights: Weights, spread: Spread, grad: Tensor, grad_x: Tensor | None) -> None:
        raise NotCompilable("The GPU has no kernel for convolutions that are dilated, in groups, or padded unevenly.")

    def conv2d_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        C, O, P = x.channels, y.channels, y.rows * y.cols

        def common(part: Pass) -> Arguments:
            return {**image("y", y), **image("g", grad), **shapes(x, y, window), "relu": relu, "count": part.count}

        if grad_x is not None:
            self._input_gradient(x, weights, window, O, common, grad_x)
        inputs = window.size[0] * window.size[1] * C
        made = tiles(64 if inputs > 32 else 32 if inputs > 16 or O <= 16 else 16, O)
        parts, slice = share_of_places(made.grid(inputs, O), self.batch * P, made.groups)
        copies = self.copies(weights, inputs, O, parts)
        self.add(
            "conv2d_weight_gradient",
            lambda _: (made.grid(inputs, O, parts), (made.block[0], made.groups, 1)),
            lambda part: {**common(part), **corner("x", x), "copies": self.of_pass(copies, part), "slice": slice},
            (made.high, made.wide, loaded(C)),
        )

    def _input_gradient(
        self, x: Tensor, weights: Weights, window: Window, O: int, common: Callable[[Pass], Arguments], grad_x: Tensor
    ) -> None:
        """Pixels of x that meet the same taps of the kernel make a product of their own: as many as the stride has places."""
        weight, (down, right) = self.theta(weights.weight), window.stride
        pixels, classes = -(-x.rows // down) * -(-x.cols // right), down * right
        made = busy_tiles(self.batch * pixels, x.channels, classes)
        self.add(
            "conv2d_input_gradient",
            lambda part: (made.grid(part.count * pixels, x.channels, classes), made.block),
            lambda part: {
                **common(part), "weight": weight(), **image("gx", grad_x), "x_rows": x.rows, "x_cols": x.cols, **padding(x),
            },
            (made.high, made.wide, loaded(O)),
        )  # fmt: skip

    def conv2d_max_pool(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> Any:
        """Returns the winners; where the pair has no kernel, the convolution's own output, its ReLU, and the pool's winners."""
        if not _is_done_together(window):
            rows, cols = (
                (size + 2 * pad - kernel) // stride + 1
                for size, pad, kernel, stride in zip((x.rows, x.cols), x.padding, window.size, window.stride, strict=True)
            )
            full = self.tensor(rows, cols, y.channels)
            self.conv2d(x, weights, window, full, relu)
            return full, relu, self.max_pool2d(full, TWO_BY_TWO, y)
        weight, bias, O, each = self.theta(weights.weight), self.theta(weights.bias), y.channels, widest(y.channels)
        P = y.rows * y.cols
        winner = self.room(P * O, np.uint8)
        self.add(
            "pooled_convolution",
            lambda part: threads(part.count * P * O // each),
            lambda part: {
                **corner("x", x), "weight": weight(), "bias": bias(), **image("y", y), "winner": winner.at, "rows": y.rows,
                "cols": y.cols, "C": x.channels, "O": O, "relu": relu, "count": part.count,
            },
            (window.size[0], each),
        )  # fmt: skip
        return winner

    def conv2d_max_pool_backward(
        self, x: Tensor, weights: Weights, window: Window, winners: Any, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        if not _is_done_together(window):
            full, relu, winners = winners
            grad_full = self.tensor(full.rows, full.cols, full.channels)
            self.max_pool2d_backward(TWO_BY_TWO, winners, grad, grad_full)
            self.conv2d_backward(x, weights, window, full, relu, grad_full, grad_x)
            return
        K, C, O, each, P = window.size[0], x.channels, grad.channels, widest(x.channels), grad.rows * grad.cols

        def common(part: Pass) -> Arguments:
            known = {"winner": winners.at, "rows": grad.rows, "cols": grad.cols, "C": C, "O": O, "count": part.count}
            return known | image("g", grad)

        if grad_x is not None:
            weight, pixels = self.theta(weights.weight), x.rows * x.cols * (WIDE // each)
            self.add(
                "pooled_convolution_input_gradient",
                lambda part: ((-(-part.count * pixels // THREADS), -(-C // WIDE), 1), (THREADS, 1, 1)),
                lambda part: {
                    **common(part), "weight": weight(), **image("gx", grad_x), "x_rows": x.rows, "x_cols": x.cols, **padding(x),
                },
                (K, each),
            )  # fmt: skip
        outputs = min(32, 1 << (O - 1).bit_length())
        walkers, rest = THREADS // outputs, (C // each, -(-O // outputs))
        parts = copies_of_windows(self.batch * P, walkers)
        copies = self.copies(weights, K * K * C, O, parts)
        self.add(
            "pooled_convolution_weight_gradient",
            lambda _: ((parts, *rest), (outputs, walkers, 1)),
            lambda part: {**common(part), **corner("x", x), "copies": self.of_pass(copies, part)},
            (K, each),
        )


def loaded(channels: int) -> int:
    """How many channels a thread of a dense convolution reads by one instruction."""
    return 4 if channels % 4 == 0 else 1


def shapes(x: Tensor, y: Tensor, window: Window) -> Arguments:
    """What kernels of convolutions are told of sizes."""
    return {"rows": y.rows, "cols": y.cols, "C": x.channels, "O": y.channels, **sizes(window)}


def padding(x: Tensor) -> Arguments:
    """Rows and columns of zeros above and left of x."""
    return {"up": x.padding[0], "left": x.padding[1]}


def _is_done_together(window: Window) -> bool:
    size = window.size[0]
    return window.size == (size, size) and size in POOLED_KERNELS and window.stride == (1, 1)
