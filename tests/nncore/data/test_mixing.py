"""Data that is mixed into a training: foreign hands, coarse scans, other colours."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.data.dataset import joined
from nncore.data.hands import FOREIGN_PROTOTYPES
from nncore.data.recoloured import recoloured
from nncore.data.scanned import scanned
from nncore.data.street import synthetic_street
from nncore.data.strokes import POINTS, stroke_table
from nncore.data.synthetic import foreign_digits, synthetic
from nncore.errors import DataError


def test_foreign_digits_are_fixed_by_their_seed_and_are_not_those_of_the_usual_hand():
    data = foreign_digits(count=300, seed=4)
    assert data.images.shape == (300, 28, 28, 1) and set(foreign_digits(count=250).class_counts()) == {25}
    np.testing.assert_array_equal(data.images[:250], foreign_digits(count=250, seed=4).images)
    assert not np.array_equal(data.images, synthetic(count=300, seed=4).images)


def test_every_foreign_prototype_stays_near_its_box():
    table = stroke_table(FOREIGN_PROTOTYPES)
    assert set(table.labels) == set(range(10)) and table.weights.shape[1] == POINTS
    points = table.weights @ table.control
    assert points.min() > -0.2 and points.max() < 1.3


def test_a_zero_of_a_foreign_hand_may_have_a_slash():
    def inside(data):
        zeros = data.images[data.labels == 0][..., 0]
        return (zeros[:, 13:16, 13:16].max(axis=(1, 2)) > 128).mean()

    assert inside(foreign_digits(count=2000)) > 0.4 > 0.2 > inside(synthetic(count=2000))


def test_scans_are_coarse_and_fixed_by_their_seed_and_lie_as_digits_of_pictures_do():
    data = synthetic(count=250)
    found = scanned(data, 1)
    np.testing.assert_array_equal(found.images, scanned(data, 1).images)
    np.testing.assert_array_equal(found.labels, data.labels)
    assert not np.array_equal(found.images, scanned(data, 2).images)
    there = found.images[..., 0] > 60
    heights, widths = there.any(axis=2).sum(axis=1), there.any(axis=1).sum(axis=1)
    assert np.median(np.maximum(heights, widths)) >= 19 and np.maximum(heights, widths).max() <= 20
    before = (data.images[..., 0] > 60).any(axis=1).sum(axis=1)
    assert (widths > before + 3).mean() > 0.2  # those that were stretched into the square


def test_an_empty_image_is_scanned_to_itself():
    data = synthetic(count=10).subset(slice(0, 1))
    empty = type(data)(np.zeros_like(data.images), data.labels, "empty")
    assert not scanned(empty).images.any()


def test_other_colours_keep_what_is_drawn_and_half_of_them_are_negatives():
    data = synthetic_street(count=250)
    found = recoloured(data, 3)
    np.testing.assert_array_equal(found.images, recoloured(data, 3).images)
    np.testing.assert_array_equal(found.labels, data.labels)
    grey = [each.images.astype(float).mean(axis=3).reshape(len(each), -1) for each in (data, found)]
    alike = np.array([np.corrcoef(one, other)[0, 1] for one, other in zip(*grey, strict=True)])
    assert np.median(np.abs(alike)) > 0.85
    assert 0.35 < (alike < 0).mean() < 0.65


def test_datasets_of_one_kind_are_joined_in_their_order():
    first, second = synthetic(count=10), foreign_digits(count=20)
    both = joined([first, second], "both")
    np.testing.assert_array_equal(both.labels, np.concatenate([first.labels, second.labels]))
    np.testing.assert_array_equal(both.images[10:], second.images)
    with pytest.raises(DataError, match="cannot be joined"):
        joined([first, synthetic_street(count=10)], "both")
