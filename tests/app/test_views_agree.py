"""Matrix, mistakes, scores and calibration of one evaluation count the same images."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from app.core.answers import Answers, Kind, Selection
from app.core.calibration import calibration
from app.core.scores import class_scores, macro_average, most_confused
from nncore.metrics import Evaluation


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Answers of up to 40 images and six classes, some of which are neither shown nor answered; ties are common."""
    classes, images = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    levels = draw(npst.arrays(np.float32, (images, classes), elements=st.sampled_from((0.125, 0.25, 0.5, 1.0))))
    labels = draw(npst.arrays(np.int64, images, elements=st.integers(0, classes - 1)))
    return Evaluation(1.0, levels / levels.sum(axis=1, keepdims=True), labels)


@given(evaluations())
def test_every_image_is_counted_once_in_every_view(found):
    answers, images = Answers(found), len(found.labels)
    counts, mistakes = answers.confusion, answers.select(Selection())
    assert counts.sum() == images == len(answers) and np.array_equal(
        counts.sum(axis=1), np.bincount(found.labels, minlength=len(counts))
    )
    assert len(mistakes) == counts.sum() - counts.trace() and sorted(mistakes) == sorted(found.mistakes())
    assert np.isclose(found.accuracy, counts.trace() / images)
    right, every = (answers.select(Selection(kind=kind)) for kind in (Kind.RIGHT, Kind.ALL))
    assert sorted([*right, *mistakes]) == sorted(every) == list(range(images))
    bins = calibration(found)
    assert bins.counts.sum() == images and np.isclose((bins.counts * bins.accuracies).sum(), counts.trace())
    assert 0 <= bins.error <= 1


@given(evaluations())
def test_a_cell_a_row_and_a_column_show_as_many_images_as_they_count(found):
    answers = Answers(found)
    counts = answers.confusion
    for shows in range(len(counts)):
        assert len(answers.select(Selection(Kind.ALL, shows=shows))) == counts[shows].sum()
        assert len(answers.select(Selection(Kind.ALL, answer=shows))) == counts[:, shows].sum()
        for answer in range(len(counts)):
            assert len(answers.select(Selection(Kind.ALL, shows, answer))) == counts[shows, answer]


@given(evaluations())
def test_scores_follow_from_the_counts_and_a_share_of_nothing_is_none(found):
    counts = Answers(found).confusion
    scores = class_scores(counts)
    assert sum(score.images for score in scores) == counts.sum() == macro_average(scores).images
    sums = (values.tolist() for values in (counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)))
    for score, hits, shown, answered in zip(scores, *sums, strict=True):
        assert (score.recall is None) is (shown == 0) and (score.precision is None) is (answered == 0)
        assert (score.f1 is None) is (shown + answered == 0)
        if score.precision and score.recall:
            assert np.isclose(score.f1, 2 / (1 / score.precision + 1 / score.recall))
        assert score.recall is None or np.isclose(score.recall * shown, hits)
    recalls = [score.recall or 0.0 for score in scores]
    assert np.isclose(np.dot(recalls, counts.sum(axis=1)) / counts.sum(), found.accuracy)
    wrong = counts.sum() - counts.trace()
    assert sum(often for _, _, often in most_confused(counts, counts.size)) == wrong
