"""Pages of digits, from the picture to the text: lines, shadows, rules, a table below, noise, and what holds no digit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.drawn_pages import PAPER, Page, blurred, noisy, on_paper, page, ruled, seen_from, shaded, sloped, speckled, written
from models.shipped import open_weights, picture_classifier
from nncore.arrays import Array
from nncore.prediction import Predictor
from nncore.recognition import lines_of, recognise
from nncore.vision import see_drawing, see_page

LINES = ["7922785", "1851146", "4804592"]
WRITTEN = page(LINES, seed=0)
LEANING = [(0.03, -0.04), (1.03, 0.04), (0.97, 1.04), (-0.03, 0.96)]
"""Corners of a page that is photographed a little askew and overlaps the picture."""
ON_TABLE = [(0.15, 0.1), (0.85, 0.15), (0.95, 0.9), (0.08, 0.85)]
SIZE = WRITTEN.picture.shape[:2]
LARGE = (SIZE[0] * 4 // 3, SIZE[1] * 4 // 3)
DARK_RULES = (80, 100, 160)


def text_in(picture: Array) -> str:
    predictor = Predictor(open_weights("mnist-cnn")[0])
    return "/".join(lines_of(recognise(predictor, picture, classify=picture_classifier())))


@pytest.mark.parametrize(
    "befallen",
    [
        lambda picture: picture,
        lambda picture: 255 - picture,
        lambda picture: noisy(picture, 20),
        lambda picture: speckled(picture, 80, 4),
        lambda picture: blurred(picture, 1.5),
        sloped,
        lambda picture: noisy(shaded(picture, 0.4, 0.5), 4),
        lambda picture: noisy(shaded(picture, 0.5, 2.5, 0.35), 4),
        lambda picture: noisy(ruled(picture, 51, colour=DARK_RULES), 3),
        lambda picture: noisy(ruled(picture, 31, squared=True, colour=DARK_RULES), 3),
        lambda picture: seen_from(ruled(picture, 41, squared=True, colour=DARK_RULES), LEANING, SIZE, table=PAPER),
        lambda picture: seen_from(noisy(shaded(ruled(picture, 51), 0.5), 4), ON_TABLE, LARGE),
    ],
    ids=[
        "plain",
        "inverted",
        "noise",
        "specks",
        "blur",
        "slope",
        "shadow",
        "shadow left",
        "ruled",
        "squared",
        "askew",
        "on a table",
    ],
)
def test_a_page_is_read_whatever_befalls_it(befallen: Callable[[Array], Array]) -> None:
    assert text_in(befallen(WRITTEN.picture)) == WRITTEN.text


def test_the_boxes_are_where_the_digits_are_on_a_table_too() -> None:
    sight = see_page(WRITTEN.picture, picture_classifier())
    assert np.abs(np.array([each.box for each in sight.digits]) - np.array(WRITTEN.boxes)).max() <= 6
    there = see_page(seen_from(WRITTEN.picture, [(0.2, 0.2), (0.7, 0.2), (0.7, 0.7), (0.2, 0.7)], LARGE), picture_classifier())
    across, down = 0.5 * LARGE[1] / SIZE[1], 0.5 * LARGE[0] / SIZE[0]
    wanted = [
        (0.2 * LARGE[1] + x * across, 0.2 * LARGE[0] + y * down, wide * across, high * down) for x, y, wide, high in WRITTEN.boxes
    ]
    assert np.abs(np.array([each.box for each in there.digits]) - np.array(wanted)).max() <= 8
    assert [each.line for each in there.digits] == [0] * 7 + [1] * 7 + [2] * 7


def test_every_stage_says_in_words_what_it_did() -> None:
    picture = seen_from(noisy(shaded(ruled(WRITTEN.picture, 51, colour=DARK_RULES), 0.5), 4), ON_TABLE, LARGE)
    stages = see_page(picture, picture_classifier()).stages
    words = {stage.title: stage.words for stage in stages}
    assert [*words] == ["Picture", "Sheet of paper", "Even light", "Ink", "Without rules", "Cleaned", "Lines and digits"]
    assert words["Without rules"].startswith("Ruled lines removed: ") and words["Lines and digits"].startswith(
        "21 digits in 3 lines"
    )
    assert all(each.words.endswith(".") and each.pixels.dtype == np.uint8 and each.pixels.ndim == 3 for each in stages)


def test_digits_that_touch_are_cut_apart() -> None:
    ink, _ = written(["48"], seed=2, gap=-0.06)
    sight = see_page(on_paper(ink), picture_classifier())
    assert text_in(on_paper(ink)) == "48" and "1 cut where digits touch" in sight.stages[-1].words


def test_a_drawing_of_several_digits_is_read_without_cleaning() -> None:
    ink, boxes = written(["30", "5"], seed=0, height=90)
    sight = see_drawing(np.round(ink * 255).astype(np.uint8)[..., None], picture_classifier())
    assert [each.line for each in sight.digits] == [0, 0, 1] and len(boxes) == 3
    assert [stage.title for stage in sight.stages] == ["Picture", "Lines and digits"]


def dots() -> Array:
    rows, columns = np.indices((1300, 1300)) % 40
    return np.where((rows < 6) & (columns < 6), 20, 240).astype(np.uint8)[..., None]


@pytest.mark.parametrize(
    "picture",
    [
        np.full((1, 1, 3), 7, np.uint8),
        np.random.default_rng(0).integers(0, 256, (1, 10_000, 1), np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8),
        noisy(np.full((300, 400, 3), 230, np.uint8), 6),
        noisy(ruled(np.full((400, 400, 3), 230, np.uint8), 30, squared=True), 3),
        seen_from(np.full((300, 400, 3), 230, np.uint8), ON_TABLE, (400, 500)),
        shaded(np.full((300, 400, 3), 230, np.uint8), 0.5),
        dots(),
        np.broadcast_to(np.uint8(200), (6000, 6000, 1)),
    ],
    ids=["a pixel", "a row", "noise", "paper", "squared paper", "a table", "a shadow", "dots", "huge"],
)
def test_what_holds_no_writing_holds_no_digit(picture: Array) -> None:
    sight = see_page(picture, picture_classifier())
    assert sight.digits == () and "No digit was found" in sight.stages[-1].words


@pytest.mark.parametrize("shape", [(2, 1, 3), (28, 28, 3), (7, 900, 1), (3000, 5, 3)])
def test_no_picture_is_too_odd_to_be_a_page(shape: tuple[int, ...]) -> None:
    for seed in range(3):
        picture = np.random.default_rng(seed).choice(np.array([0, 255], np.uint8), shape)
        for digit in see_page(picture, picture_classifier()).digits:
            x, y, width, height = digit.box
            assert 0 <= x < x + width <= shape[1] and 0 <= y < y + height <= shape[0]


def test_a_scan_of_sixteen_pixels_is_read() -> None:
    small: Page = page(["7"], seed=0, height=12, margin=0.2)
    assert max(small.picture.shape) <= 20 and text_in(small.picture) == "7"
