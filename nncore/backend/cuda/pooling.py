"""Pooling that no convolution takes along."""

from __future__ import annotations

from typing import Any

import numpy as np

from nncore.backend.contract import Tensor, Window
from nncore.backend.cuda.base import BaseRecorder, image, pixels, sizes


class PoolingRecorder(BaseRecorder):
    """Records pools. Both ways back have a thread a value of grad_x, which gathers from the windows that saw it."""

    def max_pool2d(self, x: Tensor, window: Window, y: Tensor) -> Any:
        winner = self.room(y.rows * y.cols * y.channels, np.int32)
        self.each("max_pool2d", y.rows * y.cols * y.channels, lambda part: {
            **image("x", x), **image("y", y), "winner": winner.at, **pixels(y), **sizes(window), "count": part.count,
        })  # fmt: skip
        return winner

    def max_pool2d_backward(self, window: Window, winners: Any, grad: Tensor, grad_x: Tensor) -> None:
        self.each("max_pool2d_back", grad_x.rows * grad_x.cols * grad_x.channels, lambda part: {
            **image("gx", grad_x), **image("g", grad), "winner": winners.at, **pixels(grad), **sizes(window),
            "x_rows": grad_x.rows, "x_cols": grad_x.cols, "count": part.count,
        })  # fmt: skip

    def avg_pool2d(self, x: Tensor, window: Window, y: Tensor) -> None:
        self.each("avg_pool2d", y.rows * y.cols * y.channels, lambda part: {
            **image("x", x), **image("y", y), **pixels(y), **sizes(window), "count": part.count,
        })  # fmt: skip

    def avg_pool2d_backward(self, window: Window, grad: Tensor, grad_x: Tensor) -> None:
        self.each("avg_pool2d_back", grad_x.rows * grad_x.cols * grad_x.channels, lambda part: {
            **image("gx", grad_x), **image("g", grad), **pixels(grad), **sizes(window),
            "x_rows": grad_x.rows, "x_cols": grad_x.cols, "count": part.count,
        })  # fmt: skip
