"""Blends of two images, and the targets that go with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nncore.data.blended import blended
from nncore.data.dataset import UNKNOWN
from nncore.data.street import synthetic_street
from nncore.errors import DataError


def test_an_image_is_blended_as_its_targets_are():
    data = synthetic_street(count=200)
    found = blended(data, 3)
    np.testing.assert_array_equal(found.images, blended(data, 3).images)
    assert not np.array_equal(found.images, blended(data, 4).images)
    assert found.targets is not None and found.targets.dtype == np.float32
    np.testing.assert_allclose(found.targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found.labels, found.targets.argmax(axis=1))
    others = np.flatnonzero((found.targets > 0).sum(axis=1) == 2)
    assert len(others) > 150  # the others are blends of two of the same class
    for place in others[:20]:
        own = data.labels[place]
        share, other = found.targets[place, own], int(np.delete(found.targets[place], own).argmax())
        other += other >= own
        if 0.1 < share < 0.9:  # what is left of the other image is more than what rounding leaves
            rest = (found.images[place] - share * data.images[place]) / (1 - share)
            distances = np.abs(data.images - rest).mean(axis=(1, 2, 3))
            assert distances.min() < 5 and data.labels[distances.argmin()] == other


def test_blends_of_targets_are_blends_of_these_and_not_of_labels():
    data = synthetic_street(count=50)
    even = replace(data, targets=np.full((50, 10), 0.1, np.float32))
    np.testing.assert_allclose(blended(even, 1).targets, 0.1, rtol=1e-6)
    with pytest.raises(DataError, match="nobody says"):
        blended(replace(data, labels=np.full(50, UNKNOWN)))
