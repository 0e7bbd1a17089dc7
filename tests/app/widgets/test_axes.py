"""Axes of plots: there are always at least two numbers, none twice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.widgets.axes import linear_range, linear_ticks, log_range, log_ticks, number

VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5)


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-3, 1e9), most=st.integers(0, 20))
def test_a_linear_axis_has_two_different_numbers(low, span, most):
    spacing, places = linear_ticks(low, low + span, most)
    assert len(places) >= 2 and len({number(place, spacing) for place in places}) == len(places)
    assert low - 1e-6 * spacing <= places[0] and places[-1] <= low + span + 1e-6 * spacing
    assert len(places) <= 2.5 * max(2, most) + 1


@given(low=st.floats(-290, 290), span=st.floats(0.25, 500), most=st.integers(0, 20))
def test_a_logarithmic_axis_has_two_different_numbers(low, span, most):
    high = min(low + span, 300.0)
    words = [f"{10**place:.3g}" for place in log_ticks(low, high, most)]
    assert len(words) >= 2 and len(set(words)) == len(words)


@given(values=VALUES)
@example(values=[5e-324])
def test_whatever_the_values_are_an_axis_has_two_ends(values):
    for low, high in (linear_range(np.array(values)), log_range(np.array(values))):
        assert math.isfinite(low) and math.isfinite(high) and low < high


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-2.0, 0.5, [0.01, 0.1, 1.0]), (-0.25, 0.0, [0.6, 0.7, 0.8, 0.9, 1.0]), (-0.5, 0.5, [0.5, 1.0, 2.0])],
)
def test_a_logarithmic_axis_has_round_numbers(low, high, expected):
    assert [10**place for place in log_ticks(low, high, 5)] == pytest.approx(expected)


def test_all_values_are_within_their_axis():
    values = np.array([0.02, 7.3, np.inf, 0.0])
    low, high = log_range(values)
    assert 10**low <= 0.02 and 10**high >= 7.3 and high - low < 3
    assert linear_range(values) == (0.0, 8.0) and linear_range(np.array([0.001])) == (0.0, 0.001)
