"""Batch norm: see kernels/norm.cu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nncore.backend.contract import Tensor, Weights
from nncore.backend.cuda.base import Arguments, BaseRecorder, image, pixels
from nncore.backend.cuda.device import At, Size
from nncore.backend.cuda.geometry import MOST_COPIES, THREADS
from nncore.backend.cuda.memory import Pass

CHUNK = 8
"""Pixels that a thread reads at a time, as in norm.cu."""
MOST_BLOCKS = 1024
"""Blocks for each group of channels, of kernels that only have to visit every value."""


@dataclass(frozen=True)
class Channels:
    """How the channels of an image are parted: a block does `wide` of them side by side, its other threads further pixels."""

    count: int

    @property
    def wide(self) -> int:
        """32, or the least power of two that holds all of them."""
        return min(32, 1 << (self.count - 1).bit_length())

    @property
    def turn(self) -> int:
        """Pixels that a block reads at a time."""
        return THREADS // self.wide * CHUNK

    def shares(self, pixels: int) -> int:
        """Over how many blocks to share sums over the pixels."""
        return max(1, min(MOST_COPIES, pixels // self.turn))

    def in_shares(self, shares: int) -> tuple[Size, Size]:
        """Grid and block with a block for each share."""
        return (shares, -(-self.count // self.wide), 1), (self.wide, THREADS // self.wide, 1)

    def all_over(self, pixels: int) -> tuple[Size, Size]:
        """Grid and block for kernels that add nothing up."""
        return self.in_shares(max(1, min(MOST_BLOCKS, pixels // self.turn)))


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

        channels = Channels(C)
        if not training:
            self.add("batch_norm_running", lambda part: channels.all_over(part.count * y.rows * y.cols), lambda part: {
                **both(part), "running": statistics(),
            })  # fmt: skip
            return None
        self.record.whole = "batch norm"
        self.record.marks.add("statistics")
        shares = channels.shares(self.batch * y.rows * y.cols)
        partial, found = self.once_for_all(3 * C * shares), self.once_for_all(2 * C)
        self.add("batch_norm_sums", lambda _: channels.in_shares(shares), lambda part: {
            **image("x", x), "partial": partial.at, **pixels(y), "count": part.count,
        })  # fmt: skip
        self.add("batch_norm_apply", lambda part: channels.all_over(part.count * y.rows * y.cols), lambda part: {
            **both(part), "partial": partial.at, "shares": shares, "found": found.at, "running": statistics(),
            "clock": At(self.record.clock), "momentum": momentum,
        })  # fmt: skip
        return shares, found

    def batch_norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        (shares, found), C, weight = kept, y.channels, self.theta(weights.weight)
        copies = self.copies(weights, 1, C, shares)
        channels = Channels(C)

        def common(part: Pass) -> Arguments:
            images = image("x", x) | image("y", y) | image("g", grad) | pixels(y)
            return images | {"found": found.at, "copies": self.of_pass(copies, part), "relu": relu, "count": part.count}

        self.add("batch_norm_back_sums", lambda _: channels.in_shares(shares), common)
        if grad_x is not None:
            self.add("batch_norm_back", lambda part: channels.all_over(part.count * y.rows * y.cols), lambda part: (
                common(part) | image("gx", grad_x) | {"shares": shares, "weight": weight()}
            ))  # fmt: skip
