"""Inspect in a window of 1280×800: what must be seen in it without scrolling, and by keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QSize

from app.widgets.layer_head import shortened
from models.presets import PRESETS
from tests.app.test_inspect_network import cnn, image, look_at, panel, settle

__all__ = ["cnn", "image", "panel"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_whole_network_is_seen(panel, rng, name):
    network = PRESETS[name].build()
    shape = network.input_shape if len(network.input_shape) == 3 else (28, 28, 1)
    look_at(panel, network, rng.integers(0, 256, shape).astype(np.uint8))
    shown, port = panel.network.map, panel.network.port
    assert shown.minimumWidth() <= port.width() and shown.minimumHeight() <= port.height()
    tiles = [shown.tiles_of(n) for n in range(len(shown.layers))]
    sides = [each.rect(0).width() for each in tiles]
    maps = [side for side, each in zip(sides, tiles, strict=True) if each.height > 1]
    assert len(maps) == 1 or maps[1] == max(maps[1:]) >= 24, "the first convolution is the largest"
    assert min(maps) >= 6 and min(sides) >= 4
    panel.network.map.set_room(QSize(677, 240))
    assert min(shown.tiles_of(n).rect(0).width() for n in range(len(tiles))) >= 4, "nor do they vanish in a smaller window"


def test_the_heads_of_narrow_layers_are_shortened_to_what_says_most(themed):
    assert shortened("conv1 · norm · relu", 400, True) == ("conv1 · norm · relu", 12)
    assert shortened("conv1 · norm · relu", 50, True)[0] == "conv1"
    assert shortened("10,512 params", 48, False)[0] == "10,512"
    assert shortened("a_layer_of_a_long_name", 48, True)[0].endswith("…")


def test_tabs_keep_the_keyboard_when_they_move_to_another_card(panel, cnn, image):
    look_at(panel, cnn, image)
    column = panel.columns[1]
    column.buttons[0].setFocus()
    column.buttons[2].click()
    settle()
    assert column.buttons[2].hasFocus() and column.cards[2].isVisible() and not column.cards[0].isVisible()
    assert column.cards[2].isAncestorOf(column.buttons[2]) and not column.cards[2].title.isVisible()
    panel._buttons[0].setFocus()
    panel.show_page(1)
    panel._buttons[0].setFocus()
    panel.show_page(0)
    assert panel._buttons[0].hasFocus() and panel.network.isAncestorOf(panel._buttons[0])
