"""A picture and maps of it side by side, and a map over a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.colors import DIVERGING, MAGMA
from app.widgets.map_row import MapRow, Picture, Scale
from app.widgets.overlaid import overlaid
from app.widgets.pixels import colored


@pytest.fixture
def row(themed, qtbot) -> MapRow:
    made = MapRow("maps", "maps")
    qtbot.addWidget(made)
    image = np.arange(12, dtype=np.uint8).reshape(3, 4, 1) * 20
    values = np.linspace(-0.5, 0.25, 12, dtype=np.float32).reshape(3, 4)
    made.show_pictures(
        [Picture("digit", image, image), Picture("map", colored(values, DIVERGING, -0.5, 0.5), values)],
        Scale(DIVERGING, -0.5, 0.5, "logits"),
    )
    made.resize(400, 140)
    made.show()
    return made


def test_pictures_are_as_large_as_fits_in_whole_pixels(row):
    first, second = row.picture_rect(0), row.picture_rect(1)
    assert first.width() == 4 * 41 and first.height() == 3 * 41 and second.left() > first.right()
    row.resize(1000, 77)
    assert row.picture_rect(0).height() == 3 * 20, "it is the height that is short now"
    shot = row.grab().toImage()
    assert shot.pixelColor(2, int(row.picture_rect(0).bottom()) - 3).red() == 160, "the pixel of the last row and first column"


def test_a_pixel_that_is_pointed_at_says_what_every_picture_holds_there(row):
    rect = row.picture_rect(1)
    place = QPointF(rect.left() + 2.5 * 41, rect.top() + 1.5 * 41)
    assert row.pixel_at(place) == (1, 1, 2)
    words = row.words_at(place.toPoint())
    assert words == "Row 1, column 2 (maps in logits)\ndigit: 120\nmap: −0.0909"


def test_arrows_walk_over_the_pixels_and_say_their_numbers(row):
    row.setFocus()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up):
        QTest.keyClick(row, key)
    assert row.accessibleDescription().startswith("Row 0, column 0") and "digit: 0" in row.accessibleDescription()


def test_the_table_holds_every_pixel_of_every_picture(row):
    rows = list(row.table())
    assert rows[0] == ("row", "column", "digit", "map") and len(rows) == 13
    assert rows[-1] == (2, 3, "220", "0.25")


def test_over_a_picture_a_map_covers_more_the_further_it_is_from_zero():
    image = np.full((1, 3, 1), 200, np.uint8)
    values = np.array([[-2.0, 0.0, 1.0]])
    assert np.array_equal(overlaid(image, values, DIVERGING, -2, 2, 0.0), np.full((1, 3, 3), 200)), "of no strength: the picture"
    covered = overlaid(image, values, DIVERGING, -2, 2, 1.0)
    assert np.array_equal(covered[0, 0], DIVERGING[0]) and np.array_equal(covered[0, 1], [120, 120, 120])
    assert np.allclose(covered[0, 2], 120 + (DIVERGING[-1] - 120.0) * 0.5**0.5, atol=1)
    warm = overlaid(image, np.array([[0.0, 1.0, 2.0]]), MAGMA, 0, 2, 1.0)
    assert np.array_equal(warm[0, 0], [120, 120, 120]) and np.array_equal(warm[0, 2], MAGMA[-1])
