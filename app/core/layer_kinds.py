"""What can be added to a network: each kind of layer with its words, its first settings, and what can be set. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nncore.checks import LARGEST_SIZE


@dataclass(frozen=True)
class LayerField:
    """A setting of a layer that can be changed."""

    name: str
    """As in `Layer.config`."""
    title: str
    help: str
    least: float = 1
    most: float = LARGEST_SIZE
    step: float = 1
    """How far one turn goes; below 1 for a number with decimals."""

    @property
    def is_whole(self) -> bool:
        return self.step >= 1


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer."""

    type: str
    """Its class in nncore.layers."""
    title: str
    help: str
    first: Mapping[str, Any]
    """The settings of a new one, as far as they have no default."""
    fields: tuple[LayerField, ...] = ()

    @property
    def new(self) -> Mapping[str, Any]:
        """The description of a new one."""
        return {"type": self.type, **self.first}


LARGEST_SIDE = 256
"""The largest window, stride and padding that a field offers."""

STRIDE = LayerField(
    "stride", "stride", "Stride: how many pixels the window moves on at a time. 2 halves the image.", 1, LARGEST_SIDE
)

KINDS = {
    kind.type: kind
    for kind in [
        LayerKind(
            "Conv2d",
            "conv",
            "Convolution: looks for small patterns everywhere in the image. Each of its filters makes one channel.",
            {"out_channels": 16, "kernel_size": 3, "padding": 1},
            (
                LayerField(
                    "out_channels", "channels", "Channels: how many filters there are, and so how many patterns it can find."
                ),
                LayerField(
                    "kernel_size", "kernel", "Kernel: the side of the window in pixels that each filter sees.", 1, LARGEST_SIDE
                ),
                STRIDE,
                LayerField(
                    "padding",
                    "padding",
                    "Padding: rows of zeros around the image. Half of the kernel, rounded down, keeps the image's size.",
                    0,
                    LARGEST_SIDE,
                ),
            ),
        ),
        LayerKind(
            "MaxPool2d",
            "max pool",
            "Max pool: of each window only the largest value stays, so the image becomes smaller and small shifts matter less.",
            {"kernel_size": 2},
            (LayerField("kernel_size", "window", "Window: its side in pixels.", 1, LARGEST_SIDE), STRIDE),
        ),
        LayerKind(
            "AvgPool2d",
            "average pool",
            "Average pool: each window becomes its mean, so that the image becomes smaller and smoother.",
            {"kernel_size": 2},
            (LayerField("kernel_size", "window", "Window: its side in pixels.", 1, LARGEST_SIDE), STRIDE),
        ),
        LayerKind("Flatten", "flatten", "Flatten: writes the values of an image in one row, as linear layers need them.", {}),
        LayerKind(
            "Linear",
            "linear",
            "Linear: each output is a weighted sum of all inputs. The last one gives the score of each class.",
            {"out_features": 64},
            (LayerField("out_features", "outputs", "Outputs: how many sums it makes, each with weights of its own."),),
        ),
        LayerKind(
            "ReLU", "relu", "ReLU: negative values become 0. Without something like it, many layers can do no more than one.", {}
        ),
        LayerKind("Tanh", "tanh", "Tanh: presses every value between −1 and 1.", {}),
        LayerKind("Sigmoid", "sigmoid", "Sigmoid: presses every value between 0 and 1; deep networks learn slowly with it.", {}),
        LayerKind(
            "Softmax",
            "softmax",
            "Softmax: makes shares of scores, which add up to 1. Training does that by itself: do not end a network in it.",
            {},
        ),
        LayerKind(
            "BatchNorm",
            "batch norm",
            "Batch norm: brings each channel to mean 0 and variance 1 over the batch, so that deep networks learn faster.",
            {},
            (
                LayerField(
                    "momentum",
                    "momentum",
                    "Momentum: how fast the mean and the variance that are used after training follow those of the batches.",
                    0,
                    1,
                    0.05,
                ),
            ),
        ),
        LayerKind(
            "Dropout",
            "dropout",
            "Dropout: while training, sets a random part of the values to 0, so that no unit relies on a single other one.",
            {"p": 0.25},
            (LayerField("p", "share", "Share: how large a part of the values is dropped.", 0, 0.95, 0.05),),
        ),
    ]
}
"""Every kind of layer by its type, in the order of the menu."""
