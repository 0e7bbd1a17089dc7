"""Digits drawn by code: fixed by the seed, balanced, placed like MNIST's, and told apart."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.data.fonts import FONT_SIDE, font_fields, font_outlines
from nncore.data.street import synthetic_street
from nncore.data.strokes import POINTS, PROTOTYPES, stroke_table
from nncore.data.synthetic import COUNTS, HANDWRITING, Style, draw_digits, synthetic
from nncore.errors import ConfigError, DataError


@pytest.mark.parametrize("draw", [synthetic, synthetic_street])
def test_the_seed_fixes_the_bytes_whatever_the_count(draw) -> None:
    some, more = draw(count=300, seed=5), draw(count=520, seed=5)
    np.testing.assert_array_equal(some.images, more.images[:300])
    np.testing.assert_array_equal(some.labels, more.labels[:300])
    assert not np.array_equal(some.images, draw(count=300, seed=6).images)
    assert not np.array_equal(some.images, draw("test", 300, 5).images)


def test_sizes_and_balance() -> None:
    data = synthetic("test")
    assert data.images.shape == (COUNTS["test"], 28, 28, 1) and data.images.dtype == np.uint8
    assert set(data.class_counts()) == {COUNTS["test"] // 10}
    street = synthetic_street(count=250)
    assert street.images.shape == (250, 32, 32, 3) and set(street.class_counts()) == {25}


def test_digits_lie_as_in_mnist() -> None:
    images = synthetic(count=500).images[..., 0].astype(float)
    mass = images.sum(axis=(1, 2))
    for axis in (1, 2):
        balance = images.sum(axis=3 - axis) @ np.arange(28) / mass
        assert np.abs(balance - 14).max() < 0.6
    there = images > 60
    # Only a long tail far from the centre of mass reaches the border.
    assert (there[:, [0, -1]].any(axis=(1, 2)) | there[:, :, [0, -1]].any(axis=(1, 2))).mean() < 0.05
    heights, widths = there.any(axis=2).sum(axis=1), there.any(axis=1).sum(axis=1)
    longest = np.maximum(heights, widths)
    assert longest.max() <= 20 and np.median(longest) >= 19
    # Bright ink on black, of about MNIST's amount: a tenth to a fifth of the picture.
    assert 0.08 < images.mean() / 255 < 0.2


def test_digits_of_a_class_resemble_each_other_more_than_other_digits() -> None:
    train, test = synthetic(count=2000), synthetic("test", 500)
    seen = train.images.reshape(2000, -1).astype(np.float32)
    asked = test.images.reshape(500, -1).astype(np.float32)
    distance = (seen**2).sum(axis=1) - 2 * asked @ seen.T
    nearest = train.labels[distance.argmin(axis=1)]
    assert (nearest == test.labels).mean() > 0.75


def test_every_prototype_runs_through_its_own_ends() -> None:
    table = stroke_table()
    assert table.labels.tolist() == [digit for digit, variants in PROTOTYPES.items() for _ in variants]
    np.testing.assert_allclose(table.weights.sum(axis=2), 1, atol=1e-5)
    points = table.weights @ table.control
    assert points.shape == (len(table.labels), POINTS, 2) and points.min() > -0.2 and points.max() < 1.3
    for row, variant in enumerate(variant for variants in PROTOTYPES.values() for variant in variants):
        first = [float(number) for number in variant[0].split()[0].split(",")]
        last = [float(number) for number in variant[-1].split()[-1].split(",")]
        np.testing.assert_allclose(points[row, [0, -1]], [first, last], atol=1e-5)


def test_type_is_drawn_where_asked_for() -> None:
    labels = np.arange(10)
    still = Style(font_share=1, slant=(0, 0), turn=0, warp=0, uneven=0, aspect=(1, 1))
    ink = draw_digits(labels, still, np.random.default_rng(0))
    fields = font_fields()
    assert fields.shape == (10, FONT_SIDE, FONT_SIDE) and font_outlines().shape == (10, 64, 2)
    for digit in range(10):
        # The zero has a hole in the middle, the one has none: each digit looks like its own glyph and no other.
        rows = np.flatnonzero((fields[digit] > 0).any(axis=1))
        columns = np.flatnonzero((fields[digit] > 0).any(axis=0))
        drawn = ink[digit] > 0.5
        proportion = np.ptp(np.flatnonzero(drawn.any(axis=0))) / np.ptp(np.flatnonzero(drawn.any(axis=1)))
        assert proportion == pytest.approx(np.ptp(columns) / np.ptp(rows), abs=0.15)
    assert ink[0, 8:12, 9:11].max() < 0.5 < ink[8, 8:12, 9:11].max()


def test_a_thicker_pen_leaves_more_ink() -> None:
    labels = np.arange(10).repeat(5)
    amounts = [
        draw_digits(labels, Style(font_share=0, pen=(radius, radius + 0.01)), np.random.default_rng(1)).sum()
        for radius in (0.8, 1.4, 2.2)
    ]
    assert amounts[0] < 0.8 * amounts[1] < 0.64 * amounts[2]


def test_street_digits_stand_out_from_the_wall() -> None:
    images = synthetic_street(count=250).images.astype(float)
    middle = images[:, 6:26, 10:22].mean(axis=3)
    assert np.median(np.ptp(middle.reshape(250, -1), axis=1)) > 60


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(DataError, match='"train" and "test"'):
        synthetic("extra")
    for count in (0, -1, 10_000_000):
        with pytest.raises(ConfigError, match="at a time"):
            synthetic(count=count)
    with pytest.raises(ConfigError, match="seed"):
        synthetic_street(count=1, seed=-1)
    assert HANDWRITING.font_share < 0.5
