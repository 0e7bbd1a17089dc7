"""From picture to answer, without Qt."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.in_view import NetworkInView
from app.core.look import Looker, Question
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from models.shipped import open_weights
from nncore.data import synthetic
from nncore.errors import ConfigError
from nncore.layers import Conv2d, Flatten, Linear
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import recognise, see


@pytest.fixture(scope="module")
def network() -> Network:
    return open_weights("mnist-cnn")[0]


def question(network: Network, probe: Probe, layers: bool = True) -> Question:
    return Question(NetworkInView.of(network, "n", "test"), Moment(3, network.state_dict()), probe, layers)


def sheet_with_a_one() -> np.ndarray:
    sheet = np.zeros((336, 336, 1), np.uint8)
    sheet[60:280, 155:181] = 255
    return sheet


def test_a_drawing_is_prepared_as_mnist_was(network):
    seen = see(sheet_with_a_one(), (28, 28, 1))
    ink = seen.image[..., 0] > 50
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert seen.image.shape == (28, 28, 1) and rows[-1] - rows[0] + 1 == 20 and len(columns) <= 6
    weight = seen.image[..., 0] / seen.image.sum()
    centre = [(weight.sum(axis=axis) * np.arange(28)).sum() for axis in (1, 0)]
    assert all(abs(place - 14) <= 0.51 for place in centre), "the centre of mass, to half a pixel"
    assert recognise(Predictor(network), sheet_with_a_one()).digit == 1


def test_a_drawing_is_seen_as_a_picture_of_it_would_be(network):
    sheet = sheet_with_a_one()
    drawn, photo = see(sheet, (28, 28, 1), drawn=True), see(sheet, (28, 28, 1))
    assert np.abs(drawn.image.astype(int) - photo.image).max() <= 8
    assert [title for title, _ in drawn.stages] == ["Picture", "Cropped", "Centred"]
    assert see(np.zeros_like(sheet), (28, 28, 1), drawn=True).image is None


def test_where_and_how_large_it_is_drawn_does_not_matter(network):
    small = np.zeros((336, 336, 1), np.uint8)
    small[20:90, 40:48] = 255
    assert recognise(Predictor(network), small).digit == 1


def test_nothing_on_the_sheet_is_no_digit(network):
    answer = recognise(Predictor(network), np.zeros((336, 336, 1), np.uint8))
    assert answer.digit is None and answer.confidence == 0 and not answer.probabilities.any()


def test_a_look_shows_every_layer_and_the_same_answer_as_predict(network):
    data = synthetic("test", 5)
    looker = Looker()
    for image in data.images:
        look = looker.look(question(network, Probe(image, kind=Kind.DATASET)))
        assert np.array_equal(look.seen.image, image)
        assert [name for name, _ in look.layers] == [line.name for line in network.summary()]
        assert [values.shape for _, values in look.layers] == [line.output_shape for line in network.summary()]
        assert np.allclose(look.answer.probabilities, Predictor(network).predict(image[None])[0], atol=1e-6)


def test_a_look_follows_the_moment(network):
    probe, looker = Probe(sheet_with_a_one()), Looker()
    asked = question(network, probe, layers=False)
    before = looker.look(asked)
    blank = {name: np.zeros_like(value) for name, value in asked.moment.state.items()}
    after = looker.look(Question(asked.network, Moment(4, blank), probe, False))
    assert before.answer.digit == 1 and np.allclose(after.answer.probabilities, 0.1) and after.layers == ()


def test_colour_networks_see_the_picture_in_colour():
    network = Network([Conv2d(2, 3), Flatten(), Linear(10)], (32, 32, 3))
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[..., 0] = 200
    assert see(picture, network.input_shape).image.shape == (32, 32, 3)
    assert recognise(Predictor(network), picture).digit is not None


def test_networks_that_take_no_pictures_say_so():
    with pytest.raises(ConfigError, match="8×8×1"):
        see(sheet_with_a_one(), (8, 8, 1))
