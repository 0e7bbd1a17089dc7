"""What happens in the window's panels when a digit is kept: as little as can be, since one goes on reading."""

from __future__ import annotations

import numpy as np


def test_a_digit_that_is_kept_makes_no_card_of_another_dataset_anew(window, qtbot):
    window.show_panel("data")
    shelf, lab = window.panel.shelf, window.lab
    qtbot.waitUntil(lambda: "synthetic" in shelf.cards, timeout=20_000)

    def is_shown(count: int) -> bool:
        return "my_digits" in shelf.cards and shelf.cards["my_digits"].known.counts["train"] == count

    def keep(digit: int) -> None:
        lab.own_digits.keep(digit, np.full((28, 28, 1), digit, np.uint8))

    keep(3)
    keep(4)
    qtbot.waitUntil(lambda: is_shown(2), timeout=20_000)
    before = dict(shelf.cards)
    keep(5)
    qtbot.waitUntil(lambda: is_shown(3), timeout=20_000)
    assert {name for name, card in shelf.cards.items() if card is not before[name]} == {"my_digits"}
    qtbot.waitUntil(lambda: all(card.isVisible() for card in shelf.cards.values()), timeout=20_000)
    tops = [card.y() for card in shelf.cards.values()]
    assert tops == sorted(set(tops)), "one below the other, in the order of the list"
