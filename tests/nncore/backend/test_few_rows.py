"""Linear layers of a few examples, for which the CPU has tiles of their own."""

from __future__ import annotations

import numpy as np
import pytest
import trials
from trial import check

from nncore.backend.cpu.few_rows import MOST_ROWS
from nncore.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.plan import Plan


@pytest.mark.parametrize("count", range(1, MOST_ROWS + 2))
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (5, 16), (9, 64), (8, 131), (3, 33)])
def test_each_number_of_examples(inputs: int, outputs: int, count: int) -> None:
    check(trials.linear(inputs, outputs, relu=outputs % 2 > 0, count=count).with_(spare=count % 3), "cpu")


def test_an_image_is_answered_alike_alone_and_among_others() -> None:
    """To the last bit, whichever tile and whichever way into the program it takes."""
    layers = [Conv2d(5, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(70), ReLU(), Linear(10)]
    plan = Plan(Network(layers, (14, 13, 2)), (40, 14, 13, 2), replicas=2)
    images = np.random.default_rng(0).integers(0, 256, (40, 14, 13, 2), np.uint8)
    together = plan.forward(images)
    for count in (1, 2, 3, 4, 5, 13):
        for start in range(0, 40 - count, count):
            np.testing.assert_array_equal(plan.forward(images[start : start + count]), together[start : start + count])
