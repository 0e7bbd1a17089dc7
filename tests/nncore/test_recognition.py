"""From a picture to its digits: where each lies, what the network sees, what it says."""

from __future__ import annotations

import numpy as np
import pytest

from models.shipped import open_weights
from nncore.errors import ConfigError
from nncore.layers import Conv2d, Flatten, Linear
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import Digit, recognise, see


@pytest.fixture(scope="module")
def network() -> Network:
    return open_weights("mnist-cnn")[0]


def sheet_with_a_one() -> np.ndarray:
    sheet = np.zeros((336, 336, 1), np.uint8)
    sheet[60:280, 155:181] = 255
    return sheet


def the_digit(network: Network, picture: np.ndarray, drawn: bool = False) -> Digit:
    (digit,) = recognise(Predictor(network), picture, drawn)
    return digit


def test_a_drawing_is_prepared_as_mnist_was(network):
    digit = the_digit(network, sheet_with_a_one())
    ink = digit.image[..., 0] > 50
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert digit.image.shape == (28, 28, 1) and rows[-1] - rows[0] + 1 == 20 and len(columns) <= 6
    weight = digit.image[..., 0] / digit.image.sum()
    centre = [(weight.sum(axis=axis) * np.arange(28)).sum() for axis in (1, 0)]
    assert all(abs(place - 14) <= 0.51 for place in centre), "the centre of mass, to half a pixel"
    assert digit.answer.digit == 1


def test_a_drawing_is_seen_as_a_picture_of_it_would_be():
    sheet = sheet_with_a_one()
    drawn, photo = see(sheet, (28, 28, 1), drawn=True), see(sheet, (28, 28, 1))
    assert np.abs(drawn.found[0].image.astype(int) - photo.found[0].image).max() <= 8
    assert [title for title, *_ in drawn.stages] == ["Picture", "Cropped", "Centred"]
    assert see(np.zeros_like(sheet), (28, 28, 1), drawn=True).found == ()


def test_the_box_of_a_drawing_is_where_its_ink_is(network):
    assert the_digit(network, sheet_with_a_one(), drawn=True).box == (155, 60, 26, 220)
    assert the_digit(network, sheet_with_a_one()).box == (155, 60, 26, 220)


def test_the_box_of_a_large_picture_is_in_its_own_pixels(network):
    paper = np.full((1280, 1920, 3), 240, np.uint8)
    paper[300:900, 1200:1290] = 30  # looked at in 640 pixels a side: a third of the size
    x, y, width, height = the_digit(network, paper).box
    assert np.allclose((x, y, x + width, y + height), (1200, 300, 1290, 900), atol=3), (x, y, width, height)


def test_the_box_stays_inside_the_picture(network):
    paper = np.zeros((1001, 999, 1), np.uint8)
    paper[300:, 450:550] = 255
    x, y, width, height = the_digit(network, paper).box
    assert x >= 0 and x + width <= 999 and y + height == 1001


def test_where_and_how_large_it_is_drawn_does_not_matter(network):
    small = np.zeros((336, 336, 1), np.uint8)
    small[20:90, 40:48] = 255
    assert the_digit(network, small).answer.digit == 1


def test_nothing_on_the_sheet_is_the_empty_list(network):
    assert recognise(Predictor(network), np.zeros((336, 336, 1), np.uint8)) == []
    assert recognise(Predictor(network), np.zeros((336, 336, 1), np.uint8), drawn=True) == []


def test_colour_networks_see_the_whole_picture_in_colour():
    network = Network([Conv2d(2, 3), Flatten(), Linear(10)], (32, 32, 3))
    picture = np.zeros((64, 80, 3), np.uint8)
    picture[..., 0] = 200
    digit = the_digit(network, picture)
    assert digit.image.shape == (32, 32, 3) and digit.box == (0, 0, 80, 64)
    assert digit.answer.probabilities.shape == (10,) and digit.answer.confidence == digit.answer.probabilities.max()


def test_networks_that_take_no_pictures_say_so():
    with pytest.raises(ConfigError, match="8×8×1"):
        see(sheet_with_a_one(), (8, 8, 1))
