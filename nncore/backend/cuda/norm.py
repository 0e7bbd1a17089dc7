"""Batch norm: see kernels/norm.cu."""

from __future__ import annotations

from typing import Any

from nncore.backend.contract import Tensor, Weights
from nncore.backend.cuda.base import Arguments, BaseRecorder, image, pixels
from nncore.backend.cuda.device import At
from nncore.backend.cuda.geometry import MOST_COPIES
from nncore.backend.cuda.memory import Pass

CHANNELS = 32
"""Channels of a block."""
LEAST_PIXELS = 64
"""Pixels that make another share worth its while."""


class NormRecorder(BaseRecorder):
    """Records batch norm. Statistics are those of the whole batch, which therefore has to fit into memory at once."""

    def batch_norm(
        self, x: Tensor, weights: Weights, running: int, momentum: float, eps: float, y: Tensor, relu: bool, training: bool
    ) -> Any:
        """Returns the shares of the pixels, and where the batch's mean and 1/√(σ² + ε) lie."""
        C, weight, bias, statistics = y.channels, self.theta(weights.weight), self.theta(weights.bias), self.theta(running)

        def both(part: Pass) -> Arguments:
            images = image("x", x) | image("y", y) | pixels(y)
            return images | {"weight": weight(), "bias": bias(), "eps": eps, "relu": relu, "count": part.count}

        if not training:
            self.each("batch_norm_running", y.rows * y.cols * C, lambda part: {
                **both(part), "running": statistics(),
            })  # fmt: skip
            return None
        self.record.whole = "batch norm"
        self.record.marks.add("statistics")
        shares = max(1, min(MOST_COPIES, self.batch * y.rows * y.cols // LEAST_PIXELS))
        partial, found = self.once_for_all(3 * C * shares), self.once_for_all(2 * C)
        geometry = lambda _: ((shares, -(-C // CHANNELS), 1), (CHANNELS, 8, 1))  # noqa: E731
        self.add("batch_norm_sums", geometry, lambda part: {
            **image("x", x), "partial": partial.at, **pixels(y), "count": part.count,
        })  # fmt: skip
        self.add("batch_norm_apply", geometry, lambda part: {
            **both(part), "partial": partial.at, "shares": shares, "found": found.at, "running": statistics(),
            "clock": At(self.record.clock), "momentum": momentum,
        })  # fmt: skip
        return shares, found

    def batch_norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        (shares, found), C, weight = kept, y.channels, self.theta(weights.weight)
        copies = self.copies(weights, 1, C, shares)
        geometry = lambda _: ((shares, -(-C // CHANNELS), 1), (CHANNELS, 8, 1))  # noqa: E731

        def common(part: Pass) -> Arguments:
            images = image("x", x) | image("y", y) | image("g", grad) | pixels(y)
            return images | {"found": found.at, "copies": self.of_pass(copies, part), "relu": relu, "count": part.count}

        self.add("batch_norm_back_sums", geometry, common)
        if grad_x is not None:
            self.add("batch_norm_back", geometry, lambda part: (
                common(part) | image("gx", grad_x) | {"shares": shares, "weight": weight()}
            ))  # fmt: skip
