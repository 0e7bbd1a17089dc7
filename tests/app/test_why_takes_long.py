"""The card Why this answer while an answer takes long: it says how far that is, and gives it up when nobody wants it any more."""

from __future__ import annotations

from threading import Event

import pytest

from app.core.why import Explainer
from app.training import Status
from nncore.explain.progress import Progress
from tests.app.test_why import look_of, network_of
from tests.app.test_why_card import answered, card, show

__all__ = ["card"]


class Held:
    """Answers of occlusion that stand still at the third of ten passes, until they may go on."""

    def __init__(self, monkeypatch) -> None:
        self.may_go, self.was_given_up, self.is_over = Event(), Event(), False
        steps = Explainer.steps

        def held(explainer, question):
            if question.method.name != "Occlusion" or self.is_over:
                yield from steps(explainer, question)
                return
            try:
                for _ in range(2):
                    yield Progress(3, 10)
                    assert self.may_go.wait(60)
                yield from steps(explainer, question)
            except GeneratorExit:
                self.was_given_up.set()
                raise

        monkeypatch.setattr(Explainer, "steps", held)

    def release(self) -> None:
        self.is_over = True
        self.may_go.set()


@pytest.fixture
def held(monkeypatch):
    made = Held(monkeypatch)
    yield made
    made.release()


def test_it_says_how_far_it_is_and_can_be_cancelled_and_asked_for_again(card, qtbot, held):
    look = look_of(network_of())
    show(qtbot, card, look)
    assert card.cancel.isHidden()
    card.method.setCurrentText("Occlusion")
    qtbot.waitUntil(lambda: card.cancel.isVisible() and card.check.words == "Computing… 30 %", timeout=20_000)
    assert card.cancel.text() == "Cancel"
    card.cancel.click()
    held.release()
    qtbot.waitUntil(held.was_given_up.is_set, timeout=20_000)
    qtbot.waitUntil(lambda: card._asking._feed is None, timeout=20_000)
    assert card.check.words == "Cancelled" and card.cancel.text() == "Compute" and card.why.question.method.name == "Gradient"
    card.cancel.click()
    answered(qtbot, card, look, "Occlusion")
    assert card.cancel.isHidden() and card.check.words == card.why.checked


@pytest.mark.parametrize("event", ["another picture", "a training"])
def test_it_is_given_up_for_what_comes(card, qtbot, held, event):
    show(qtbot, card, look_of(network_of()))
    card.method.setCurrentText("Occlusion")
    qtbot.waitUntil(card.cancel.isVisible, timeout=20_000)
    look = look_of(network_of(), seed=2)
    if event == "a training":
        card.lab.training.status = Status.TRAINING
        card.lab.training.status_changed.emit(Status.TRAINING)
    else:
        card.inspected.look.set(look)
        qtbot.waitUntil(lambda: not card._is_stale, timeout=20_000)
    assert card.cancel.isHidden()
    held.release()
    qtbot.waitUntil(held.was_given_up.is_set, timeout=20_000)
    if event == "another picture":
        answered(qtbot, card, look, "Occlusion")
