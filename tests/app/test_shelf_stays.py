"""What a digit that is kept costs the other panels: nothing while they are out of sight, since one goes on reading."""

from __future__ import annotations

import numpy as np


def test_a_digit_that_is_kept_makes_cards_of_the_datasets_anew_only_when_they_come_into_sight(window, qtbot):
    shelf, lab = window.panel_named("data").shelf, window.lab
    window.show_panel("data")
    qtbot.waitUntil(lambda: "synthetic" in shelf.cards, timeout=60_000)
    window.show_panel("recognise")
    before = dict(shelf.cards)
    for digit in (3, 4):
        lab.own_digits.keep(digit, np.full((28, 28, 1), digit, np.uint8))
    qtbot.waitUntil(
        lambda: [known.counts["train"] for known in lab.library.known if known.name == "my_digits"] == [2], timeout=60_000
    )
    assert shelf.cards == before
    window.show_panel("data")
    assert shelf.cards["my_digits"].known.counts["train"] == 2
    qtbot.waitUntil(shelf.cards["my_digits"].isVisible, timeout=60_000)
