"""Asking a program for answers alone, where a backend has no shorter way than a run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Batches, Program, Tensor


def by_runs(program: Program, section: str, tensor: Tensor) -> Callable[[Array], Array]:
    """`Program.answering` by `Program.run`."""
    size = tensor.rows * tensor.cols * tensor.channels

    def answer(images: Array) -> Array:
        count = len(images)
        outcome = program.run(section, Batches(images, None, np.arange(count), (count,)), (tensor,))
        return outcome.values[0].reshape(count, size)

    return answer
