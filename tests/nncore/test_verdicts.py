"""How far an answer can be trusted: sure, not sure, no digit."""

from __future__ import annotations

import numpy as np
import pytest

from models.shipped import open_weights
from nncore.layers import Conv2d, Flatten, Linear
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import (
    DIGIT_FROM,
    NO_DIGIT_BELOW,
    SURE,
    Answer,
    Digit,
    Verdict,
    digits_of,
    foremost,
    lines_of,
    recognise,
    see,
)
from tests.nncore.test_recognition import sheet_with_a_one


def digit(label: int, confidence: float = 1.0, line: int = 0, likeness: float = 1.0, strangers: float = 0.0) -> Digit:
    probabilities = np.full(10, (1 - confidence) / 9, np.float32)
    probabilities[label] = confidence
    return Digit((0, 0, 1, 1), np.zeros((28, 28, 1), np.uint8), Answer.of(probabilities), line, likeness, strangers)


@pytest.mark.parametrize(
    ("confidence", "likeness", "strangers", "verdict"),
    [
        (SURE, 1.0, 0.0, Verdict.SURE),
        (SURE - 0.01, 1.0, 0.0, Verdict.UNSURE),
        (1.0, DIGIT_FROM - 0.01, 0.0, Verdict.UNSURE),
        (1.0, NO_DIGIT_BELOW - 0.01, 0.0, Verdict.NO_DIGIT),
        (1.0, 1.0, 1 / 3, Verdict.SURE),
        (1.0, 1.0, 0.34, Verdict.UNSURE),
    ],
)
def test_an_answer_is_sure_where_network_detector_and_neighbours_agree(confidence, likeness, strangers, verdict):
    assert digit(7, confidence, 0, likeness, strangers).verdict is verdict


def test_what_is_no_digit_is_left_out_of_the_text_and_its_line_does_not_count():
    found = [digit(9, line=0, likeness=0.0), digit(1, line=1), digit(8, line=1, likeness=0.0), digit(2, 0.3, 2)]
    assert lines_of(found) == ["1", "2"]
    assert [(each.answer.digit, each.line) for each in digits_of(found)] == [(1, 0), (2, 1)]
    assert lines_of(found[:1]) == [] and digits_of(found[:1]) == []


def test_what_is_looked_at_closely_is_the_first_digit():
    found = [digit(9, likeness=0.0), digit(1), digit(2)]
    assert foremost(found) is found[1] and foremost(found[:1]) is found[0] and foremost([]) is None


def test_the_detector_is_asked_about_all_that_was_found_at_once():
    asked = []

    def detect(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return np.array([0.01, 0.9], np.float32)

    sheet = np.concatenate([sheet_with_a_one()] * 2, axis=1)
    predictor = Predictor(open_weights("mnist-cnn")[0])
    found = recognise(predictor, sheet, True, lambda images: np.full((len(images), 10), 0.1, np.float32), detect)
    assert [images.shape for images in asked] == [(2, 28, 28, 1)]
    assert [each.verdict for each in found] == [Verdict.NO_DIGIT, Verdict.UNSURE] and found[0].strangers == 0.5
    assert lines_of(found) == ["1"]


def test_a_fence_is_not_surely_a_row_of_ones():
    def read(bars: int) -> set[Verdict]:
        sheet = np.zeros((100, 40 * bars, 1), np.uint8)
        for number in range(bars):
            sheet[20:80, 40 * number + 15 : 40 * number + 22] = 255
        ones = np.eye(10, dtype=np.float32)[1]
        seen = see(
            sheet,
            (28, 28, 1),
            True,
            lambda images: np.tile(ones, (len(images), 1)),
            lambda images: np.ones(len(images), np.float32),
        )
        return {Digit(each.box, each.image, Answer.of(ones), 0, 1.0, each.strangers).verdict for each in seen.found}

    assert read(4) == {Verdict.SURE} and read(9) == {Verdict.UNSURE}


def test_only_networks_for_ten_grey_digits_are_told_what_is_no_digit():
    def detect(images: np.ndarray) -> np.ndarray:
        return np.zeros(len(images), np.float32)

    letters = Predictor(Network([Flatten(), Linear(26)], (28, 28, 1)))
    assert recognise(letters, sheet_with_a_one(), True, detect=detect)[0].verdict is not Verdict.NO_DIGIT
    colour = see(np.zeros((64, 80, 3), np.uint8), (32, 32, 3), detect=detect).found
    assert [each.digit_probability for each in colour] == [1.0]
    network = Network([Conv2d(2, 3), Flatten(), Linear(10)], (28, 28, 1))
    assert recognise(Predictor(network), sheet_with_a_one(), True, detect=detect)[0].verdict is Verdict.NO_DIGIT


def test_the_last_stage_says_how_many_are_no_digits():
    def classify(images: np.ndarray) -> np.ndarray:
        return np.full((len(images), 10), 0.1, np.float32)

    sheet = np.concatenate([sheet_with_a_one()] * 2, axis=1)
    for likeness, ending in (([0.01, 0.9], "1 of them for no digit."), ([0.9, 0.9], "2 digits in 1 line.")):
        seen = see(sheet, (28, 28, 1), True, classify, lambda images, given=likeness: np.array(given, np.float32))
        assert seen.stages[-1].words.endswith(ending)
