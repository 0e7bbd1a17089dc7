"""`make bench ARGS=doubt`: what it counts, and that its pictures are fixed by their seed."""

from __future__ import annotations

import numpy as np

from benchmarks.doubt import shares, told
from benchmarks.strange_pictures import KINDS, pictures
from nncore.recognition import Verdict
from tests.nncore.test_verdicts import digit


def test_one_sure_digit_makes_a_picture_surely_one_of_digits():
    nothing, unsure, sure = digit(1, likeness=0.0), digit(1, 0.3), digit(1)
    assert told([]) is told([nothing]) is Verdict.NO_DIGIT
    assert told([nothing, unsure]) is Verdict.UNSURE and told([unsure, sure, nothing]) is Verdict.SURE
    assert shares([Verdict.SURE, Verdict.NO_DIGIT]) == {Verdict.SURE: 0.5, Verdict.UNSURE: 0.0, Verdict.NO_DIGIT: 0.5}


def test_the_same_seed_gives_the_same_pictures():
    for kind in KINDS:
        (one, more), (again,), (other,) = pictures(kind, 2, seed=1), pictures(kind, 1, seed=1), pictures(kind, 1, seed=2)
        assert np.array_equal(one.picture, again.picture)
        assert not np.array_equal(one.picture, other.picture) and not np.array_equal(one.picture, more.picture)
