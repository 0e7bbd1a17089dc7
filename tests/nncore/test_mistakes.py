"""What a user can get wrong ends in an error of its own kind that names the layer and both shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncore.errors import ConfigError, DataError, WeightsError
from nncore.initializers import INITIALIZERS, initializer
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Layer, Linear, MaxPool2d, ReLU, layer_from_config
from nncore.losses import CrossEntropyLoss, HingeLoss, ProbabilityCrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam
from nncore.regularizers import L2
from nncore.schedulers import CosineAnnealingLR, ExponentialLR, MultiStepLR, OneCycleLR, StepLR

MISFITS: list[tuple[list[Layer], tuple[int, ...], list[str]]] = [
    ([Conv2d(4, 5)], (3, 8, 1), ["conv1", "5×5", "3×8×1"]),
    ([Conv2d(4, 3)], (9,), ["conv1", "3×3", "9"]),
    ([MaxPool2d(3)], (2, 8, 1), ["pool1", "3×3", "2×8×1"]),
    ([AvgPool2d((2, 9))], (8, 8, 1), ["avgpool1", "2×9", "8×8×1"]),
    ([Conv2d(4, 3), ReLU(), Linear(10)], (8, 8, 1), ["linear1", "linear 10", "6×6×4"]),
    ([BatchNorm()], (3, 3), ["norm1", "3×3"]),
    ([Linear(5), Conv2d(4, 3)], (9,), ["conv1", "conv 4 · 3×3", "5"]),
]


@pytest.mark.parametrize(("layers", "shape", "words"), MISFITS)
def test_layers_that_do_not_fit(layers: list[Layer], shape: tuple[int, ...], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Network(layers, shape)
    assert all(word in str(caught.value) for word in words), caught.value


BAD: list[Callable[[], Any]] = [
    lambda: Conv2d(0, 3),
    lambda: Conv2d(4, 0),
    lambda: Conv2d(4, (3, 3, 3)),  # type: ignore[arg-type]
    lambda: Conv2d(4, 3, stride=0),
    lambda: Conv2d(4, 3, padding=-1),
    lambda: Conv2d(4, 3, weight_decay=-1),
    lambda: Conv2d(4, True),
    lambda: Linear(0),
    lambda: Linear(2.5),  # type: ignore[arg-type]
    lambda: Linear(4, weight_decay=float("nan")),
    lambda: Network([Linear(4, initializer="he")], (3,)),
    lambda: Network([Linear(4, initializer=-1.0)], (3,)),
    lambda: MaxPool2d(0),
    lambda: MaxPool2d("2"),  # type: ignore[arg-type]
    lambda: AvgPool2d(2, 0),
    lambda: BatchNorm(momentum=2),
    lambda: BatchNorm(eps=0),
    lambda: Dropout(1.0),
    lambda: Dropout("half"),  # type: ignore[arg-type]
    lambda: HingeLoss(0),
    lambda: L2(-1),
    lambda: SGD({}, 0),
    lambda: SGD({}, 0.1, 1.0),
    lambda: SGD({}, 0.1, weight_decay=-1),
    lambda: Adam({}, betas=(0.9, 1.0)),
    lambda: Adam({}, eps=0),
    lambda: StepLR(SGD({}, 0.1), 0),
    lambda: StepLR(SGD({}, 0.1), 5, 0),
    lambda: MultiStepLR(SGD({}, 0.1), [3, 2]),
    lambda: ExponentialLR(SGD({}, 0.1), 0.9, 0),
    lambda: CosineAnnealingLR(SGD({}, 0.1), 0),
    lambda: CosineAnnealingLR(SGD({}, 0.1), 5, 2),
    lambda: OneCycleLR(SGD({}, 0.1), 0),
    lambda: OneCycleLR(SGD({}, 0.1), 10, 1.5),
    lambda: layer_from_config({"type": "Convolution"}),
    lambda: layer_from_config({"type": "Linear", "size": 3}),
    lambda: layer_from_config({"type": "Linear"}),
]


@pytest.mark.parametrize("make", BAD, ids=range(len(BAD)))
def test_settings_that_make_no_sense(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize("loss", [CrossEntropyLoss(), HingeLoss(), ProbabilityCrossEntropyLoss()])
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([0, 10]), ["between 0 and 9", "10"]),
        (np.array([-1, 3]), ["between 0 and 9", "-1"]),
        (np.array([1, 2, 3]), ["(2, 10)", "(3,)"]),
        (np.array([1.0, 2.0]), ["(2, 10)", "float64"]),
        (np.zeros((2, 9)), ["(2, 10)", "(2, 9)"]),
    ],
)
def test_labels_that_do_not_fit(loss: Any, labels: np.ndarray, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        loss(np.full((2, 10), 0.1), labels)
    assert all(word in str(caught.value) for word in words), caught.value


def test_scores_without_classes() -> None:
    for loss in (CrossEntropyLoss(), HingeLoss()):
        with pytest.raises(DataError):
            loss(np.zeros((2, 3, 10)), np.zeros(2, int))


def test_batch_norm_cannot_train_on_a_single_value() -> None:
    network = Network([Linear(3), BatchNorm()], (2,))
    network.train()
    with pytest.raises(DataError, match="norm1"):
        network.forward(np.ones((1, 2), np.float32))
    network.eval()
    assert network.forward(np.ones((1, 2), np.float32)).shape == (1, 3)


def test_state_that_belongs_elsewhere() -> None:
    network = Network([Linear(3), BatchNorm()], (2,))
    state = network.state_dict()
    assert set(state) == {"linear1.weight", "linear1.bias", "norm1.weight", "norm1.bias", "norm1.running_mean", "norm1.running_var"}
    del state["norm1.running_var"]
    with pytest.raises(WeightsError, match=r"norm1\.running_var"):
        network.load_state_dict(state)
    with pytest.raises(WeightsError, match=r"linear1\.weight is 2×4.*2×3"):
        network.load_state_dict(Network([Linear(4), BatchNorm()], (2,)).state_dict())


@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_initializers(name: str) -> None:
    weight = initializer(name)((3, 3, 40, 60), np.random.default_rng(0))
    assert weight.dtype == np.float32 and weight.shape == (3, 3, 40, 60)
    variance = {"he": 2 / 360, "xavier": 2 / (360 + 540), "zeros": 0}[name.split("_")[0]]
    assert weight.var() == pytest.approx(variance, rel=0.03)
    assert weight.mean() == pytest.approx(0, abs=0.001)
    if name.endswith("uniform"):
        assert abs(weight).max() == pytest.approx((3 * variance) ** 0.5, rel=0.01)


def test_normal_initializer_of_a_layer() -> None:
    network = Network([Linear(500, initializer=0.01)], (500,))
    assert network.parameters()["linear1.weight"].data.std() == pytest.approx(0.01, rel=0.02)
    assert Network.from_config(network.config()).config() == network.config()
