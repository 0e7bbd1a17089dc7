"""Inspect's frame: cards in columns, what they want, and the room they have."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.look import LAYERS
from app.panels.inspect import panel as panel_module
from app.panels.inspect.card import InspectCard
from app.panels.inspect.filters import FiltersCard
from app.panels.inspect.inspected import Unit
from app.panels.inspect.panel import InspectPanel
from app.panels.inspect.pixel import PixelCard
from tests.app.test_inspect_network import cnn, image, look_at, settle

__all__ = ["cnn", "image"]


class Why(InspectCard):
    """A card of another kind."""

    name = "Why this answer"
    wants = frozenset({"gradients"})
    drawn = 0

    def draw(self) -> None:
        self.drawn += 1


class Map(Why):
    """A card with a page of its own."""

    name = "Map of digits"
    wants = frozenset({"map"})


@pytest.fixture
def four(lab, qtbot, monkeypatch) -> InspectPanel:
    """A panel with three cards below the network and one on a page of its own."""
    monkeypatch.setattr(panel_module, "COLUMNS", ((PixelCard, FiltersCard), (Why,)))
    monkeypatch.setattr(panel_module, "PAGES", (Map,))
    made = InspectPanel(lab)
    qtbot.addWidget(made)
    made.resize(914, 708)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_cards_share_a_column_that_is_high_enough_and_have_tabs_in_another(four):
    left = four.columns[0]
    pixel, filters = left.cards
    assert pixel.isVisible() and not filters.isVisible() and left.buttons[1].isVisible()
    left.buttons[1].click()
    assert filters.isVisible() and not pixel.isVisible()
    four.resize(914, 1400)
    settle()
    assert filters.isVisible() and pixel.isVisible() and not left.buttons[1].isVisible()


def test_only_what_cards_in_sight_want_is_asked_for(four):
    wanted = lambda: four.lab.looking._wanted  # noqa: E731
    assert wanted() == frozenset()
    four.came_into_sight()
    assert wanted() == {LAYERS, "gradients"}
    four.maximise(four.columns[0].cards[0])
    assert wanted() == {LAYERS}
    four.maximise(None)
    four.show_page(1)
    assert wanted() == {LAYERS, "map"}
    four.show_page(0)
    assert wanted() == {LAYERS, "gradients"}
    four.went_out_of_sight()
    assert wanted() == frozenset()


def test_a_card_out_of_sight_draws_when_it_comes_into_sight(four, cnn, image):
    page = four.pages[0]
    look_at(four, cnn, image)
    assert page.drawn == 0
    four.show_page(1)
    settle()
    assert page.drawn == 1 and four.inspected.unit is not None
    four.inspected.choose(Unit("linear2", (3,)))
    settle()
    assert page.drawn == 2


def test_a_card_has_the_whole_panel_until_escape(four, cnn, image):
    look_at(four, cnn, image)
    why = four.columns[1].cards[0]
    why._maximise.click()
    settle()
    assert why.is_maximised and why.height() > 600 and not four.network.isVisible() and not four.columns[0].isVisible()
    QTest.keyClick(four, Qt.Key.Key_Escape)
    settle()
    assert not why.is_maximised and four.network.isVisible() and four.columns[0].isVisible()
