"""The card Filters with a layer of many weights: its pictures are made in the background."""

from __future__ import annotations

from threading import Event

import numpy as np

from app.panels.inspect import filters
from app.panels.inspect.filters import FiltersCard
from app.panels.inspect.inspected import Unit
from nncore.layers import Linear, ReLU
from nncore.network import Network
from tests.app.inspect_cards import bring
from tests.app.test_inspect_network import image, look_at, panel, settle

__all__ = ["image", "panel"]


def test_the_pictures_of_a_large_layer_come_when_they_are_made_and_hold_nothing_up(panel, image, qtbot, monkeypatch):
    may_go, make = Event(), filters.filter_sections

    def held(*asked):
        assert may_go.wait(20)
        return make(*asked)

    monkeypatch.setattr(filters, "filter_sections", held)
    card = bring(panel, FiltersCard)
    large = Network([Linear(300), ReLU(), Linear(10)], (784,))
    look_at(panel, large, image)
    panel.inspected.choose(Unit("linear1", (7,)))
    settle()
    assert card.weight.size > filters.QUICK and not card.sheet.sections and "300 units" in card.facts.words
    may_go.set()
    qtbot.waitUntil(lambda: len(card.sheet.sections) > 0, timeout=20_000)
    shown, spread = card.sheet.sections
    weight = large.state_dict()["linear1.weight"]
    np.testing.assert_array_equal(shown.maps[7], weight[:, 7].reshape(28, 28))
    assert shown.chosen == 7 and int(spread.counts.sum()) == weight.size and not card.sheet.is_faded
