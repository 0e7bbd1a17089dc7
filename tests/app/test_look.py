"""Looking at the probe: the one computation behind every view."""

from __future__ import annotations

import numpy as np
import pytest

from app.core import look as look_module
from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Looker, Question
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from app.panels.inspect.columns import shown_of
from models.shipped import open_weights
from nncore.data import synthetic
from nncore.layers import Flatten, Linear, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from tests.nncore.test_recognition import sheet_with_a_one


@pytest.fixture(scope="module")
def network() -> Network:
    return open_weights("mnist-cnn")[0]


def question(network: Network, probe: Probe, *wanted: str) -> Question:
    return Question(NetworkInView.of(network, "n", "test"), Moment(3, network.state_dict()), probe, frozenset(wanted))


def test_a_look_shows_every_layer_and_the_same_answer_as_predict(network):
    looker = Looker()
    for image in synthetic("test", 5).images:
        look = looker.look(question(network, Probe(image, kind=Kind.DATASET), LAYERS))
        layers = look.results[LAYERS]
        assert np.array_equal(look.digit.image, image) and look.digit.box == (0, 0, 28, 28)
        assert [*layers] == [line.name for line in network.summary()]
        assert [values.shape for values in layers.values()] == [line.output_shape for line in network.summary()]
        assert np.allclose(look.digit.answer.probabilities, Predictor(network).predict(image[None])[0], atol=1e-6)


def test_a_look_follows_the_moment(network):
    probe, looker = Probe(sheet_with_a_one()), Looker()
    asked = question(network, probe)
    before = looker.look(asked)
    blank = {name: np.zeros_like(value) for name, value in asked.moment.state.items()}
    after = looker.look(Question(asked.network, Moment(4, blank), probe))
    assert before.digit.answer.digit == 1 and np.allclose(after.digit.answer.probabilities, 0.1) and not after.results


def test_the_kind_of_a_picture_decides_how_it_is_prepared(network):
    sheet, looker = sheet_with_a_one(), Looker()
    titles = {kind: [title for title, *_ in looker.look(question(network, Probe(sheet, kind=kind))).stages] for kind in Kind}
    assert titles[Kind.DRAWING] == ["Picture", "Cropped", "Centred"]
    assert "Even light" in titles[Kind.PICTURE] and "Even light" in titles[Kind.DATASET], "not of the network's own size"
    image = synthetic("test", 1).images[0]
    assert looker.look(question(network, Probe(image, kind=Kind.DATASET))).stages == ()


def test_nothing_on_the_probe_is_no_digit_and_no_result(network):
    for probe in (Probe(), Probe(np.zeros((40, 40, 1), np.uint8), kind=Kind.DRAWING)):
        look = Looker().look(question(network, probe, LAYERS))
        assert look.digits == () and look.digit is None and look.results == {} and look.error is None


def test_a_network_that_takes_no_pictures_is_said_in_the_look():
    network = Network([Flatten(), Linear(10)], (8, 8, 1))
    look = Looker().look(question(network, Probe(sheet_with_a_one()), LAYERS))
    assert "8×8×1" in str(look.error) and look.digits == ()


def test_another_explanation_is_one_function_under_a_name(network, monkeypatch):
    monkeypatch.setattr(look_module, "EXPLANATIONS", {"ink": lambda predictor, image: int(image.sum())})
    look = Looker().look(question(network, Probe(sheet_with_a_one()), "ink"))
    assert look.results == {"ink": look.digit.image.sum()}


def test_columns_join_a_relu_by_its_kind_and_not_by_its_name():
    network = Network([Flatten(), ReLU(), Linear(16), ReLU(), ReLU(), Linear(10)], (28, 28, 1))
    asked = question(network, Probe(sheet_with_a_one(), kind=Kind.DRAWING), LAYERS)
    look = Looker().look(asked)
    short = [(each.title, each.place) for each in shown_of(look, every=False)]
    assert short == [("input", 0), ("relu1", 2), ("linear1 · relu · relu", 3), ("linear2", 6)]
    assert [each.title for each in shown_of(look, every=True)] == ["input", *(line.name for line in network.summary())]
    assert np.array_equal(shown_of(look, every=False)[2].values, look.results[LAYERS]["relu3"])
