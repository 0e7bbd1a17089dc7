"""Why an answer: what is asked, of which class, and that the answer is what nncore computes."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.in_view import NetworkInView
from app.core.look import Look, Question
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from app.core.why import METHODS, RUNNER_UP, Explainer, WhyQuestion, in_words
from nncore.explain.target import Target
from nncore.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.recognition import Answer, Digit


def network_of(seed: int = 0, convolutions: bool = True) -> Network:
    """A small network with biases other than zero."""
    layers = [Conv2d(4, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(10)] if convolutions else [Linear(12), ReLU(), Linear(10)]
    network = Network(layers, (14, 14, 1) if convolutions else (196,), seed)
    for name, parameter in network.parameters().items():
        if name.endswith("bias"):
            parameter.data += np.linspace(-0.1, 0.1, parameter.data.size, dtype=np.float32)
    return network


def look_of(network: Network, seed: int = 1, step: int = 7, view: NetworkInView | None = None) -> Look:
    """A look of the network at a random picture, as the window has it; `view`: the one that it was in view as before."""
    image = (np.random.default_rng(seed).random((14, 14, 1)) * 255).astype(np.uint8)
    view = view or NetworkInView.of(network, "small", "test")
    moment = Moment(step, {name: array.copy() for name, array in network.state_dict().items()})
    answer = Answer.of(Predictor(network).predict(image[None])[0])
    return Look(Question(view, moment, Probe(image, kind=Kind.DATASET)), (Digit((0, 0, 14, 14), image, answer),))


@pytest.mark.parametrize("name", METHODS)
def test_the_map_of_each_method_is_that_of_nncore_for_the_weights_of_the_moment(name):
    network = network_of()
    look = look_of(network)
    question = WhyQuestion(look, METHODS[name], 3, 8)
    why = Explainer().answer(question)
    twin = network_of(5)  # whose own weights are others
    twin.load_state_dict(look.question.moment.state)
    expected = METHODS[name].find(Predictor(twin), look.digit.image, Target(3, 8))
    assert np.abs(expected.map).max() > 0 and why.map.shape == (14, 14)
    np.testing.assert_allclose(why.map, expected.map, atol=1e-5)  # occlusion asks the compiled network where it can
    assert why.found.score == pytest.approx(expected.score, abs=1e-5)


def test_another_moment_of_the_same_network_has_a_map_of_its_own():
    first, explainer = network_of(), Explainer()
    looks = [look_of(first, step=0)]
    for parameter in first.parameters().values():
        parameter.data *= 0.5
    looks.append(look_of(first, step=9))
    maps = [explainer.answer(WhyQuestion(look, METHODS["Gradient"], 3)).map for look in (*looks, looks[0])]
    assert not np.allclose(maps[0], maps[1]) and np.array_equal(maps[0], maps[2])


def test_unless_told_the_answer_is_asked_about_and_the_runner_up_is_the_likeliest_other_class():
    look, method = look_of(network_of()), METHODS["Gradient"]
    first, second = look.digit.answer.likeliest
    other = next(number for number in range(10) if number not in (first, second))
    assert WhyQuestion(look, method).target == Target(first)
    assert WhyQuestion(look, method, None, RUNNER_UP).target == Target(first, second)
    assert WhyQuestion(look, method, other, RUNNER_UP).target == Target(other, first)
    assert WhyQuestion(look, method, other, other).target == Target(other), "no class is compared with itself"
    assert in_words(Target(4, 9)) == "“4” over “9”"


def test_what_a_method_cannot_do_is_said_in_a_sentence():
    why = Explainer().answer(WhyQuestion(look_of(network_of(convolutions=False)), METHODS["Grad-CAM"]))
    assert why.found is None and why.error.startswith("Grad-CAM needs a convolution")
