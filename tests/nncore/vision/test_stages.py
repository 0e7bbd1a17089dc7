"""The stages on the way to digits, each alone."""

from __future__ import annotations

import numpy as np

from benchmarks.drawn_pages import on_paper, page, ruled, seen_from, shaded, written
from nncore.arrays import Array
from nncore.vision.cuts import find_cuts, sliced
from nncore.vision.ink import ink_of
from nncore.vision.light import brightness, evened, find_paper
from nncore.vision.lines import find_lines
from nncore.vision.pen import written as may_be_written
from nncore.vision.pieces import find_pieces
from nncore.vision.rules import without_rules
from nncore.vision.segments import part
from nncore.vision.sheet import find_sheet

INK, _ = written(["3805"], seed=1)


def test_the_edge_of_a_shadow_is_no_ink_and_what_lies_in_it_is_as_dark() -> None:
    light = evened(brightness(shaded(on_paper(INK), 0.4, 0.4)))
    ink = ink_of(light.depth)
    assert not light.dark_paper and 0.3 < light.weakest < 0.5
    assert np.abs(ink - INK).mean() < 0.01 and ink[INK == 0].mean() < 0.003


def test_paper_is_told_from_ink_across_a_shadow() -> None:
    for picture, dark in ((on_paper(INK), False), (255 - on_paper(INK), True)):
        assert find_paper(brightness(shaded(picture, 0.4, 1.2))).dark == dark


def test_black_and_white_do_not_differ_more_in_colour_than_in_grey() -> None:
    colour = on_paper(INK, (250, 250, 250), (20, 20, 20))
    np.testing.assert_allclose(brightness(colour), brightness(colour[..., :1]), atol=0.01)


def test_rules_go_and_strokes_that_cross_them_stay() -> None:
    picture = ruled(np.zeros((*INK.shape, 3), np.uint8) + 255, 23, squared=True, colour=(0, 0, 0))
    lines = (255 - picture[..., 0]) / np.float32(255)
    left, count = without_rules(np.maximum(INK, lines))
    assert count == len(range(11, INK.shape[0], 23)) + len(range(11, INK.shape[1], 23))
    assert left[INK == 0].mean() < 0.003 and left[INK > 0.9].mean() > 0.9


def test_strokes_are_no_rules() -> None:
    seven = np.zeros((120, 90), np.float32)
    seven[10:14, 3:87], seven[10:110, 83:87] = 1, 1
    for ink in (INK, seven, np.zeros_like(INK), np.ones_like(INK)):
        left, count = without_rules(ink)
        assert count == 0 and left is ink


def test_a_sheet_on_a_table_is_straightened_and_the_lit_half_of_a_page_is_none() -> None:
    written_page = page(["3805", "1234"], seed=1).picture
    photo = seen_from(written_page, [(0.2, 0.1), (0.8, 0.15), (0.9, 0.85), (0.1, 0.9)], (600, 700))
    sheet = find_sheet(photo, 1600)
    assert sheet.found and sheet.picture[[0, -1]].mean() > 200 and sheet.picture[:, [0, -1]].mean() > 200
    corner = np.array([0, 0, 1.0]) @ sheet.back.T
    assert np.abs(corner[:2] / corner[2] - (0.2 * 700, 0.1 * 600)).max() < 15
    for picture in (written_page, shaded(written_page, 0.4, 0.1), shaded(written_page, 0.4, 0.9)):
        assert not find_sheet(picture, 1600).found


def test_a_cut_goes_where_least_ink_is() -> None:
    ink = np.zeros((40, 60), np.float32)
    ink[:, 10:20], ink[:, 40:50], ink[18:21, 20:40] = 1, 1, 1
    cuts = find_cuts(ink, 40)
    best = min((cut for cut in cuts if 20 <= cut.columns.mean() <= 40), key=lambda cut: cut.crossed)
    assert best.crossed < 0.6 and all(cut.crossed < 0.6 for cut in cuts), "none goes along a stroke"
    parts = sliced(ink, [best])
    assert parts[:, 15].max() == 0 and parts[:, 45].min() == 1


def sure_of(wanted: tuple[int, int]) -> object:
    """A classifier that is sure of images as wide and high as told, in pixels of ink, and of no other."""

    def classify(images: Array) -> Array:
        probabilities = np.full((len(images), 10), 0.1, np.float32)
        for row, image in zip(probabilities, images, strict=True):
            rows, columns = np.nonzero(image[..., 0] > 100)
            if abs(np.ptp(columns) + 1 - wanted[0]) <= 1 and abs(np.ptp(rows) + 1 - wanted[1]) <= 1:
                row[:] = np.eye(10)[3]
        return probabilities

    return classify


def test_the_classifier_decides_what_is_joined() -> None:
    ink = np.zeros((60, 60), np.float32)
    ink[10:50, 10:14], ink[10:50, 22:26] = 1, 1  # two strokes, which are one digit or two
    pieces = find_pieces(ink)
    for wanted, count in (((8, 20), 1), ((2, 20), 2)):
        parting = part(pieces, find_lines(pieces.boxes[1:]), sure_of(wanted))
        assert [len(line) for line in parting.lines] == [count] and parting.joined == 2 - count


def test_blobs_and_clouds_are_not_from_a_pen() -> None:
    rows, columns = np.indices((60, 60)) - 30
    disc = (np.hypot(rows, columns) < 25).astype(np.float32)
    cloud = np.exp(-(rows**2 + columns**2) / 300).astype(np.float32) * 0.85
    bar = np.zeros((60, 60), np.float32)
    bar[5:55, 24:36] = 1
    assert may_be_written([bar, bar, bar, disc]) == [True, True, True, False]
    assert may_be_written([bar, disc, cloud]) == [False, False, False], "most of it is no writing, so nothing is"
