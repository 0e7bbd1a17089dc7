"""What the detector says of sketches that it never learned, and that these are others than those that it learned."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.held_out_shapes import OTHER_DRAWINGS
from models.shipped import digit_detector
from nncore.recognition import DIGIT_FROM
from nncore.vision import centre_digit
from scripts.marks import pen, sketches


def test_what_chooses_and_what_measures_is_not_what_is_learned():
    kinds = set(sketches.named("learned")), set(sketches.named("held_out")), set(OTHER_DRAWINGS)
    assert min(map(len, kinds)) > 20 and len(set.union(*kinds)) == sum(map(len, kinds))


@pytest.mark.parametrize("which", ["learned", "held_out"])
def test_every_sketch_can_be_drawn(which):
    rng = np.random.default_rng(0)
    for sketch in sketches.named(which).values():
        ink = pen.inked(pen.bent(sketches.sketched(sketch, rng), rng), 3.0)
        assert 0.02 < ink.mean() < 0.5


def test_few_sketches_that_it_never_learned_are_digits():
    rng = np.random.default_rng(5)
    images = np.stack([centre_digit(sketches.sketch("held_out", rng)) for _ in range(200)])[..., None]
    assert np.mean(digit_detector()(images) >= DIGIT_FROM) <= 0.09
