"""A deliberate fault in each file of kernels turns a check red: one a file here, all of them by check_faults.py."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import trials
from trial import Trial, check
from trials import square

from nncore.backend.contract import Window
from nncore.backend.cuda import host
from nncore.backend.cuda.sources import FOLDER, kernels
from nncore.data.augment import Augmentation
from tests.nncore.backend.cuda.check_faults import FAULTS, TESTS, Fault, kernel_of, put_in

QUICK: dict[str, tuple[str, Trial]] = {
    "clip.cu": ("sums[t] += sums[t + half]", trials.clip(0.5)),
    "conv.cu": ("above += x_row;", trials.conv((5, 6, 3), 5, square(3), (1, 1))),
    "dropout.cu": ("bits >> 15", trials.dropout((4, 5, 3), 0.3)),
    "elementwise.cu": ("1 - y * y", trials.activation_backward("tanh", (4, 5, 3))),
    "loss.cu": ("c == label ? (1 - smoothing) * share : 0", trials.loss("cross_entropy", 10)),
    "norm.cu": ("apart * apart * a.values * part", trials.batch_norm((4, 3, 5), True)),
    "pooled.cu": ("who.at[h] = CUT", trials.conv_pool((7, 8, 3), 5, square(3), (1, 1), True)),
    "pooling.cu": ("value > best", trials.max_pool((7, 8, 3), Window((3, 2), (2, 1)))),
    "product.cu": ("        __syncthreads();\n        for (int k = 0", trials.linear(70, 33)),
    "softmax.cu": ("grad[c] - total", trials.activation_backward("softmax", (4, 5, 3))),
    "take.cu": ("at / width * y_row", trials.take((5, 6, 3), True, (1, 2))),
    "update.cu": ("theta[at.i] -= at.lr * g;", trials.update("sgd", (0.1,), 0.03)),
}
"""By the file: which of its faults, by what it replaces, and the operation that shows it."""


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo whatever `put_in` changes."""
    if shutil.which("g++") is None:
        pytest.skip("the GPU's kernels run on the CPU only where g++ is installed")
    monkeypatch.setattr(host, "text", host.text)
    monkeypatch.setattr(host, "_functions", {})


def fault_of(file: str, old: str) -> Fault:
    return next(fault for fault in FAULTS if fault[:2] == (file, old))


@pytest.mark.parametrize("file", QUICK)
def test_a_fault_is_found(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one of the two orders of threads at least: a barrier that is missing may show in one alone."""
    old, trial = QUICK[file]
    put_in(fault_of(file, old))
    with pytest.raises(AssertionError):
        for order in (0, 1):
            monkeypatch.setattr(host.HostDevice, "order", order)
            check(trial, "cuda-host")


def test_a_fault_in_the_variation_of_images_is_found() -> None:
    images = np.random.default_rng(0).integers(256, size=(5, 9, 8, 3), dtype=np.uint8)
    augmentation = Augmentation(rotate=20, noise=20)

    def apart() -> int:
        ours, expected = (
            augmentation(images, np.random.default_rng(1), device).astype(int) for device in ("cuda-host", "reference")
        )
        return int(np.abs(ours - expected).max())

    assert apart() <= 1
    put_in(fault_of("vary.cu", "clamped(value, 255) + 0.5f"))
    put_in(fault_of("vary.cu", "d + across * (e - d)"))
    assert apart() > 1


def test_the_tables_name_what_is_there() -> None:
    """Each piece stands in its file, once; each file and each kernel has a fault."""
    for fault in FAULTS:
        assert (FOLDER / fault[0]).read_text("utf-8").count(fault[1]) >= 1, fault
    assert {fault[0] for fault in FAULTS} == TESTS.keys() == {kernel.file for kernel in kernels().values()}
    assert QUICK.keys() | {"vary.cu"} == TESTS.keys()


def test_each_kernel_has_a_fault() -> None:
    wrapped = {"relu", "relu_back", "sigmoid", "sigmoid_back", "tanh", "tanh_back"}  # one line each, all they do is shared
    assert kernels().keys() - {kernel_of(fault) for fault in FAULTS} <= wrapped
