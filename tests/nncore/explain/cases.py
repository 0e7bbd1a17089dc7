"""Networks and images that every method must cope with."""

from __future__ import annotations

import numpy as np

from models.presets import PRESETS
from nncore.arrays import Array, Shape
from nncore.explain.networks import image_shape_of
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nncore.network import Network

GREY, COLOUR = (28, 28, 1), (32, 32, 3)


def _of_kernels(size: int, shape: Shape = (13, 12, 3)) -> Network:
    """Two convolutions with kernels of one size, a norm and dropout."""
    pad = size // 2
    return Network(
        [
            Conv2d(5, size, padding=pad), BatchNorm(), ReLU(), MaxPool2d(2), Dropout(0.5),
            Conv2d(4, (size, 1), stride=(1, 2), padding=(pad, 0), initializer=0.1), Tanh(),
            Flatten(), Linear(6), Sigmoid(), Linear(10),
        ],
        shape,
    )  # fmt: skip


def _own() -> Network:
    """As the editor can build one: rectangles, strides, a mean pool, a norm without activation, and a softmax at the end."""
    layers = [
        Conv2d(6, (3, 5), stride=(2, 1), padding=(0, 2)), AvgPool2d((2, 3), 1), BatchNorm(), Sigmoid(), Conv2d(16, 1),
        ReLU(), MaxPool2d(3, 2), Flatten(), Linear(30), BatchNorm(), Dropout(0.2), ReLU(), Linear(5), Softmax(),
    ]  # fmt: skip
    return Network(layers, (17, 14, 1))


def _spread() -> Network:
    """Convolutions that are dilated, in groups or without a bias, pools with padding, a global pool, and bent activations."""
    layers = [
        Conv2d(8, (2, 3), padding="same", bias=False), BatchNorm(), GELU(), MaxPool2d(3, 2, padding=1),
        Conv2d(12, 3, padding=2, dilation=(2, 1), groups=4), SiLU(), AvgPool2d(3, 2, padding=1),
        Conv2d(9, (3, 1), padding=(1, 0), groups=3), LeakyReLU(0.2), Conv2d(6, 1, bias=False), GELU("tanh"), GlobalAvgPool2d(),
        Flatten(), Linear(7, bias=False), ReLU(), Linear(5),
    ]  # fmt: skip
    return Network(layers, (15, 14, 2))


NETWORKS = {
    **{name: preset.build for name, preset in PRESETS.items()},
    **{f"{size}x{size}": (lambda size=size: _of_kernels(size)) for size in (1, 2, 3, 5, 11)},
    "own": _own,
    "spread": _spread,
}
"""What builds a network, by name."""


def network_of(name: str, seed: int = 0) -> Network:
    """The network of that name with weights, biases and running statistics as after a training: none of them 0 or 1."""
    network, rng = NETWORKS[name](), np.random.default_rng(seed)
    for full, parameter in network.parameters().items():
        noise = rng.standard_normal(parameter.shape).astype(np.float32)
        if full.endswith("bias") or full.startswith("norm"):
            parameter.data += 0.2 * noise
        elif float(parameter.data.std()) < 0.02:  # presets that begin with tiny weights
            parameter.data[...] = noise * np.sqrt(2 / parameter.shape[0])
    for full, buffer in network.buffers().items():
        buffer.data += np.float32(0.2) * (rng.random(buffer.shape) if "var" in full else rng.standard_normal(buffer.shape)).astype(
            np.float32
        )
    return network


def image_for(network: Network, seed: int = 0) -> Array:
    """A random image, uint8 (height, width, channels), none of whose values are equal by design."""
    return np.random.default_rng(seed).integers(0, 256, image_shape_of(network), dtype=np.uint8)
