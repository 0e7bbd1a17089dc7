"""What is measured: networks, batch sizes, and the ratios that are to be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nncore.arrays import Shape
from nncore.layers import BatchNorm, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.parameter import Parameter

GREY, COLOUR = (28, 28, 1), (32, 32, 3)


def mnist_cnn() -> list[Layer]:
    return [
        Conv2d(16, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(32, 3, padding=1), ReLU(), MaxPool2d(2),
        Flatten(), Linear(64), ReLU(), Linear(10),
    ]  # fmt: skip


def svhn_lenet() -> list[Layer]:
    return [
        Conv2d(6, 5, padding=2), MaxPool2d(2), ReLU(), Conv2d(16, 3, padding=1), MaxPool2d(2), ReLU(),
        Flatten(), Linear(256), ReLU(), Linear(10),
    ]  # fmt: skip


def mnist_mlp() -> list[Layer]:
    return [Flatten(), Linear(512), ReLU(), Linear(64), ReLU(), Linear(10)]


def batch_norm() -> list[Layer]:
    return [
        Conv2d(16, 3, padding=1), BatchNorm(), ReLU(), Conv2d(16, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2),
        Conv2d(32, 3, padding=1), BatchNorm(), ReLU(), Conv2d(32, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2),
        Flatten(), Linear(64), BatchNorm(), ReLU(), Linear(10),
    ]  # fmt: skip


def five_by_five() -> list[Layer]:
    return [Conv2d(16, 5), ReLU(), Conv2d(32, 5), ReLU(), Conv2d(32, 5), ReLU(), Flatten(), Linear(10)]


def stride_two() -> list[Layer]:
    return [
        Conv2d(32, 3, stride=2, padding=1), ReLU(), Conv2d(64, 3, stride=2, padding=1), ReLU(),
        Conv2d(64, 3, stride=2, padding=1), ReLU(), Flatten(), Linear(10),
    ]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One network at one batch size, trained or asked. `data` is a dataset made by code; `optimizer` adam or sgd."""

    name: str
    layers: Callable[[], list[Layer]]
    input_shape: Shape
    batch: int
    train: bool = True
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    of_default: float | None = None
    """The ratio to PyTorch's default layout that is to be reached, …"""
    of_best: float = 1.2
    """… and to its best one."""
    of_onnx: float | None = None
    """The ratio to ONNX Runtime, whatever suits it best, that is to be reached; None where it is not raced."""

    @property
    def data(self) -> str:
        return "synthetic" if self.input_shape == GREY else "synthetic-street"


CASES = [
    Case("mnist-cnn, batch 32", mnist_cnn, GREY, 32, of_default=3.5, of_best=2.5),
    Case("mnist-cnn, batch 128", mnist_cnn, GREY, 128, of_default=3.5, of_best=2.5),
    Case("svhn-lenet, batch 250", svhn_lenet, COLOUR, 250, optimizer="sgd", learning_rate=1e-2, of_default=3.0, of_best=1.8),
    Case("mnist-mlp, batch 32", mnist_mlp, GREY, 32, optimizer="sgd", learning_rate=1e-4, of_best=1.3),
    Case("batch norm, batch 64", batch_norm, GREY, 64),
    Case("5×5 kernels, batch 64", five_by_five, GREY, 64),
    Case("stride 2, batch 64", stride_two, GREY, 64),
    Case("mnist-cnn, one image", mnist_cnn, GREY, 1, train=False, of_best=2.0, of_onnx=1.2),
    Case("mnist-cnn, 1,000 images", mnist_cnn, GREY, 1000, train=False, of_best=2.0, of_onnx=1.5),
]


@dataclass(frozen=True)
class Trained:
    """A network that is trained on a GPU, and by which rule."""

    name: str
    layers: Callable[[], list[Layer]]
    input_shape: Shape
    optimizer: str = "adam"
    learning_rate: float = 1e-3

    def rule(self, parameters: Mapping[str, Parameter]) -> Optimizer:
        return Adam(parameters, self.learning_rate) if self.optimizer == "adam" else SGD(parameters, self.learning_rate)


GPU_NETWORKS = [
    Trained("mnist-cnn", mnist_cnn, GREY),
    Trained("svhn-lenet", svhn_lenet, COLOUR, "sgd", 1e-2),
    Trained("mnist-mlp", mnist_mlp, GREY, "sgd", 1e-4),
    Trained("batch norm", batch_norm, GREY),
]
"""What is counted, and raced, on a GPU."""
