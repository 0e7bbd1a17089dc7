"""What would make it a 3: the search, what is shown of it, and how it becomes the probe."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.probe import Kind
from app.core.what_if import ADVERSARIAL, KINDS, PLAIN, search
from app.panels.inspect.why_change import HINT, WhyChange
from nncore.errors import ConfigError
from nncore.prediction import Predictor
from tests.app.test_why import look_of, network_of


@pytest.fixture
def change(lab, qtbot) -> WhyChange:
    made = WhyChange(lab)
    qtbot.addWidget(made)
    made.resize(410, 230)
    made.show()
    return made


def found(qtbot, change: WhyChange, look, kind: str = PLAIN, label: int = 3) -> None:
    """Search, and wait until that has ended."""
    change.show_look(look)
    change.kind.setCurrentText(kind)
    change.label.setCurrentIndex(label)
    change.go.click()
    qtbot.waitUntil(lambda: change.found is not None and change.found.is_over, timeout=30_000)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_picture_of_a_search_is_answered_as_was_wanted_by_a_predictor_of_its_own(kind):
    network = network_of()
    look = look_of(network)
    label = look.digit.answer.likeliest[1]
    *way, last = search(look, label, kind)
    assert last.is_over and not any(each.is_over for each in way)
    assert np.array_equal(last.picture(0), look.digit.image), "it begins with the digit as it is"
    answer = Predictor(network_of()).predict(last.picture(-1)[None])[0]
    assert answer.argmax() == label and np.allclose(answer, last.steps[-1].probabilities, atol=1e-6)
    assert last.answer(-1) == f"{label}, {answer.max() * 100:.1f} %" and f"then answers {label}" in last.words


def test_what_the_network_answers_already_is_not_sought():
    look = look_of(network_of())
    with pytest.raises(ConfigError, match="already; choose another class"):
        next(search(look, look.digit.answer.digit, PLAIN))


def test_a_class_that_the_network_answers_is_not_proposed(change):
    looks = [look_of(network_of(), seed) for seed in range(1, 40)]
    other = next(look for look in looks if look.digit.answer.digit == looks[0].digit.answer.likeliest[1])
    change.show_look(looks[0])
    assert change.label.currentData() == looks[0].digit.answer.likeliest[1]
    change.show_look(other)
    assert change.label.currentData() == other.digit.answer.likeliest[1] != other.digit.answer.digit


def test_before_change_and_after_are_shown_with_their_answers(change, qtbot):
    look = look_of(network_of())
    label = look.digit.answer.likeliest[1]
    found(qtbot, change, look, ADVERSARIAL, label)
    before, difference, after = change.row.pictures
    assert np.array_equal(before.values, look.digit.image) and np.array_equal(after.values, change.found.picture(-1))
    assert np.array_equal(difference.values, after.values.astype(int) - before.values)
    assert after.caption == f"after: {change.found.answer(-1)}" and before.caption == f"before: {change.found.answer(0)}"
    assert change.row.scale.low == -change.row.scale.high == -np.abs(difference.values).max()
    assert set(change.export().arrays) == {"before", "after"} and change.words.words.startswith(change.found.words)


def test_the_search_can_be_played_again_and_stopped(change, qtbot):
    found(qtbot, change, look_of(network_of()), label=look_of(network_of()).digit.answer.likeliest[1])
    last = len(change.found.steps) - 1
    assert last >= 2 and change.step == last and change.play.isEnabled()
    change.play.click()
    assert change.step == 0 and change.play.text() == "Stop"
    qtbot.waitUntil(lambda: change.step >= 1, timeout=5000)
    change.play.click()
    assert change.step == last and change.play.text() == "Play", "stopped, it shows what was found"
    change.play.click()
    qtbot.waitUntil(lambda: not change._playing.isActive(), timeout=30_000)
    assert change.step == last and change.play.text() == "Play"


def test_the_changed_picture_becomes_the_probe_and_undo_brings_the_old_one_back(change, qtbot):
    look = look_of(network_of())
    lab = change._lab
    lab.state.probe.set(look.question.probe)
    found(qtbot, change, look, label=look.digit.answer.likeliest[1])
    change.take.click()
    probe = lab.state.probe.value
    assert np.array_equal(probe.picture, change.found.picture(-1)) and probe.kind is Kind.DATASET, "seen by the network as it is"
    lab.undo()
    assert lab.state.probe.value is look.question.probe


def test_what_was_found_for_another_picture_is_gone_and_for_another_moment_pale(change, qtbot):
    network = network_of()
    look = look_of(network)
    found(qtbot, change, look, label=look.digit.answer.likeliest[1])
    change.show_look(look_of(network, step=8, view=look.question.network))
    assert change.row.is_faded and change.row.pictures
    change.show_look(look)
    assert not change.row.is_faded
    change.show_look(look_of(network, seed=2, view=look.question.network))
    assert not change.row.pictures and change.row.hint == HINT and not change.take.isEnabled()


def test_a_search_that_is_stopped_tells_no_more_and_leaves_the_next_one_alone(change, qtbot):
    look = look_of(network_of())
    change.show_look(look)
    change.label.setCurrentIndex(look.digit.answer.likeliest[1])
    change.go.click()
    first = change._search
    change.go.click()
    assert change._search is None and change.go.text() == "Search"
    change.go.click()
    qtbot.waitUntil(first.isFinished, timeout=30_000)
    qtbot.waitUntil(lambda: change.found is not None and change.found.is_over, timeout=30_000)
    assert change._search is None and change.go.text() == "Search"
