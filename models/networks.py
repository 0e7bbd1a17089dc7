"""The layers of every preset: functions that return them fresh, in order."""

from __future__ import annotations

from collections.abc import Sequence

from nncore.checks import shown
from nncore.errors import ConfigError
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Sigmoid, Tanh

ACTIVATIONS: dict[str, type[Layer]] = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}


def mnist_cnn() -> list[Layer]:
    return [
        Conv2d(16, 3, padding=1), ReLU(), MaxPool2d(2),
        Conv2d(32, 3, padding=1), ReLU(), MaxPool2d(2),
        Flatten(), Linear(64), ReLU(), Linear(10),
    ]  # fmt: skip


def mnist_mlp() -> list[Layer]:
    """Weights start as a normal times 0.01."""
    return [Linear(512, initializer=0.01), ReLU(), Linear(64, initializer=0.01), ReLU(), Linear(10, initializer=0.01)]


def mlp(sizes: Sequence[int] = (128, 64, 10), activation: str = "relu", weight_decays: Sequence[float] = ()) -> list[Layer]:
    """Linear layers of the given sizes with an activation between them, and a weight decay for each (none: all zero).

    Raises ConfigError where there is no such activation, or the decays are not one a layer.
    """
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ConfigError(f"There is no activation {shown(activation)}; there are {', '.join(ACTIVATIONS)}.")
    if not all(isinstance(numbers, (list, tuple)) for numbers in (sizes, weight_decays)):
        raise ConfigError(
            f"A perceptron takes a list of sizes and a list of weight decays, not {shown(sizes)}, {shown(weight_decays)}."
        )
    decays = list(weight_decays) or [0.0] * len(sizes)
    if not sizes or len(decays) != len(sizes):
        raise ConfigError(f"A perceptron needs one weight decay a layer, but has {len(decays)} for {len(sizes)} layers.")
    first = "he_normal" if activation == "relu" else "xavier_normal"
    layers: list[Layer] = [Flatten()]
    for size, decay in zip(sizes, decays, strict=True):
        layers += [Linear(size, initializer=first, weight_decay=decay), ACTIVATIONS[activation]()]
    return layers[:-1]


def svhn_lenet() -> list[Layer]:
    return [
        Conv2d(6, 5, padding=2), MaxPool2d(2), ReLU(),
        Conv2d(16, 3, padding=1), MaxPool2d(2), ReLU(),
        Flatten(), Linear(256), ReLU(), Linear(10),
    ]  # fmt: skip


def svhn_mlp() -> list[Layer]:
    return [Flatten(), Linear(1024), ReLU(), Linear(10)]


def two_layer() -> list[Layer]:
    return [Flatten(), Linear(100, initializer=0.01), ReLU(), Linear(10, initializer=0.01)]


def fully_connected(
    sizes: Sequence[int] = (100, 100, 100), classes: int = 10, batch_norm: bool = True, dropout: float = 0.2
) -> list[Layer]:
    """{linear, [batch norm], ReLU, [dropout]} for each hidden size, then a linear layer to the classes."""
    layers: list[Layer] = [Flatten()]
    for size in sizes:
        layers += [Linear(size), *([BatchNorm()] if batch_norm else []), ReLU(), *([Dropout(dropout)] if dropout else [])]
    return [*layers, Linear(classes)]


def kaggle_cnn() -> list[Layer]:
    return [
        Conv2d(8, 3, padding=1), ReLU(), MaxPool2d(2),
        Flatten(), Linear(100), ReLU(), Linear(100), ReLU(), Linear(10),
    ]  # fmt: skip


def alexnet_mini() -> list[Layer]:
    """AlexNet's five convolutions, overlapping pools and two wide linear layers (Krizhevsky et al. 2012), for 28×28."""
    return [
        Conv2d(32, 5, padding=2), ReLU(), MaxPool2d(3, stride=2),
        Conv2d(64, 3, padding=1), ReLU(), MaxPool2d(3, stride=2),
        Conv2d(96, 3, padding=1), ReLU(), Conv2d(96, 3, padding=1), ReLU(),
        Conv2d(64, 3, padding=1), ReLU(), MaxPool2d(3, stride=2),
        Flatten(), Dropout(0.5), Linear(512), ReLU(), Dropout(0.5), Linear(512), ReLU(), Linear(10),
    ]  # fmt: skip


def digitlab_mnist() -> list[Layer]:
    """Six 3×3 convolutions, the early ones cheap: their pools come before batch norm, which then has a quarter of the values."""
    return [
        Conv2d(16, 3), ReLU(), Conv2d(24, 3), ReLU(), MaxPool2d(2), BatchNorm(),
        Conv2d(48, 3), BatchNorm(), ReLU(), Conv2d(64, 3), ReLU(), MaxPool2d(2), BatchNorm(),
        Conv2d(128, 3, padding=1), BatchNorm(), ReLU(), Conv2d(128, 3, padding=1), BatchNorm(), ReLU(),
        AvgPool2d(2), Flatten(), Dropout(0.3), Linear(10),
    ]  # fmt: skip


def svhn_six() -> list[Layer]:
    """As `digitlab_mnist`, wider, for 32×32 in colour; what is at the edge, mostly parts of other digits, is seen by few units."""
    return [
        Conv2d(24, 3), ReLU(), Conv2d(32, 3), ReLU(), MaxPool2d(2), BatchNorm(),
        Conv2d(64, 3), BatchNorm(), ReLU(), Conv2d(64, 3), ReLU(), MaxPool2d(2), BatchNorm(), Dropout(0.1),
        Conv2d(128, 3, padding=1), BatchNorm(), ReLU(), Conv2d(160, 3), BatchNorm(), ReLU(),
        Flatten(), Dropout(0.5), Linear(10),
    ]  # fmt: skip


def digitlab_svhn() -> list[Layer]:
    """`svhn_six`, of whose answers it learns, and one convolution more."""
    return [
        Conv2d(24, 3), ReLU(), Conv2d(32, 3), ReLU(), MaxPool2d(2), BatchNorm(),
        Conv2d(64, 3), BatchNorm(), ReLU(), Conv2d(64, 3), BatchNorm(), ReLU(),
        Conv2d(80, 3, padding=1), ReLU(), MaxPool2d(2), BatchNorm(), Dropout(0.1),
        Conv2d(128, 3, padding=1), BatchNorm(), ReLU(), Conv2d(160, 3), BatchNorm(), ReLU(),
        Flatten(), Dropout(0.5), Linear(10),
    ]  # fmt: skip
