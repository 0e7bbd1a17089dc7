"""Smoothing of curves."""

from __future__ import annotations

import numpy as np
import pytest

from app.smoothing import smoothed


def test_smoothing_is_true_from_the_first_value_on():
    values = np.array([4.0, 2.0, 1.0, 1.0])
    expected = [4, (0.9 * 4 + 2) / 1.9, (0.81 * 4 + 0.9 * 2 + 1) / 2.71, (0.729 * 4 + 0.81 * 2 + 0.9 + 1) / 3.439]
    assert smoothed(values, 0.9) == pytest.approx(expected)
    assert smoothed(np.full(50, 3.25)) == pytest.approx(3.25)


def test_what_is_not_a_number_has_no_part_in_smoothing():
    found = smoothed(np.array([4.0, np.inf, 2.0, np.nan]), 0.9)
    assert found[[0, 2]] == pytest.approx(smoothed(np.array([4.0, 2.0]), 0.9)) and np.isnan(found[[1, 3]]).all()


def test_without_weight_the_values_stay_as_they_are():
    values = np.array([4.0, np.inf, 2.0])
    assert smoothed(values, 0) is values
