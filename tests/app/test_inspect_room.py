"""Inspect in a window of 1280×800: what must be seen in it without scrolling, and by keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from app.core.look import LAYERS
from app.panels.inspect.inspected import Unit
from app.theme import font
from app.widgets.layer_head import shortened
from app.widgets.network_map import scale_in, short
from app.widgets.sections import Beside, signed
from models.presets import PRESETS
from nncore.layers import Conv2d, Flatten, Linear, ReLU
from nncore.network import Network
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


@pytest.mark.parametrize("unit", [("relu1", 9, 9, 5), ("relu2", 6, 5, 3), ("pool1", 4, 4, 2), ("relu3", 6), ("linear2", 5)])
def test_a_number_of_mnist_cnn_is_explained_without_scrolling(panel, cnn, image, unit):
    look_at(panel, cnn, image)
    panel.inspected.choose(Unit(unit[0], unit[1:]))
    settle()
    card = panel.columns[0].cards[0]
    assert 0 < card.sheet.minimumHeight() <= card.port.height() and card.sheet.width() <= card.port.width()


def test_what_is_left_out_of_a_large_sum_is_told(panel, rng):
    network = Network([Conv2d(48, 3), ReLU(), Conv2d(4, 5), Flatten(), Linear(10)], (16, 16, 1))
    look_at(panel, network, rng.integers(0, 256, (16, 16, 1)).astype(np.uint8))
    panel.inspected.choose(Unit("conv2", (3, 3, 1)))
    settle()
    card, outputs = panel.columns[0].cards[0], panel.inspected.look.value.results[LAYERS]
    (beside,) = [section for section in card.sheet.sections if isinstance(section, Beside)]
    parts = outputs["relu1"][3:8, 3:8] * network.state_dict()["conv2.weight"][..., 1]
    largest = sorted(parts.reshape(-1).tolist(), key=lambda part: -abs(part))
    assert np.allclose(beside.right.amounts, largest[:4], atol=1e-6)
    assert beside.right.rest == ("1,196 others", signed(sum(largest[4:])))
    place = tuple(int(at) for at in np.unravel_index(np.abs(parts).argmax(), parts.shape))
    assert beside.right.keys[0] == ("unit", Unit("relu1", (place[0] + 3, place[1] + 3, place[2])))
    assert card.sheet.minimumHeight() <= card.port.height()


def test_the_heads_of_narrow_layers_are_shortened_to_what_says_most(themed):
    assert shortened("conv1 · norm · relu", 400, True) == ("conv1 · norm · relu", 12)
    assert shortened("conv1 · norm · relu", 50, True)[0] == "conv1"
    assert shortened("10,512 params", 48, False)[0] == "10,512"
    assert shortened("a_layer_of_a_long_name", 48, True)[0].endswith("…")


@pytest.mark.parametrize(("low", "high"), [(0, 29.17), (-8.701, 8.701), (0, 0.9731), (0, 5.19)])
def test_the_number_of_a_scale_of_colours_is_seen_whole_below_a_narrow_layer(themed, low, high):
    metrics = QFontMetrics(font(9))
    for width in (36, 48, 120):
        words, length = scale_in(low, high, width, metrics)
        assert length >= 4 and length + 3 + metrics.horizontalAdvance(words) <= width
    assert (words, length) == (f"{short(low)}…{short(high)}", 40)


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
