"""Each operation of every backend by itself against the reference backend, at sizes that kernels find hard."""

from __future__ import annotations

import itertools
from typing import Any

import layer_trials
import numpy as np
import pytest
import trials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trial import ON_EACH_DEVICE, Recording, Trial, check, record, run
from trials import adam_rates, adamw_rates, square

from nncore.backend.contract import Weights, Window
from nncore.backend.cpu.operations import OPERATIONS
from nncore.backend.cpu.tuning import MOST_MOMENTS
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cuda.sources import kernels
from nncore.backend.vector import Vector
from nncore.errors import ConfigError, NotCompilable

CHANNELS = (1, 3, 5, 8, 16, 17, 33)
"""Numbers of channels around those that fill vectors of 8 and of 16 values."""
PAIRS = [(C, CHANNELS[(place + step) % len(CHANNELS)]) for place, C in enumerate(CHANNELS) for step in (0, 1, 3)]
"""Each with itself, with the next and with one far off; other pairs come up below, where geometries are drawn."""
ACTIVATIONS, SHAPES = ("relu", "sigmoid", "tanh", "softmax"), ((4, 5, 3), (1, 1, 33))


def by_tiles(trial: Trial) -> Trial:
    """By Winograd's filtering where a device has it, which rounds: see test_winograd.py."""
    return trial.with_(exact=False, tolerance=5e-6)


