"""Convolutions: see kernels/pooled.cu for those that 2 × 2 pooling follows, kernels/conv.cu for all others."""

from __future__ import annotations

from typing import Any

import numpy as np

from nncore.backend.contract import Tensor, Weights, Window
from nncore.backend.cuda.base import Arguments, BaseRecorder, corner, image, sizes
from nncore.backend.cuda.geometry import MOST_COPIES, THREADS, share, threads, tile, widest
from nncore.backend.cuda.memory import Pass
from nncore.backend.cuda.pooling import PoolingRecorder

POOLED_KERNELS = (1, 2, 3, 4, 5)
"""Sizes of square kernels that are done together with the pool: of larger ones too little fits into registers."""
WIDE = 16
"""Input channels that a block of `pooled_convolution_input_gradient` does, as in pooled.cu."""
TWO_BY_TWO = Window((2, 2), (2, 2))


class ConvolutionRecorder(PoolingRecorder, BaseRecorder):
    """Records convolutions."""

    def conv2d(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        weight, bias, O, P = self.theta(weights.weight), self.theta(weights.bias), y.channels, y.rows * y.cols
        side = tile(self.batch * P, O)
        self.add(
            "conv2d",
            lambda part: ((-(-part.count * P // side), -(-O // side), 1), (side * side // 16, 1, 1)),
            lambda part: {
                **corner("x", x), "weight": weight(), "bias": bias(), **image("y", y), **shapes(x, y, window), "relu": relu,
                "count": part.count,
            },
            (side,),
        )  # fmt: skip

    def conv2d_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        weight, C, O = self.theta(weights.weight), x.channels, y.channels

        def images() -> Arguments:
            return image("y", y) | image("g", grad)

        if grad_x is not None:
            self.each("conv2d_input_gradient", x.rows * x.cols * C, lambda part: {
                "weight": weight(), **images(), **image("gx", grad_x), **shapes(x, y, window), "x_rows": x.rows, "x_cols": x.cols,
                **padding(x), "relu": relu, "count": part.count,
            })  # fmt: skip
        inputs = window.size[0] * window.size[1] * C
        side = tile(inputs + 1, O)
        parts, slice = share(inputs + 1, O, self.batch * y.rows * y.cols)
        copies = self.copies(weights, inputs, O, parts)
        self.add(
            "conv2d_weight_gradient",
            lambda _: ((-(-(inputs + 1) // side), -(-O // side), parts), (side * side // 16, 1, 1)),
            lambda part: {
                **corner("x", x), **images(), "copies": self.of_pass(copies, part), **shapes(x, y, window), "relu": relu,
                "slice": slice, "count": part.count,
            },
            (side,),
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
        parts = max(1, min(MOST_COPIES, self.batch * P // (4 * walkers)))
        copies = self.copies(weights, K * K * C, O, parts)
        self.add(
            "pooled_convolution_weight_gradient",
            lambda _: ((parts, *rest), (outputs, walkers, 1)),
            lambda part: {**common(part), **corner("x", x), "copies": self.of_pass(copies, part)},
            (K, each),
        )


def shapes(x: Tensor, y: Tensor, window: Window) -> Arguments:
    """What kernels of convolutions are told of sizes."""
    return {"rows": y.rows, "cols": y.cols, "C": x.channels, "O": y.channels, **sizes(window)}


def padding(x: Tensor) -> Arguments:
    """Rows and columns of zeros above and left of x."""
    return {"up": x.padding[0], "left": x.padding[1]}


def _is_done_together(window: Window) -> bool:
    size = window.size[0]
    return window.size == (size, size) and size in POOLED_KERNELS and window.stride == (1, 1)
