"""The shipped network that tells digits from everything else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.doubt import strange
from benchmarks.strange_pictures import KINDS, pictures
from models.shipped import DETECTOR, WEIGHTS, cards, default_for, digit_detector, open_weights, picture_classifier
from nncore.data import open_dataset, synthetic
from nncore.data.synthetic import foreign_digits
from nncore.prediction import Predictor
from nncore.recognition import DIGIT_FROM, Verdict, lines_of, recognise
from nncore.weights import load_weights


def test_it_is_never_offered_as_a_network_that_reads_digits():
    assert DETECTOR not in cards() and default_for((28, 28, 1)) != DETECTOR


def test_its_card_tells_how_it_came_about():
    card = json.loads((WEIGHTS / f"{DETECTOR}.json").read_text("utf-8"))
    network, info = load_weights(WEIGHTS / f"{DETECTOR}.safetensors")
    assert network.parameter_count == card["parameters"] and info.items() >= card.items()
    assert {"data", "seed", "epochs", "held_out", "limits", "date", "command"} <= card.keys()


@pytest.mark.parametrize(("draw", "share"), [(synthetic, 0.985), (foreign_digits, 0.955)])
def test_drawn_digits_are_digits(draw, share):
    assert np.mean(digit_detector()(draw("test", 1000, seed=7).images) >= DIGIT_FROM) >= share


def test_mnist_digits_are_digits(real_mnist):
    assert np.mean(digit_detector()(open_dataset("mnist", "test").images) >= DIGIT_FROM) >= 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_no_digit_is_surely_read_from_shapes_and_scenes_that_it_never_saw(kind):
    predictor = Predictor(open_weights("mnist-cnn")[0])
    assert strange(predictor, pictures(kind, 6, seed=3))[Verdict.SURE] <= 1 / 6


@pytest.mark.parametrize(("text", "read"), [("HOUSE", []), ("A HOLE", []), ("2048", ["2048"])])
def test_a_word_is_no_number(text, read):
    page = Image.new("L", (60 + 34 * len(text), 110), 235)
    ImageDraw.Draw(page).text((30, 25), text, fill=30, font=ImageFont.load_default(48))
    digits = recognise(
        Predictor(open_weights("mnist-cnn")[0]), np.array(page)[..., None], classify=picture_classifier(), detect=digit_detector()
    )
    assert lines_of(digits) == read
