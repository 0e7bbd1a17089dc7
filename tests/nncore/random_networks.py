"""Random networks: layers, losses and optimizers of every kind with random settings, and batches that no kink lies close to.

Where a ReLU's input or the gap between a pool's two largest values is nearly zero, float32 and float64 may take different sides,
and both are right. Such batches are drawn again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gradcheck import to_float64

from nncore.arrays import Array, Shape
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss, ProbabilityCrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer

MARGIN = 3e-5
"""How far from a kink a value must be, as a share of the largest value of its layer."""
SPREAD = 0.05
"""The least standard deviation of a channel that batch norm divides by, as a share of the channel's largest value."""


@dataclass
class Sample:
    """A random network, and all that a training of it takes."""

    layers: Callable[[], list[Layer]]
    input_shape: Shape
    network_seed: int
    loss: Loss
    optimizer: Callable[[Network], Optimizer]
    batch: int
    replicas: int
    as_bytes: bool

    def build(self) -> Network:
        return Network(self.layers(), self.input_shape, self.network_seed)

    def __str__(self) -> str:
        network = self.build()
        shapes = " → ".join(f"{line.description} {line.output_shape}" for line in network.summary())
        rule = self.optimizer(network)
        settings = {name: value for name, value in vars(rule).items() if name not in ("parameters", "moments", "slots")}
        return (
            f"{self.input_shape} → {shapes}; {type(self.loss).__name__}, {type(rule).__name__} {settings}, "
            f"batch {self.batch}, {self.replicas} replicas, {'bytes' if self.as_bytes else 'floats'}"
        )


def draw(rng: np.random.Generator) -> Sample:
    """A random network; the same for the same state of `rng`."""
    batch = int(rng.integers(1, 9))
    input_shape: Shape = (*rng.integers(4, 14, 2).tolist(), int(rng.integers(1, 5)))
    if rng.random() < 0.2:
        input_shape = (int(rng.integers(1, 41)),)
    kind = rng.integers(3)
    loss: Loss = (CrossEntropyLoss(), ProbabilityCrossEntropyLoss(), HingeLoss(float(rng.uniform(0.2, 2))))[kind]
    layers: list[Layer] = []
    shape = input_shape
    for _ in range(int(rng.integers(1, 6))):
        shape = _grow(layers, _group(rng, shape, batch), shape)
    shape = _grow(layers, [Flatten()] if len(shape) == 3 else [], shape)
    for _ in range(int(rng.integers(0, 3))):
        shape = _grow(layers, _group(rng, shape, batch), shape)
    layers.append(Linear(int(rng.integers(2, 13))))
    if kind == 1:
        layers.append(Softmax())
    for layer in layers:
        if isinstance(layer, (Conv2d, Linear)) and rng.random() < 0.2:
            layer.weight_decay = float(rng.uniform(0, 0.1))
    settings = layers[:]
    return Sample(
        lambda: [copy.copy(layer) for layer in settings],
        input_shape,
        int(rng.integers(2**31)),
        loss,
        _optimizer(rng),
        batch,
        int(rng.integers(1, 4)),
        bool(rng.random() < 0.3),
    )


def _grow(layers: list[Layer], more: list[Layer], shape: Shape) -> Shape:
    """Add layers; the shape behind them."""
    for layer in more:
        shape = copy.copy(layer).build(shape, np.random.default_rng(0))
    layers += more
    return shape


