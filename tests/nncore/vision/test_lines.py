"""Lines, columns, tables and their order, from boxes alone."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.vision.lines import find_lines


def boxes_at(*places: tuple[float, float], height: int = 40, width: int = 25) -> Array:
    """Boxes with their upper left corners at (row, column)."""
    return np.array([(row, column, row + height, column + width) for row, column in places], np.int64)


def order(boxes: Array) -> list[list[int]]:
    return [list(line.bodies) for line in find_lines(boxes).lines]


def test_lines_that_rise_are_read_from_left_to_right() -> None:
    columns = (400, 450, 500, 0, 50, 100)  # with a gap as wide as between columns
    layout = find_lines(boxes_at(*[(line * 70 + 200 - 0.2 * column, column) for line in range(3) for column in columns]))
    assert [list(line.bodies) for line in layout.lines] == [[6 * line + each for each in (3, 4, 5, 0, 1, 2)] for line in range(3)]
    assert abs(layout.slope + 0.2) < 0.02 and layout.columns == 1


def test_a_table_is_read_across_and_columns_one_after_the_other() -> None:
    left = [(line * 70.0, column) for line in range(3) for column in (0, 40)]
    level, between = ([(row + shift, column + 400) for row, column in left] for shift in (0, 35))
    assert order(boxes_at(*left, *level)) == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
    apart = find_lines(boxes_at(*left, *between))
    assert [list(line.bodies) for line in apart.lines] == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]] and apart.columns == 2


def test_small_pieces_belong_to_the_line_that_they_stand_in() -> None:
    boxes = np.concatenate([boxes_at((0, 0), (0, 50), (100, 0), (100, 50)), boxes_at((105, 27), (45, 300), height=5, width=5)])
    lines = find_lines(boxes).lines
    assert [line.parts for line in lines] == [(), (4,)], "the second one stands alone, and is dirt"


def test_no_boxes_are_no_lines() -> None:
    assert find_lines(np.zeros((0, 4), np.int64)).lines == ()
