"""The map of digits as a page of Inspect: what it is made of, what it shows of it, and what can be done with it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtTest import QTest

from app.core import engine
from app.core.digit_map import Method, images_for
from app.core.in_view import DataInView, NetworkInView
from app.core.look import LAYERS, Looker, Question
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from app.panels.inspect import map_view
from app.panels.inspect.map import MapCard
from app.panels.inspect.panel import InspectPanel
from app.training import Status
from models.shipped import open_weights
from nncore.data import open_dataset
from nncore.network import Network

COUNT = 120


@pytest.fixture(autouse=True)
def few_images(monkeypatch) -> None:
    """Few images, and nothing is compiled for them."""
    monkeypatch.setattr(engine, "is_ready", lambda: False)
    monkeypatch.setattr(map_view, "images_for", lambda images: images_for(images, COUNT))


@pytest.fixture
def network() -> Network:
    return open_weights("mnist-cnn")[0]


@pytest.fixture
def card(lab, qtbot, network) -> MapCard:
    """The page, with the map of a network in it."""
    panel = InspectPanel(lab)
    qtbot.addWidget(panel)
    panel.resize(914, 708)
    panel.show()
    qtbot.waitExposed(panel)
    lab.state.show_network(NetworkInView.of(network, "n", "a test"), Moment(1, network.state_dict()))
    lab.state.data.set(DataInView("synthetic", open_dataset("synthetic"), open_dataset("synthetic", "test")))
    panel.show_page(1)
    made = panel.pages[0]
    made.panel = panel  # which must live as long
    wait_for_map(made, qtbot)
    return made


def wait_for_map(card: MapCard, qtbot) -> None:
    qtbot.waitUntil(lambda: card.map.is_current and not card.map.making.is_coming, timeout=60_000)


def test_the_points_are_those_of_the_map_and_the_line_says_what_it_is(card):
    found, scatter = card.map.found, card.map.scatter
    assert np.array_equal(scatter.positions, found.positions) and len(scatter.positions) == COUNT
    assert found.wanted.layer == "relu3" and found.wanted.method is Method.PCA
    words = card.map.line.words
    assert f"{COUNT} of" in words and "step 1" in words
    assert f"{sum(found.explained) * 100:.1f} % of the variance" in words
    assert f"{(found.answers == found.labels).mean() * 100:.2f} % right" in words
    assert f"component 1 · {found.explained[0] * 100:.1f} %" in scatter.axes[0]


def test_the_digit_that_is_looked_at_appears_where_the_layer_puts_it(card, lab):
    found = card.map.found
    image = found.wanted.images.images[found.wanted.indices[5]]
    question = Question(lab.state.network.value, lab.state.moment.value, Probe(image, kind=Kind.DATASET), frozenset({LAYERS}))
    card.map.show_look(Looker().look(question))
    np.testing.assert_allclose(card.map.scatter.marked, found.positions[5], atol=1e-3)
    other = Question(question.network, Moment(9, question.moment.state), question.probe, frozenset({LAYERS}))
    card.map.show_look(Looker().look(other))
    assert card.map.scatter.marked is None, "it was looked at with weights of another moment"


def test_another_moment_makes_the_points_pale_until_they_have_moved(card, lab, qtbot, network):
    first, scatter = card.map.found, card.map.scatter
    state = {name: array * np.float32(0.7) for name, array in network.state_dict().items()}
    lab.state.moment.set(Moment(2, state))
    assert not card.map.is_current and scatter._pale
    wait_for_map(card, qtbot)
    assert card.map.found.wanted.moment.step == 2 and not scatter._pale
    overlap = (card.map.found.positions * first.positions).sum(axis=0)
    assert (overlap > 0).all(), "neither axis has flipped"


def test_nothing_is_made_while_a_network_trains(card, lab, monkeypatch, network):
    with monkeypatch.context() as training:
        training.setattr(lab.training, "status", Status.TRAINING)
        lab.state.moment.set(Moment(2, network.state_dict()))
        assert card.map.making.wanted is None and not card.map.is_current
        assert "training pauses" in card.map.scatter._busy


def test_points_that_are_drawn_around_open_as_images_mistakes_first(card, lab):
    found, view = card.map.found, card.map
    numbers = np.arange(20)
    view.scatter.select(numbers)
    wrong = found.answers[numbers] != found.labels[numbers]
    assert len(view.grid) == 20 and view.chosen.text() == f"20 images · {wrong.sum()} wrong"
    order = [*numbers[wrong], *numbers[~wrong]]
    assert np.array_equal(view.grid.image(3), found.wanted.images.images[found.wanted.indices[order[3]]])
    view.grid.choose(3)
    probe, index = lab.state.probe.value, found.wanted.indices[order[3]]
    assert np.array_equal(probe.picture, found.wanted.images.images[index]) and probe.label == found.labels[order[3]]
    assert probe.origin.endswith(f"test image {index:,}")


def test_colours_follow_labels_answers_and_mistakes_and_the_legend_counts(card):
    found, view = card.map.found, card.map
    for number, groups in enumerate((found.labels, found.answers, found.answers != found.labels)):
        view.color.setCurrentIndex(number)
        view.color.activated.emit(number)
        assert np.array_equal(view.scatter.cloud.groups, groups)
        shown = [button for button in view.legend.buttons if button.isVisible()]
        counts = np.bincount(groups.astype(int), minlength=len(shown))
        assert all(f": {count:,} images" in button.toolTip() for button, count in zip(shown, counts, strict=True))


def test_a_legend_entry_singles_its_points_out(card):
    view = card.map
    view.legend.buttons[4].click()
    assert view.scatter.cloud.single == 4 and view.legend.buttons[4].isChecked()
    view.legend.buttons[4].click()
    assert view.scatter.cloud.single is None


def test_cancelling_keeps_the_map_that_was_there_and_it_can_be_made_after_all(card, qtbot):
    view, before = card.map, card.map.found
    view.layer.setCurrentIndex(0)
    view.layer.activated.emit(0)
    view.making.cancel()
    assert view.found is before and not view.is_current
    assert "Cancelled" in view.line.words and view.button.text() == "Make it"
    view.button.click()
    wait_for_map(card, qtbot)
    assert view.found.wanted.layer == "input"


def test_without_its_library_tsne_is_named_and_not_chosen(card, monkeypatch):
    view = card.map
    monkeypatch.setattr(map_view, "has_tsne", lambda: False)
    view.method.setCurrentIndex(1)
    view.method.activated.emit(1)
    assert view.method.currentData() is Method.PCA and "digitlab[tsne]" in view.line.words


def test_the_map_is_saved_as_drawing_table_and_arrays(card, tmp_path):
    export = card.export()
    for ending in ("png", "svg", "csv", "npz"):
        export.writer(tmp_path / f"map.{ending}")()
    assert (tmp_path / "map.csv").read_text().count("\n") == COUNT + 1
    assert np.array_equal(np.load(tmp_path / "map.npz")["positions"], card.map.found.positions)
    assert "<path" in (tmp_path / "map.svg").read_text()


def test_out_of_sight_nothing_is_made(card, lab, network):
    card.panel.show_page(0)
    lab.state.moment.set(Moment(3, network.state_dict()))
    QTest.qWait(200)
    assert card.map.making.wanted is None and not card.map.making.is_coming