TRIALS: dict[str, Trial] = {
    "take bytes": trials.take((5, 6, 3), True, (1, 2)),
    "take floats": trials.take((5, 6, 3), False, (2, 0)),
    "take none": trials.take((5, 6, 3), True, (1, 1), count=0),
    **{f"linear {E} to {O}": trials.linear(E, O, relu=E % 2 > 0) for E, O in PAIRS},
    **{f"linear back {E} to {O}": trials.linear_backward(E, O, E % 2 > 0) for E, O in PAIRS},
    "linear, large enough to be packed": trials.linear(700, 70, True, count=41),
    "linear back, large": trials.linear_backward(700, 70, True, count=41),
    "linear, a row": trials.linear(1, 33, count=1),
    **{f"conv {C} to {O}": trials.conv((6, 7, C), O, square(3), (1, 1), O % 2 > 0) for C, O in PAIRS},
    **{
        f"conv back {C} to {O}": trials.conv_backward((6, 7, C), O, square(3), (1, 1), O % 2 > 0)
        for C, O in PAIRS
    },
    "conv, large enough to be packed": trials.conv((9, 8, 64), 65, square(3), (1, 1), True, count=3),
    "conv back, larger than the cache": trials.conv_backward((40, 37, 9), 8, square(3), (1, 1)),
    **{
        f"conv and pool {C} to {O}": trials.conv_pool((7, 2 * LANES + 6, C), O, square(3), (1, 1), O % 2 > 0)
        for C, O in PAIRS
    },
    "conv and pool of grey images": trials.conv_pool((9, 8, 1), 16, square(5), (2, 2), True, with_input=False),
    "conv and pool, five by two vectors": trials.conv_pool(
        (9, 8, 3), 6, Window((5, 5), (1, 1)), (2, 2), True, with_input=False
    ),
    **{f"conv by tiles of {r}": by_tiles(trials.conv((9, 7, 9), 17, square(r), (2, 1), True)) for r in (3, 5)},
    **{f"conv back by tiles of {r}": by_tiles(trials.conv_backward((9, 7, 9), 17, square(r), (1, 2), True)) for r in (3, 5)},
    "conv and pool by tiles": by_tiles(trials.conv_pool((9, 7, 9), 17, square(3), (1, 1), True, backward=False)),
    **{f"{name} of {x}": trials.activation(name, x, (1, 2)) for name in ACTIVATIONS for x in SHAPES},
    **{
        f"{name} back of {x}{' in place' * place}": trials.activation_backward(name, x, place)
        for name in ACTIVATIONS
        for x in SHAPES
        for place in (False, True)
    },
    **{f"max pool of {C}": trials.max_pool((7, 8, C), Window((3, 2), (2, 1))) for C in CHANNELS},
    **{f"avg pool of {C}": trials.avg_pool((7, 8, C), Window((3, 2), (2, 1))) for C in CHANNELS},
    **{f"batch norm of {C}": trials.batch_norm((4, 3, C), C % 2 > 0, True, C != 5) for C in CHANNELS},
    **{f"batch norm of vectors of {C}": trials.batch_norm((1, 1, C), C % 2 > 0, count=12) for C in CHANNELS},
    **{f"batch norm of {C} in use": trials.batch_norm((4, 3, C), C % 2 > 0, False) for C in CHANNELS},
    "dropout": trials.dropout((4, 5, 3), 0.3),
    "dropout of vectors": trials.dropout((1, 1, 33), 0.5),
    "dropout of almost all": trials.dropout((1, 1, 100), 0.99),
    **{f"cross entropy of {classes}": trials.loss("cross_entropy", classes) for classes in (1, 2, 10, 33)},
    **{f"smoothed cross entropy of {classes}": trials.loss("cross_entropy", classes, (0.3,)) for classes in (1, 2, 10, 33)},
    **{f"probability of {classes}": trials.loss("probability", classes) for classes in (2, 10, 33)},
    **{f"hinge of {classes}": trials.loss("hinge", classes, (0.7,)) for classes in (1, 2, 10, 33)},
    "clipped": trials.clip(0.5),
    "clipped, large": trials.clip(0.5, 170, 330),
    "not clipped": trials.clip(1000.0),
    "sgd": trials.update("sgd", (0.1,), 0.0),
    "sgd with decay": trials.update("sgd", (0.1,), 0.03, 33, 17),
    "momentum": trials.update("momentum", (0.1, 0.9), 0.03),
    "momentum, its own rate": trials.update("momentum", (0.1, 0.9), 0.03, 33, 17, lr_mult=0.3),
    "nesterov": trials.update("nesterov", (0.1, 0.9), 0.03, 33, 17, lr_mult=0.3),
    "adamw, first step": trials.update("adamw", adamw_rates(0.1, 0.9, 0.999, 1e-8, 1), 0.0),
    "adamw, later": trials.update("adamw", adamw_rates(0.1, 0.7, 0.99, 1e-3, 30), 0.3, 33, 17, lr_mult=0.3),
    "a frozen weight": trials.freeze("weight"),
    "a frozen bias": trials.freeze("bias"),
    "adam, first step": trials.update("adam", adam_rates(0.1, 0.9, 0.999, 1e-8, 1), 0.0),
    "adam, later": trials.update("adam", adam_rates(0.1, 0.7, 0.99, 1e-3, 30), 0.03, 33, 17),
}  # fmt: skip

QUIET = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
ANYTHING = settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=QUIET)
CPU_ALONE = (
    {
        f"soft target cross entropy of {classes}, smoothed by {share}": trials.loss("soft_target_cross_entropy", classes, (share,))
        for classes in (1, 2, 10, 33)
        for share in (0.0, 0.3)
    }
    | {
        f"{name} of {classes}, smoothed by {share}": trials.loss(name, classes, (tuple(0.5 + c % 3 for c in range(classes)), share))
        for name in ("weighted_cross_entropy", "weighted_soft_target_cross_entropy")
        for classes in (1, 10)
        for share in (0.0, 0.3)
    }
    | layer_trials.TRIALS
)
"""What the GPU has no kernel for: there the readable path takes its place."""

channels, flags = st.sampled_from(CHANNELS), st.booleans()


@ON_EACH_DEVICE
@pytest.mark.parametrize("name", TRIALS)
def test_trial(name: str, device: str) -> None:
    check(TRIALS[name], device)


