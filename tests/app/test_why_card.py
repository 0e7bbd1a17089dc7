"""The card Why this answer: what is drawn is what nncore computes, of what is in view, and only while one looks."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from app.core.why import METHODS, Explainer
from app.panels.inspect.inspected import Inspected, Unit
from app.panels.inspect.why import HINT, WAITS, WhyCard
from app.training import Status
from nncore.explain.progress import Progress, result_of
from nncore.explain.target import Target
from nncore.prediction import Predictor
from tests.app.test_why import look_of, network_of


@pytest.fixture
def card(lab, qtbot) -> WhyCard:
    made = WhyCard(lab, Inspected())
    qtbot.addWidget(made)
    made.resize(434, 283)
    made.show()
    return made


def show(qtbot, card: WhyCard, look, name: str = "Gradient") -> None:
    """Let the card look at something, and wait for its map."""
    card.method.setCurrentText(name)
    card.inspected.look.set(look)
    answered(qtbot, card, look, name)


def answered(qtbot, card: WhyCard, look, name: str) -> None:
    def is_shown() -> bool:
        why = card.why
        return why is not None and why.question.look is look and why.question.method.name == name

    qtbot.waitUntil(is_shown, timeout=20_000)


def test_the_pictures_hold_the_digit_and_the_numbers_of_nncore(card, qtbot):
    network = network_of()
    look = look_of(network)
    show(qtbot, card, look)
    expected = METHODS["Gradient"].find(Predictor(network), look.digit.image, Target(look.digit.answer.digit)).map
    digit, shown, over = card.row.pictures
    assert np.array_equal(digit.values, look.digit.image) and np.array_equal(shown.values, expected)
    assert np.array_equal(over.values, expected) and card.title.text() == f"WHY {look.digit.answer.digit}?"
    top = float(np.abs(expected).max())
    assert (card.row.scale.low, card.row.scale.high) == (-top, top), "zero is in the middle"
    assert over.caption == "overlay, step 7" and "✓" in card.check.words
    saved = card.export().arrays
    assert np.array_equal(saved["map"], expected) and np.array_equal(saved["image"], look.digit.image)


def test_another_class_and_one_to_compare_it_with_can_be_asked_about(card, qtbot):
    look = look_of(network_of())
    show(qtbot, card, look)
    card.label.setCurrentText("for 3")
    card.against.setCurrentText("over 8")
    qtbot.waitUntil(lambda: card.why.question.target == Target(3, 8), timeout=20_000)
    expected = METHODS["Gradient"].find(Predictor(network_of()), look.digit.image, Target(3, 8)).map
    assert np.array_equal(card.row.pictures[1].values, expected)
    assert card.title.text() == "WHY 3?" and "“3” over “8”" in card.words.words


def test_the_slider_says_how_much_of_the_digit_the_map_covers(card, qtbot):
    look = look_of(network_of())
    show(qtbot, card, look)
    card.strength.setValue(0)
    assert np.array_equal(card.row.pictures[2].colors, np.broadcast_to(look.digit.image, (14, 14, 3)))
    card.strength.setValue(100)
    assert not np.array_equal(card.row.pictures[2].colors, np.broadcast_to(look.digit.image, (14, 14, 3)))


def test_random_weights_get_a_map_beside_it_and_the_rank_correlation(card, qtbot):
    show(qtbot, card, look_of(network_of()))
    card.random.setChecked(True)
    qtbot.waitUntil(lambda: len(card.row.pictures) == 4, timeout=20_000)
    assert np.array_equal(card.row.pictures[2].values, card.why.random)
    assert f"ρ {card.why.random_check.value:.2f}" in card.check.words


def test_choosing_a_unit_of_the_network_asks_nothing_anew(card, qtbot, monkeypatch):
    show(qtbot, card, look_of(network_of()))
    why = card.why
    card.inspected.choose(Unit("conv1", (0, 0, 1)))
    qtbot.wait(100)
    assert card.why is why and card._asking._feed is None


def test_an_answer_that_comes_after_something_else_was_chosen_is_not_shown(card, qtbot, monkeypatch):
    show(qtbot, card, look_of(network_of()))
    began, may_end, steps = Event(), Event(), Explainer.steps

    def held(self, question):
        if question.method.name == "Occlusion":
            began.set()
            assert may_end.wait(60)
        return steps(self, question)

    monkeypatch.setattr(Explainer, "steps", held)
    shown: list[object] = []
    card._asking.answered.connect(shown.append)
    card.method.setCurrentText("Occlusion")
    qtbot.waitUntil(began.is_set, timeout=20_000)
    card.method.setCurrentText("Gradient")
    may_end.set()
    qtbot.waitUntil(lambda: card._asking._feed is None, timeout=20_000)
    assert not shown and card.row.pictures[1].caption == "Gradient"
    assert not card.row.is_faded


def test_a_card_out_of_sight_computes_nothing(card, qtbot, monkeypatch):
    show(qtbot, card, look_of(network_of()))
    asked, steps = [], Explainer.steps
    monkeypatch.setattr(Explainer, "steps", lambda self, question: asked.append(question) or steps(self, question))
    card.method.setCurrentText("SmoothGrad")
    qtbot.waitUntil(card._asking._timer.isActive, timeout=5000)
    card.hide()
    look = look_of(network_of(), seed=2)
    card.inspected.look.set(look)
    qtbot.wait(400)
    assert not asked
    card.method.setCurrentText("Gradient")
    card.show()
    answered(qtbot, card, look, "Gradient")
    assert len(asked) == 1


def test_what_takes_long_waits_until_the_training_rests_and_what_was_before_is_pale(card, qtbot):
    show(qtbot, card, look_of(network_of()), "SmoothGrad")
    card.lab.training.status = Status.TRAINING
    look = look_of(network_of(3), step=8, view=card.why.question.look.question.network)
    card.inspected.look.set(look)
    qtbot.waitUntil(lambda: card.row.is_faded, timeout=5000)
    assert card.words.words == WAITS and card.why.question.look is not look
    assert card.row.pictures[2].caption == "overlay, step 7", "what is pale says of which moment it is"
    card.lab.training.status = Status.PAUSED
    card.lab.training.status_changed.emit(Status.PAUSED)
    answered(qtbot, card, look, "SmoothGrad")
    assert not card.row.is_faded and card.words.words != WAITS


def test_a_quick_method_follows_a_training_and_rests_as_long_as_it_must(card, qtbot, monkeypatch):
    steps = Explainer.steps

    def dear(self, question):
        """Each answer as if it had cost a second of a core."""
        yield Progress(1, 1, replace(result_of(steps(self, question)), used=1.0))

    monkeypatch.setattr(Explainer, "steps", dear)
    network = network_of()
    show(qtbot, card, look_of(network))
    card.lab.training.status = Status.TRAINING
    look = look_of(network, step=8, view=card.why.question.look.question.network)
    card.inspected.look.set(look)
    # A second of a core is worth the longest rest.
    qtbot.waitUntil(lambda: card._asking._timer.interval() > 500)
    answered(qtbot, card, look, "Gradient")


def test_without_a_digit_it_says_what_to_do_and_what_a_method_cannot_do_it_says_too(card, qtbot):
    qtbot.waitUntil(lambda: not card._is_stale)
    assert card.row.hint == HINT and card.export() is None
    show(qtbot, card, look_of(network_of(convolutions=False)), "Grad-CAM")
    assert card.row.hint.startswith("Grad-CAM needs a convolution") and not card.row.pictures
    card.inspected.look.set(None)
    qtbot.waitUntil(lambda: card.row.hint == HINT)
