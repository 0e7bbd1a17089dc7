"""Operations at the sizes that CUDA kernels find hard: each instance, large tiles, shares without work, odd rests, no example."""

from __future__ import annotations

import itertools

import pytest
import trials
from trial import ON_EACH_CUDA_DEVICE, Trial, check, record, taken
from trials import square

from nncore.backend.contract import Window
from nncore.backend.cuda.convolution import POOLED_KERNELS

CHANNELS = (1, 33, 66, 4)
"""Those that threads take one, one, two and four of at a time; one, two and three blocks of 32."""


def pooled(K: int, C: int, O: int, count: int, relu: bool = True) -> Trial:
    """An odd number of rows, and a padding of all that the kernel can reach besides."""
    return trials.conv_pool((2 * K + 1, 7, C), O, square(K), (K // 2, K - 1), relu, count=count)


TRIALS = {
    **{
        f"pooled {K}x{K}, {C} to {O}": pooled(K, C, O, 3, O != 66)
        for K, (C, O) in itertools.product(POOLED_KERNELS, ((1, 66), (66, 4), (4, 33), (33, 1)))
    },
    **{f"pooled, {count} of 5": pooled(3, 2, 4, count).with_(spare=5 - count) for count in (0, 1, 2)},
    "pooled, a kernel as large as the image": trials.conv_pool((4, 5, 2), 3, square(5), (1, 1), True),
    "pooled, so many windows that more than 64 blocks share them": trials.conv_pool((64, 64, 1), 32, square(1), count=36),
    "pooled, one window": trials.conv_pool((2, 2, 1), 1, square(1), count=1),
    "pooled, a kernel for which nothing is joined": trials.conv_pool((8, 9, 2), 3, Window((6, 3), (1, 1)), (1, 1), True),
    **{f"conv {C} to {O}": trials.conv((5, 6, C), O, square(3), (1, 1), True) for C, O in itertools.product(CHANNELS, CHANNELS)},
    **{
        f"conv back {C} to {O}": trials.conv_backward((5, 6, C), O, square(3), (1, 1), True)
        for C, O in itertools.product(CHANNELS, CHANNELS)
    },
    **{f"conv, {count} of 5": trials.conv((5, 6, 4), 8, square(3), count=count).with_(spare=5 - count) for count in (0, 1, 2)},
    **{
        f"conv back, {count} of 5": trials.conv_backward((5, 6, 4), 8, square(3), count=count).with_(spare=5 - count)
        for count in (0, 1, 2)
    },
    "conv, large tiles": trials.conv((66, 64, 1), 5, square(1), count=4),
    "conv back, large tiles": trials.conv_backward((66, 64, 1), 5, square(1), count=4),
    "conv, large tiles of whole vectors": trials.conv((67, 64, 4), 64, square(1), count=4),
    "conv back, large tiles of whole vectors": trials.conv_backward((67, 64, 4), 64, square(1), count=4),
    **{f"linear {E} to {O}": trials.linear(E, O, True, count=3) for E, O in itertools.product(CHANNELS, CHANNELS)},
    **{f"linear back {E} to {O}": trials.linear_backward(E, O, True, count=3) for E, O in itertools.product(CHANNELS, CHANNELS)},
    "linear, large tiles": trials.linear(3, 1090, True, count=1025),
    "linear back, large tiles": trials.linear_backward(1090, 1089, count=2),
    "linear back, large tiles of inputs": trials.linear_backward(1090, 3, count=1025),
    "linear, a sum in shares": trials.linear(1601, 3, True, count=5),
    **{f"linear, a sum in shares, {count} of 5": trials.linear(1601, 3, count=count).with_(spare=5 - count) for count in (0, 1)},
    **{
        f"linear back, {count} of 200": trials.linear_backward(5, 3, count=count).with_(spare=200 - count)
        for count in (0, 1, 65, 199)
    },
    **{f"take, {count} of 9": trials.take((5, 3, 3), True, (1, 2), count).with_(spare=9 - count) for count in (0, 1, 5)},
    **{
        f"{loss}, {count} of {count + spare}": trials.loss(loss, 10, constants, count=count).with_(spare=spare)
        for loss, constants in (("cross_entropy", (0.2,)), ("probability", ()), ("hinge", (0.7,)))
        for count, spare in ((0, 4), (1, 3), (300, 0))
    },
    **{
        f"batch norm, {count} of 300": trials.batch_norm((2, 3, 33), True, count=count).with_(spare=300 - count)
        for count in (1, 99)
    },
    **{f"batch norm of {C}": trials.batch_norm((2, 3, C), True) for C in (1, 66)},
    "batch norm, an offset of thousands": trials.batch_norm((3, 3, 5), count=40, offset=3000.0).with_(tolerance=3e-4),
    **{f"max pool, {count} of 5": trials.max_pool((7, 8, 3), Window((3, 2), (1, 3)), count=count) for count in (0, 1)},
    **{f"avg pool, {count} of 5": trials.avg_pool((7, 8, 3), Window((3, 2), (1, 3)), count=count) for count in (0, 1)},
    **{f"softmax of {C}": trials.activation("softmax", (2, 3, C), (1, 1)) for C in (1, 66)},
    "softmax of large scores": trials.activation("softmax", (1, 2, 3), values=trials.whole_numbers(2, 1, 2, 3, top=300)),
    "dropout of none": trials.dropout((2, 3, 1), 0.5, count=0),
}  # fmt: skip


@ON_EACH_CUDA_DEVICE
@pytest.mark.parametrize("name", TRIALS)
def test_size(name: str, device: str) -> None:
    check(TRIALS[name], device)


@pytest.mark.parametrize("name", [name for name, trial in TRIALS.items() if trial.spare])
def test_nothing_is_written_behind_the_last_example(name: str) -> None:
    """A program for more examples than there are: what lies there stays zero."""
    trial = TRIALS[name]
    recording, _program, *_ = taken(trial, "cuda-host")  # the memory is the program's
    for tensor in recording.outputs:
        corner = tensor.place.offset - tensor.padding[0] * tensor.row_pitch - tensor.padding[1] * tensor.channels
        memory = tensor.place.room.buffer[corner + trial.count * tensor.pitch :]
        assert len(memory) == trial.spare * tensor.pitch
        assert not memory.any()


def test_every_instance_of_the_pooled_kernels_has_a_trial() -> None:
    found = {key for trial in TRIALS.values() for key in record(trial, "cuda-host")[0].record.record.kernel_keys()}  # type: ignore[attr-defined]
    names = ("pooled_convolution", "pooled_convolution_input_gradient", "pooled_convolution_weight_gradient")
    assert found >= {(name, (K, CH)) for name in names for K in POOLED_KERNELS for CH in (1, 2, 4)}
    assert found >= {("product", (tile,)) for tile in (32, 64)}