@pytest.mark.parametrize("replicas", [2, 3])
@pytest.mark.parametrize("name", [name for name in TRIALS if " to " not in name or name.endswith((" 3 to 5", " 16 to 17"))])
def test_trial_of_replicas(name: str, replicas: int) -> None:
    """A batch shared by several replicas, in a program that was recorded for a larger one."""
    check(TRIALS[name].with_(replicas=replicas, spare=2), "cpu")


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("name", CPU_ALONE)
def test_trial_on_the_cpu_alone(name: str, replicas: int) -> None:
    check(CPU_ALONE[name].with_(replicas=replicas, spare=2), "cpu")
    with pytest.raises(NotCompilable):
        record(CPU_ALONE[name], "cuda-host")


PADDED = ("take", "conv", "max pool", "avg pool", "batch norm", "dropout", *ACTIVATIONS)


@ON_EACH_DEVICE
@pytest.mark.parametrize("name", [name for name in TRIALS if name.startswith(PADDED) and " back" not in name])
def test_the_padding_of_an_output_stays_zero(name: str, device: str) -> None:
    """A convolution by a single pixel of ones, which reads the output with its padding, finds only zeros there."""
    trial = TRIALS[name]

    def build(recording: Recording) -> None:
        trial.build(recording)
        y = recording.outputs[0]
        assert any(y.padding)
        total = recording.record.tensor(y.rows + 2 * y.padding[0], y.cols + 2 * y.padding[1], 1)
        ones = Weights(recording.parts["ones"].start, recording.parts["zero"].start)
        recording.record.conv2d(y, ones, square(1), total, False)
        recording.outputs = [total, y]

    ones = {"ones": np.ones((100, 1)), "zero": np.zeros(1)}
    found = run(trial.with_(build=build, parameters=trial.parameters | ones), device)
    total, y = found["output 0"][..., 0], found["output 1"]
    top, left = ((outer - inner) // 2 for outer, inner in zip(total.shape[1:], y.shape[1:3], strict=True))
    total[:, top : top + y.shape[1], left : left + y.shape[2]] = 0
    assert not total.any()


def test_every_operation_has_a_trial() -> None:
    recorded = {
        row.operation
        for trial in (*TRIALS.values(), *CPU_ALONE.values())
        for row in record(trial, "cpu")[0].record.rows
        if row.operation
    }  # type: ignore[attr-defined]
    assert recorded == OPERATIONS.keys()


def test_every_kernel_of_the_gpu_has_a_trial() -> None:
    recorders: list[Any] = [record(trial, "cuda-host")[0].record for trial in TRIALS.values()]
    launched = {kernel for recorder in recorders for kernel, _ in recorder.record.kernel_keys()}
    assert kernels().keys() - launched == {"vary"}  # which belongs to the data, not to a network


@st.composite
def geometries(draw: Any, largest: int = 7) -> dict[str, Any]:
    """A convolution that gives at least two rows and cols, of any kernel, stride, padding and batch."""
    size, stride, padding, more = (
        (draw(st.integers(least, most)), draw(st.integers(least, most))) for least, most in ((1, largest), (1, 3), (0, 3), (0, 6))
    )
    least = (max(1, k + s - 2 * p) for k, s, p in zip(size, stride, padding, strict=True))
    rows, cols = (low + extra for low, extra in zip(least, more, strict=True))
    return {"x": (rows, cols, draw(channels)), "window": Window(size, stride), "padding": padding}


def split(trial: Trial, replicas: int) -> Trial:
    return trial.with_(replicas=replicas, spare=replicas)


counts, replica_counts = st.sampled_from((0, 1, 2, 7)), st.integers(1, 3)


@ON_EACH_DEVICE
@ANYTHING
@given(geometries(), channels, flags, counts, replica_counts)
def test_any_convolution(device: str, geometry: dict[str, Any], outputs: int, relu: bool, count: int, replicas: int) -> None:
    check(split(trials.conv(**geometry, outputs=outputs, relu=relu, count=count), replicas), device)


@ON_EACH_DEVICE
@ANYTHING
@given(geometries(), channels, flags, flags, counts, replica_counts)
def test_any_convolution_back(
    device: str, geometry: dict[str, Any], outputs: int, relu: bool, with_input: bool, count: int, replicas: int
) -> None:
    check(split(trials.conv_backward(**geometry, outputs=outputs, relu=relu, with_input=with_input, count=count), replicas), device)


@ON_EACH_DEVICE
@ANYTHING
@given(geometries(), channels, flags, flags, counts, replica_counts)
def test_any_convolution_with_pool(
    device: str, geometry: dict[str, Any], outputs: int, relu: bool, with_input: bool, count: int, replicas: int
) -> None:
    check(split(trials.conv_pool(**geometry, outputs=outputs, relu=relu, with_input=with_input, count=count), replicas), device)


@ON_EACH_DEVICE
@ANYTHING
@given(st.integers(LANES, 3 * LANES), st.integers(2, 9), st.integers(3, LANES), channels, flags, flags, replica_counts)
def test_any_convolution_with_pool_of_few_channels(
    device: str, cols: int, rows: int, outputs: int, inputs: int, relu: bool, with_input: bool, replicas: int
) -> None:
    """Rows of windows at least as long as a vector, and fewer channels than that: they are done by planes."""
    trial = trials.conv_pool((rows, 2 * cols + rows % 2, inputs), outputs, square(3), (1, 1), relu, with_input=with_input)
    check(split(trial, replicas), device)


@ON_EACH_DEVICE
@ANYTHING
@given(st.integers(1, 150), st.integers(1, 70), flags, flags, counts, replica_counts)
def test_any_linear_layer(device: str, inputs: int, outputs: int, relu: bool, with_input: bool, count: int, replicas: int) -> None:
    check(split(trials.linear(inputs, outputs, relu, count), replicas), device)
    check(split(trials.linear_backward(inputs, outputs, relu, with_input, count), replicas), device)


@st.composite
def pools(draw: Any) -> tuple[tuple[int, int, int], Window]:
    size, stride, more = (
        (draw(st.integers(least, most)), draw(st.integers(least, most))) for least, most in ((1, 5), (1, 4), (0, 6))
    )
    return (size[0] + more[0], size[1] + more[1], draw(channels)), Window(size, stride)


@ON_EACH_DEVICE
@ANYTHING
@given(pools(), counts, replica_counts)
def test_any_pool(device: str, pool: tuple[tuple[int, int, int], Window], count: int, replicas: int) -> None:
    check(split(trials.max_pool(*pool, count=count), replicas), device)
    check(split(trials.avg_pool(*pool, count=count), replicas), device)


def broken(*shape: int, share: float, infinities: bool = True) -> np.ndarray:
    """Whole numbers, some of which have been replaced by NaN and by infinities."""
    values, rng = trials.whole_numbers(*shape), np.random.default_rng(11)
    what = rng.random(shape)
    values[what < share] = np.nan
    if infinities:
        values[(what >= share) & (what < 2 * share)] = np.inf
        values[(what >= 2 * share) & (what < 3 * share)] = -np.inf
    return values


SHARES = (0.003, 0.03, 0.3)


@ON_EACH_DEVICE
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("C", CHANNELS)
def test_what_is_not_finite_passes_through_max_pooling(C: int, share: float, device: str) -> None:
    for window in (square(2, 2), Window((3, 2), (2, 1)), Window((1, 5), (1, 2))):
        check(trials.max_pool((8, 9, C), window, backward=False, count=3, values=broken(3, 8, 9, C, share=share)), device)


@ON_EACH_DEVICE
@pytest.mark.parametrize("position", range(6))
def test_a_single_nan_wherever_it_stands_in_the_window(position: int, device: str) -> None:
    for C, first in itertools.product(CHANNELS, (0.0, 9.0, np.inf)):
        values = np.zeros((1, 2, 3, C), np.float32)
        values[0, 0, 0], values[0, position // 3, position % 3] = first, np.nan
        trial = trials.max_pool((2, 3, C), Window((2, 3), (1, 1)), backward=False, count=1, values=values)
        check(trial, device)
        assert np.isnan(run(trial, device)["output 0"]).all()


@ON_EACH_DEVICE
@pytest.mark.parametrize("C", CHANNELS)
def test_infinities_win_and_get_the_gradient(C: int, device: str) -> None:
    values = broken(3, 8, 9, C, share=0.1)
    check(trials.max_pool((8, 9, C), Window((3, 2), (2, 1)), count=3, values=np.where(np.isnan(values), -np.inf, values)), device)


@ON_EACH_DEVICE
@pytest.mark.parametrize("share", SHARES)
def test_what_is_not_finite_passes_through_relu(share: float, device: str) -> None:
    for x in ((4, 5, 3), (1, 1, 33), (7, 7, 16)):
        check(trials.activation("relu", x, count=3, values=broken(3, *x, share=share)), device)


@ON_EACH_DEVICE
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("outputs", CHANNELS)
def test_what_is_not_finite_passes_through_convolution_and_pooling(outputs: int, share: float, relu: bool, device: str) -> None:
    """By each of the ways that a convolution with pooling is done: see nncore/backend/cpu/conv_pool.py."""
    for cols, C in ((6, 2), (2 * LANES + 3, 1)):
        values = broken(2, 7, cols, C, share=share)
        common = {"x": (7, cols, C), "outputs": outputs, "window": square(3), "padding": (1, 1), "relu": relu, "values": values}
        check(trials.conv_pool(**common, backward=False), device)  # type: ignore[arg-type]


@ON_EACH_DEVICE
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("outputs", CHANNELS)
def test_weights_that_are_not_finite(outputs: int, relu: bool, device: str) -> None:
    for trial in (
        trials.linear(5, outputs, relu),
        trials.conv((5, 6, 2), outputs, square(2), relu=relu),
        trials.conv_pool((5, 6, 2), outputs, square(2), relu=relu, backward=False),
    ):
        for value in (np.nan, np.inf, -np.inf):
            parameters = {name: values.copy() for name, values in trial.parameters.items()}
            parameters["weight"][..., outputs // 2] = value
            check(trial.with_(parameters=parameters), device)


def test_an_argument_too_many_or_too_few_fails_while_recording() -> None:
    recorder: Any = record(TRIALS["linear 3 to 5"], "cpu")[0].record
    right = {"x": (0, 0), "pitch": 3}
    for wrong in ({"x": 0}, {"x": 0, "pitch": 3, "rows": 1}, {"x": 0, "pitches": 3}, right):
        with pytest.raises(TypeError, match="zero takes"):
            recorder.add("zero", **wrong)
    with pytest.raises(NotCompilable):
        recorder.add("no such kernel")


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_what_a_backend_does_not_know_fails_while_recording(device: str) -> None:
    for wrong in (trials.loss("squares", 3), trials.activation("mish", (1, 1, 3)), trials.activation_backward("mish", (1, 1, 3))):
        with pytest.raises(NotCompilable):
            record(wrong, device)
    for name, constants in (("hinge", (1.0, 2.0)), ("cross_entropy", (0.1, 1.0)), ("probability", (1.0,))):
        with pytest.raises((TypeError, ValueError)):
            record(trials.loss(name, 3, constants), device)


def test_a_third_running_average_fails_while_recording() -> None:
    trial = TRIALS["adam, first step"]
    assert MOST_MOMENTS == 2
    with pytest.raises(ConfigError, match="running averages"):
        record(trial.with_(moments=3), "cpu")
    record(trial.with_(moments=3), "reference")


def test_a_recorder_needs_no_parameters() -> None:
    vector = record(trials.activation("relu", (1, 1, 3)), "cpu")[1]
    assert isinstance(vector, Vector) and vector.parameters == 0
