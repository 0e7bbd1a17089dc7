"""The pieces of a drawing that changes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.vision.growing import GrowingPieces
from nncore.vision.pieces import find_pieces


def line(shape: tuple[int, int], generator: np.random.Generator) -> Array:
    """One line of a pen with soft edges, somewhere, uint8."""
    height, width = shape
    start, end = generator.uniform((0, 0), (height, width), (2, 2))
    end = start + (end - start) * generator.uniform(0, 0.5)
    rows, columns = np.indices(shape)
    along, span = end - start, max(float(((end - start) ** 2).sum()), 1e-6)
    share = np.clip(((rows - start[0]) * along[0] + (columns - start[1]) * along[1]) / span, 0, 1)
    away = np.hypot(rows - start[0] - share * along[0], columns - start[1] - share * along[1])
    return np.round(255 * np.clip(generator.uniform(1, 5) + 0.5 - away, 0, 1)).astype(np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_pieces_of_a_drawing_that_changes_are_those_of_the_drawing_seen_afresh(seed):
    generator = np.random.default_rng(seed)
    growing, shape = GrowingPieces(), (60, 90)
    states = [np.zeros(shape, np.uint8)]
    for turn in range(60):
        what = generator.choice(["draw", "erase", "undo", "clear", "same"], p=[0.6, 0.25, 0.1, 0.02, 0.03])
        if what == "draw":
            states.append(np.maximum(states[-1], line(shape, generator)))
        elif what == "erase":
            states.append(np.minimum(states[-1], 255 - line(shape, generator)))
        elif what == "undo" and len(states) > 1:
            states.pop()
        elif what == "clear":
            states.append(np.zeros_like(states[-1]))
        if turn == 40:  # a wider sheet
            shape = (60, 130)
            states = [np.pad(state, ((0, 0), (0, 40))) for state in states]
        found, afresh = growing.find(states[-1]), find_pieces(states[-1] * np.float32(1 / 255))
        np.testing.assert_array_equal(found.ink, afresh.ink)
        np.testing.assert_array_equal(found.numbers, afresh.numbers)
        np.testing.assert_array_equal(found.boxes, afresh.boxes)
        for group in [*((number,) for number in range(1, len(afresh) + 1)), *pairwise(range(1, len(afresh) + 1))]:
            np.testing.assert_array_equal(found.crop(group), afresh.crop(group))  # of many the crop of an earlier state