def _group(rng: np.random.Generator, shape: Shape, batch: int) -> list[Layer]:
    """A layer that fits `shape`, often with those that follow it in most networks, so that kernels join them."""
    values = batch * int(np.prod(shape[:-1]))
    rare = (LeakyReLU(float(rng.uniform(0, 0.5))), GELU(), GELU("tanh"), SiLU())[rng.integers(4)]
    activation = (ReLU(), Sigmoid(), Tanh(), Softmax(), rare)[rng.choice(5, p=(0.5, 0.1, 0.15, 0.1, 0.15))]
    norm = [BatchNorm(momentum=float(rng.uniform(0, 1)), eps=float(rng.choice((1e-5, 1e-3))))] if rng.random() < 0.2 else []
    if len(shape) == 1:
        tail = (norm if batch >= 4 else []) + [activation] * (rng.random() < 0.7)
        return [
            Linear(int(rng.integers(1, 41)), bias=bool(rng.random() < 0.8)),
            *tail,
            *([Dropout(float(rng.uniform(0, 0.7)))] if rng.random() < 0.2 else []),
        ]
    rows, cols, _ = shape
    choice = rng.random()
    if choice < 0.55:
        conv = _conv(rng, shape)
        after = conv.infer_shape(shape)[:2]
        halves: list[Layer] = [MaxPool2d(2)] if min(after) >= 2 else []
        tails: list[list[Layer]] = [[], [activation], [ReLU(), *halves], [*halves, ReLU()], halves]
        tail = tails[rng.integers(5)]
        return [conv, *(norm if batch * after[0] * after[1] >= 8 else []), *tail]
    if choice < 0.8:
        size = [int(rng.integers(1, min(n, 4) + 1)) for n in (rows, cols)]
        stride = [int(rng.integers(1, 4)) for _ in range(2)]
        pools = MaxPool2d if rng.random() < 0.6 else AvgPool2d
        padding = [int(rng.integers(0, k // 2 + 1)) if rng.random() < 0.3 else 0 for k in size]
        pool: Layer = pools((size[0], size[1]), stride=(stride[0], stride[1]), padding=(padding[0], padding[1]))
        return [pool if rng.random() < 0.9 else GlobalAvgPool2d()]
    if choice < 0.9:
        return [Dropout(float(rng.uniform(0, 0.7)))]
    return [activation] if not norm or values < 8 else norm


def _conv(rng: np.random.Generator, shape: Shape) -> Conv2d:
    """A convolution that fits `shape`; one in four has a setting that few have."""
    rows, cols, channels = shape
    size = [int(rng.integers(1, 6)) for _ in range(2)]
    padding = [int(rng.integers(0, 3)) for _ in range(2)]
    size = [min(k, n + 2 * p) for k, n, p in zip(size, (rows, cols), padding, strict=True)]
    stride = [int(rng.choice((1, 2), p=(0.7, 0.3))) for _ in range(2)]
    outputs, bias, kernel = int(rng.integers(1, 21)), bool(rng.random() < 0.8), (size[0], size[1])
    match rng.choice(["dilated", "groups", "same", ""], p=(0.1, 0.1, 0.1, 0.7)):
        case "dilated":
            padding = [pad + 2 for pad in padding]
            spare = [(n + 2 * p - k) // max(1, k - 1) + 1 for n, p, k in zip((rows, cols), padding, size, strict=True)]
            dilation = [int(rng.integers(1, min(3, most) + 1)) for most in spare]
            more: dict[str, Any] = {"dilation": (dilation[0], dilation[1])}
        case "groups":
            groups = int(rng.choice([number for number in range(1, channels + 1) if channels % number == 0]))
            outputs, more = groups * int(rng.integers(1, 4)), {"groups": groups}
        case "same":
            return Conv2d(outputs, kernel, padding="same", bias=bias)
        case _:
            more = {}
    return Conv2d(outputs, kernel, stride=(stride[0], stride[1]), padding=(padding[0], padding[1]), bias=bias, **more)


def _optimizer(rng: np.random.Generator) -> Callable[[Network], Optimizer]:
    lr, decay = float(10 ** rng.uniform(-3, -1)), float(rng.choice((0, 0, 1e-3, 0.1)))
    betas, eps = (float(rng.uniform(0, 0.95)), float(rng.uniform(0.5, 0.999))), float(10 ** rng.uniform(-8, -2))
    momentum = float(rng.choice((0, 0.5, 0.9)))
    if rng.random() < 0.5:
        return lambda network: Adam(network.parameters(), lr, betas, eps, weight_decay=decay)
    return lambda network: SGD(network.parameters(), lr, momentum, weight_decay=decay)


def draw_batch(sample: Sample, network: Network, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """Images and labels with which a training step of `network` keeps clear of kinks; None where twenty draws did not."""
    for _ in range(20):
        shape = (sample.batch, *sample.input_shape)
        x = rng.integers(256, size=shape, dtype=np.uint8) if sample.as_bytes else rng.standard_normal(shape).astype(np.float32)
        labels = rng.integers(network.output_shape[-1], size=sample.batch)
        twin = copy.deepcopy(network)
        to_float64(twin)
        if _keeps_clear(twin, sample.loss, as_floats(x).astype(np.float64), labels):
            return x, labels
    return None


def as_floats(x: Array) -> Array:
    """Bytes as the numbers from 0 to 1 that a network takes."""
    return x * np.float32(1 / 255) if x.dtype == np.uint8 else x


def _keeps_clear(network: Network, loss: Loss, x: Array, labels: Array) -> bool:
    network.train()
    for layer in network.layers:
        if isinstance(layer, (ReLU, LeakyReLU)) and _is_close(x, x):
            return False
        if isinstance(layer, MaxPool2d) and layer.kernel_size != (1, 1):
            around = ((0, 0), *((pad, pad) for pad in layer.padding), (0, 0))
            padded = np.pad(x, around, constant_values=x.min() - np.abs(x).max())
            windows = np.lib.stride_tricks.sliding_window_view(padded, layer.kernel_size, axis=(1, 2))
            windows = windows[:, :: layer.stride[0], :: layer.stride[1]]
            best = np.sort(windows.reshape(*windows.shape[:4], -1), axis=-1)[..., -2:]
            if _is_close(best[..., 1] - best[..., 0], x):
                return False
        if isinstance(layer, BatchNorm):
            flat, largest = x.reshape(-1, x.shape[-1]), np.abs(x).reshape(-1, x.shape[-1]).max(axis=0)
            if ((flat.std(axis=0) <= SPREAD * largest) & (largest > 0)).any():
                return False
        x = layer.forward(x)
    if isinstance(loss, HingeLoss):
        return not _is_close(x - x[np.arange(len(x)), labels][:, None] + loss.margin, x)
    if isinstance(loss, ProbabilityCrossEntropyLoss):
        return bool((x[np.arange(len(x)), labels] > 1000 * loss.tiny).all())
    return bool(np.isfinite(x).all())


def _is_close(values: Array, layer: Array) -> bool:
    """Whether some of the values are close to zero. Exact zeros are none of these: they are so in every arithmetic."""
    return bool(((values != 0) & (np.abs(values) < MARGIN * np.abs(layer).max(initial=0.0))).any())
