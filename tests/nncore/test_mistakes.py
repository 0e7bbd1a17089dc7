"""What a user can get wrong ends in an error of its own kind that names the layer and both shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.presets import PRESETS
from nncore.errors import ConfigError, DataError, WeightsError
from nncore.initializers import INITIALIZERS, he_normal, he_uniform, initializer, normal, xavier_normal, xavier_uniform, zeros
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, layer_from_config
from nncore.layers.cost import LARGEST_NETWORK, MOST_MULTIPLY_ADDS, MOST_VALUES
from nncore.losses import CrossEntropyLoss, HingeLoss, ProbabilityCrossEntropyLoss
from nncore.network import Network, total_cost
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
    lambda: Network([Linear(4)], (0,)),
    lambda: Network([Linear(4)], (2.5,)),
    lambda: Network([Linear(4)], (10**8,)),
    lambda: Network([Linear(4)], 4),  # type: ignore[arg-type]
    lambda: Network([Linear(4)], "4"),  # type: ignore[arg-type]
    lambda: Network([Linear(4)], ()),
    lambda: Network([ReLU()], (1, 2, 3, 4)),
    lambda: Network([Linear(4)], (4,), seed=-1),
    lambda: Network([Linear(4)], (4,), seed=0.5),  # type: ignore[arg-type]
    lambda: he_normal((), np.random.default_rng(0)),
    lambda: he_uniform((0, 3), np.random.default_rng(0)),
    lambda: xavier_normal((2.5, 3), np.random.default_rng(0)),  # type: ignore[arg-type]
    lambda: xavier_uniform(3, np.random.default_rng(0)),  # type: ignore[arg-type]
    lambda: zeros((10**5, 10**5), np.random.default_rng(0)),
    lambda: normal(float("nan")),
    lambda: normal(-1),
    lambda: initializer(None),  # type: ignore[arg-type]
    lambda: initializer(float("inf")),
    lambda: initializer(True),
    lambda: layer_from_config({"type": "Convolution"}),
    lambda: layer_from_config({"type": ["Linear"]}),
    lambda: layer_from_config(None),  # type: ignore[arg-type]
    lambda: layer_from_config({"type": "Linear", "size": 3}),
    lambda: layer_from_config({"type": "Linear"}),
]


NUMBERS: dict[str, Callable[[Any], Any]] = {
    "weight_decay": lambda value: Linear(4, weight_decay=value),
    "standard deviation": lambda value: Conv2d(4, 3, initializer=value),
    "p": lambda value: Dropout(value),
    "momentum": lambda value: BatchNorm(momentum=value),
    "eps": lambda value: BatchNorm(eps=value),
    "margin": lambda value: HingeLoss(value),
    "L2": lambda value: L2(value),
    "learning rate": lambda value: SGD({}, value),
    "The momentum": lambda value: SGD({}, 0.1, value),
    "betas": lambda value: Adam({}, betas=(0.9, value)),
    "two betas": lambda value: Adam({}, betas=value),
    "Adam's eps": lambda value: Adam({}, eps=value),
    "gamma": lambda value: StepLR(SGD({}, 0.1), 1, value),
}
NO_NUMBERS = [float("nan"), float("inf"), -float("inf"), -1, True, None, "1", 10**5000, 1e300, 1j, [0.5], np.array([0.5])]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_numbers_that_are_none_are_refused_by_name(name: str, value: Any) -> None:
    if name == "standard deviation" and isinstance(value, str):
        return  # a name, and refused elsewhere
    with pytest.raises(ConfigError, match=name) as caught:
        NUMBERS[name](value)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


SIZES: dict[str, Callable[[Any], Any]] = {
    "out_channels": lambda value: Conv2d(value, 3),
    "kernel_size": lambda value: Conv2d(4, value),
    "stride": lambda value: Conv2d(4, 3, stride=value),
    "out_features": Linear,
    "kernel_size ": MaxPool2d,
    "stride ": lambda value: AvgPool2d(2, value),
}
NO_SIZES = [0, -1, 2.0, 2.5, True, None, "2", float("nan"), 10**9, 10**5000, np.float64(2), np.array([2, 2]), (1, 2, 3), (2, 0)]


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("value", NO_SIZES, ids=range(len(NO_SIZES)))
def test_sizes_that_are_none_are_refused_by_name(name: str, value: Any) -> None:
    if name == "stride " and value is None:
        return  # the kernel's own size
    with pytest.raises(ConfigError, match=name.strip()) as caught:
        SIZES[name](value)
    assert len(str(caught.value)) < 250


def test_a_padding_may_be_nothing_but_not_less() -> None:
    for value in (-1, 0.5, None, (0, -1), 10**9):
        with pytest.raises(ConfigError, match="padding"):
            Conv2d(4, 3, padding=value)  # type: ignore[arg-type]
    assert Conv2d(4, 3, padding=0).padding == (0, 0)


def test_sizes_and_numbers_of_numpy_are_taken_as_pythons_own() -> None:
    network = Network(
        [
            Conv2d(np.int64(2), np.int32(3), stride=np.int8(1), padding=(np.int64(1), 0)),  # type: ignore[arg-type]
            MaxPool2d(np.int64(2)),  # type: ignore[arg-type]
            BatchNorm(momentum=np.float32(0.5), eps=np.float64(1e-3)),  # type: ignore[arg-type]
            Flatten(),
            Dropout(np.float64(0.5)),
            Linear(np.uint8(3), initializer=np.float32(0.5), weight_decay=np.float16(0.5)),  # type: ignore[arg-type]
        ],
        np.array([8, 8, 1])[:].tolist(),
        seed=np.int64(4),  # type: ignore[arg-type]
    )
    assert json.loads(json.dumps(network.config())) == {
        "input_shape": [8, 8, 1],
        "layers": [
            {
                "type": "Conv2d",
                "out_channels": 2,
                "kernel_size": [3, 3],
                "stride": [1, 1],
                "padding": [1, 0],
                "dilation": [1, 1],
                "groups": 1,
                "bias": True,
                "initializer": "he_normal",
                "weight_decay": 0.0,
            },
            {"type": "MaxPool2d", "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]},
            {"type": "BatchNorm", "momentum": 0.5, "eps": 1e-3},
            {"type": "Flatten"},
            {"type": "Dropout", "p": 0.5},
            {"type": "Linear", "out_features": 3, "bias": True, "initializer": 0.5, "weight_decay": 0.5},
        ],
        "seed": 4,
    }
    assert Network([Linear(2)], (np.int64(3),)).input_shape == (3,)


SURPLUS: list[tuple[Callable[[], Any], str]] = [
    (lambda: Conv2d(1, 8, 3), r"Conv2d takes out_channels and kernel_size .*by name, for instance Conv2d\(8, 3, padding=1\)"),
    (lambda: Conv2d(1, 8, 3, stride=2), "by name"),
    (lambda: Conv2d(4, 3, 1, 0, "he_normal", 0.0), "by name"),
    (lambda: Linear(784, 10), r"Linear takes out_features alone, .*Linear\(10, "),
    (lambda: Linear(10, "zeros"), "by name"),
    (lambda: MaxPool2d(3, 2, 1), r"MaxPool2d takes kernel_size and stride in that order.*MaxPool2d\(3, stride=2, padding=1\)"),
    (lambda: AvgPool2d(3, 2, 1), "AvgPool2d"),
    (lambda: MaxPool2d((3, 2), padding=(1, 2)), "at most half of its kernel_size: 1×2 is too much for 3×2"),
    (lambda: Conv2d(4, 3, padding="same", stride=2), 'padding="same" needs a stride of 1, not 2×2'),
    (lambda: Conv2d(4, 3, padding="full"), "padding must be a whole number"),
    (lambda: Conv2d(4, 3, groups=3), "4 channels cannot be split into 3 groups"),
    (lambda: Network([Conv2d(4, 3, groups=2)], (5, 5, 3)), "takes images whose channels are a multiple of its 2 groups"),
    (lambda: Network([Conv2d(4, 3, dilation=3)], (6, 9, 3)), "takes images of at least 7×7 with padding"),
    (lambda: BatchNorm(1), r"BatchNorm\(momentum=0.1\)"),
]


@pytest.mark.parametrize(("make", "words"), SURPLUS, ids=range(len(SURPLUS)))
def test_pytorchs_habit_is_told_what_to_write_instead(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()


TOO_LARGE: list[tuple[list[Any], tuple[int, ...], str]] = [
    ([lambda: Conv2d(1, 1, padding=20_000)], (28, 28, 1), "values for each example up to conv1"),
    ([lambda: Flatten(), lambda: Linear(10**7)], (28, 28, 1), "parameters up to linear1"),
    ([lambda: Linear(1)] + [lambda: Linear(14_000)] * 3, (28,), "parameters up to linear4"),
    ([lambda: Conv2d(1, 3, padding=1)] * 3 + [lambda: Conv2d(1, 1, padding=5_000)], (28, 28, 1), "up to conv4"),
    ([lambda: Conv2d(1, 1, padding=999), lambda: MaxPool2d(200, 1)], (28, 28, 1), "multiply-adds for each example up to pool1"),
    ([lambda: Conv2d(1, 1, padding=999), lambda: AvgPool2d(200, 1)], (28, 28, 1), "multiply-adds for each example up to avgpool1"),
    ([lambda: Conv2d(4000, 1), lambda: Conv2d(4000, 1)], (28, 28, 1), "multiply-adds for each example up to conv2"),
    ([lambda: ReLU()] * 1001, (4,), "at most 1,000"),
    ([lambda: Conv2d(1, 300)], (300, 300, 1), "kernel_size may have at most 65,536"),
    ([lambda: MaxPool2d((1, 70_000))], (1, 70_000, 1), "kernel_size may have at most 65,536"),
    ([lambda: ReLU()], (10_000, 10_000, 3), "values for each example up to relu1"),
]


@pytest.mark.parametrize(("makers", "shape", "words"), TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_what_would_take_too_much_is_refused_before_anything_is_allocated(
    makers: list[Any], shape: tuple[int, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Layer] = []
    monkeypatch.setattr(Layer, "build", lambda layer, *_: built.append(layer))
    with pytest.raises(ConfigError, match=words):
        Network([make() for make in makers], shape)
    assert not built


def test_every_preset_is_far_from_the_bounds() -> None:
    for each in PRESETS.values():
        cost = total_cost(list(each.layers()), each.input_shape)
        assert 20 * cost.parameters < LARGEST_NETWORK and 50 * cost.values < MOST_VALUES
        assert 20 * cost.multiply_adds < MOST_MULTIPLY_ADDS


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
