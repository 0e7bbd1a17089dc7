"""Inspect's picture of the network: what is shown of each layer, and choosing a unit in it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QPointF, QSize, Qt
from PySide6.QtTest import QTest

from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Looker, Question
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from app.panels.inspect.filters import FiltersCard
from app.panels.inspect.inspected import Unit
from app.panels.inspect.network import FOR_ALL
from app.panels.inspect.panel import InspectPanel
from app.widgets.layer_maps import LayerMaps, Spot
from app.widgets.network_map import NetworkMap
from app.widgets.turns import APART
from models.presets import PRESETS
from models.shipped import open_weights
from nncore.data import synthetic
from nncore.explain.layers import layer_outputs
from nncore.network import Network
from nncore.prediction import Predictor
from tests.app.conftest import FIVE, draw
from tests.app.inspect_cards import bring


def look_at(panel: InspectPanel, network: Network, image: np.ndarray, step: int = 0) -> None:
    """Let the panel show a network on an image, and draw it."""
    state = panel.lab.state
    if state.network.value is None or state.network.value.architecture != network.config():
        state.show_network(NetworkInView.of(network, "n", "a test"), Moment(step, network.state_dict()))
    question = Question(
        state.network.value, Moment(step, network.state_dict()), Probe(image, kind=Kind.DATASET), frozenset({LAYERS})
    )
    panel.lab.looking.looked.emit(Looker().look(question))
    settle()


def settle() -> None:
    """Do all that waits to be done in the interface thread: cards are drawn in turn."""
    for _ in range(6):
        QCoreApplication.processEvents()
        time.sleep(APART)


@pytest.fixture
def panel(lab, qtbot) -> InspectPanel:
    """The panel as it is in a window of 1280×800."""
    made = InspectPanel(lab)
    qtbot.addWidget(made)
    made.resize(914, 708)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def cnn() -> Network:
    return open_weights("mnist-cnn")[0]


@pytest.fixture
def image() -> np.ndarray:
    return synthetic("test", 5).images[0]


def titles(panel: InspectPanel) -> list[str]:
    return [layer.title for layer in panel.network.map.layers]


def test_every_layer_is_shown_with_the_numbers_of_the_network(panel, cnn, image):
    look_at(panel, cnn, image)
    assert titles(panel) == ["input", "conv1 · relu", "pool1", "conv2 · relu", "pool2", "linear1 · relu", "linear2"]
    outputs = layer_outputs(Predictor(cnn), image)
    layers = panel.network.map.layers
    assert np.array_equal(layers[0].maps, image.transpose(2, 0, 1))
    for number, name in ((1, "relu1"), (2, "pool1"), (3, "relu2"), (4, "pool2")):
        assert np.array_equal(layers[number].maps, outputs[name].transpose(2, 0, 1))
    assert np.array_equal(layers[6].maps.reshape(-1), outputs["linear2"])
    assert layers[6].names == tuple("0123456789")
    assert np.allclose(layers[6].shares, Predictor(cnn).predict(image[None])[0], atol=1e-6)
    assert layers[1].facts == ("28×28×16", "160 params") and layers[1].low == 0 and layers[1].high == outputs["relu1"].max()
    assert -layers[6].low == layers[6].high == np.abs(outputs["linear2"]).max(), "below zero the scale is centred at zero"
    panel.network.every.setChecked(True)
    settle()
    assert titles(panel) == ["input", *(line.name for line in cnn.summary())]
    panel.network.scales.setCurrentText(FOR_ALL)
    settle()
    highest = max(np.abs(values).max() for values in outputs.values())
    assert {layer.high for layer in panel.network.map.layers[1:]} == {highest}


def test_all_cards_are_of_the_same_look(panel, cnn, image):
    filters = bring(panel, FiltersCard)
    look_at(panel, cnn, image)
    assert filters.weight is not None and filters.weight.any() and panel.network.map.layers[2].maps.any()
    blank = {name: np.zeros_like(value) for name, value in cnn.state_dict().items()}
    panel.lab.state.moment.set(Moment(9, blank))  # the look at it has only been asked for
    settle()
    assert filters.weight.any() and panel.network.map.layers[2].maps.any()
    cnn.load_state_dict(blank)
    look_at(panel, cnn, image, 9)
    assert not filters.weight.any() and not panel.network.map.layers[2].maps.any()


def test_nothing_of_the_network_before_is_drawn_again(panel, cnn, image):
    look_at(panel, cnn, image)
    panel.inspected.choose(Unit("relu2", (3, 4, 5)))
    network = PRESETS["mlp"].build()
    panel.lab.state.show_network(NetworkInView.of(network, "mlp", "a test"), Moment(0, network.state_dict()))
    assert panel.inspected.look.value is None and panel.inspected.unit is None
    panel.network.every.toggle()  # before there is a look at the new network
    settle()
    assert titles(panel) == [] and not panel.columns[0].cards[0].sheet.sections
    look_at(panel, network, image)
    assert "linear1" in titles(panel) and panel.inspected.unit.layer == "linear1"


def test_what_was_chosen_stays_with_the_same_layers_alone(panel, cnn, image, rng):
    look_at(panel, cnn, image)
    panel.inspected.choose(Unit("relu2", (3, 4, 5)))
    trained = NetworkInView.of(cnn, "n", "a training of the same layers")
    panel.lab.state.show_network(trained, Moment(1, cnn.state_dict()))
    assert panel.inspected.unit == Unit("relu2", (3, 4, 5))
    wide = PRESETS["mlp"].build(0, (40, 40, 1))
    look_at(panel, wide, rng.integers(0, 256, (40, 40, 1)).astype(np.uint8))
    panel.inspected.choose(Unit("flatten1", (1500,)))
    look_at(panel, PRESETS["mlp"].build(0, (28, 28, 1)), image)
    assert panel.inspected.unit.layer == "relu1", "such a unit there is not on smaller images"


def test_a_click_chooses_the_unit_and_return_does_too(panel, cnn, image):
    look_at(panel, cnn, image)
    shown = panel.network.map
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=shown.rect_of(Spot(3, 7, 5, 9)).topLeft().toPoint())
    assert panel.inspected.unit == Unit("relu2", (5, 9, 7))
    settle()
    assert shown.mark == Spot(3, 7, 5, 9)
    for _ in range(20):
        QTest.keyClick(shown, Qt.Key.Key_Right)
    QTest.keyClick(shown, Qt.Key.Key_Return)
    assert panel.inspected.unit.layer == "linear2", "arrows lead from layer to layer"
    panel.inspected.choose(Unit("pool1", (3, 3, 0)))
    settle()
    assert shown.mark == Spot(2, 0, 3, 3)
    QTest.keyClick(shown, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(shown, Qt.Key.Key_Return)
    assert panel.inspected.unit == Unit("pool1", (4, 3, 0)), "with Shift from value to value"


def test_a_layer_is_shown_alone_by_its_name_and_escape_goes_back(panel, cnn, image):
    look_at(panel, cnn, image)
    shown = panel.network.map
    before = shown.tiles_of(3).scale
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=QPointF(shown.tiles_of(3).left + 8, 8).toPoint())
    settle()
    assert shown.alone == 3 and not panel.columns[0].isVisible() and panel.network.back.isVisible()
    assert shown.tiles_of(3).scale > before
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    settle()
    assert shown.alone is None and panel.columns[0].isVisible() and not panel.network.back.isVisible()


def test_the_lines_to_a_value_are_its_strongest_inputs(panel, cnn, image):
    look_at(panel, cnn, image)
    state, outputs = cnn.state_dict(), panel.inspected.look.value.results[LAYERS]
    lines = panel.network._lines(Spot(6, 4))
    products = outputs["relu3"] * state["linear2.weight"][:, 4]
    order = np.argsort(-np.abs(products))[:5]
    assert [line.unit for line in lines] == order.tolist() and {line.layer for line in lines} == {5}
    assert np.allclose([line.weight for line in lines], products[order], atol=1e-5)
    lines = panel.network._lines(Spot(3, 2, 6, 6))
    sums = (outputs["pool1"][5:8, 5:8] * state["conv2.weight"][..., 2]).sum(axis=(0, 1))
    assert [line.unit for line in lines] == np.argsort(-np.abs(sums))[:5].tolist() and lines[0].place is None
    row, column, unit = np.unravel_index(outputs["pool1"].argmax(), outputs["pool1"].shape)
    (won,) = panel.network._lines(Spot(2, int(unit), int(row), int(column)))
    assert outputs["relu1"][won.place[0], won.place[1], unit] == outputs["pool1"].max() and won.layer == 1
    assert panel.network._lines(Spot(0, 0, 3, 3)) == []


@pytest.mark.parametrize("size", [(914, 708), (600, 520), (1554, 1100)])
def test_the_first_convolution_is_the_largest(panel, cnn, image, size):
    panel.resize(*size)
    look_at(panel, cnn, image)
    shown = panel.network.map
    tiles = [shown.tiles_of(n) for n in range(len(shown.layers))]
    sides = [each.rect(0).width() for each in tiles]
    assert sides[1] == max(sides[1:]) >= (44 if size[0] > 700 else 24) and min(sides) >= 6
    assert all(each.scale == int(each.scale) for each in tiles), "whole pixels"
    assert [each.left for each in tiles] == sorted(each.left for each in tiles)
    assert shown.minimumWidth() <= panel.network.port.width() or size[0] < 700, "it fits into a window of 1280"
    assert size[0] != 914 or tiles[3].scale == 2, "and the second convolution can be seen in it, too"


def test_a_layer_of_512_units_has_cells_that_can_be_pointed_at(themed, qtbot, rng):
    shown = NetworkMap(lambda spot: [], lambda spot: f"{spot.layer} {spot.unit}")
    qtbot.addWidget(shown)
    table = np.zeros((256, 3), np.uint8)
    sizes = [(1, 28, 28), (512, 1, 1), (64, 1, 1), (10, 1, 1)]
    shown.show_layers([LayerMaps(str(n), ("", ""), rng.random(size), table, 0, 1) for n, size in enumerate(sizes)])
    shown.set_room(QSize(860, 280))
    assert shown.minimumWidth() <= 860 and shown.tiles_of(1).scale >= 6
    shown.resize(860, 280)
    for unit in (0, 100, 511):
        spot = shown.spot_at(shown.rect_of(Spot(1, unit)).center())
        assert spot == Spot(1, unit) and shown.words_at(shown.rect_of(spot).center().toPoint()) == f"1 {unit}"


def test_vectors_are_shown_as_pictures_and_chosen_as_vectors(panel, image):
    look_at(panel, PRESETS["mnist-mlp"].build(2), image)
    shown = panel.network.map
    assert shown.layers[0].maps.shape == (1, 28, 28) and shown.layers[1].maps.shape == (512, 1, 1)
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=shown.rect_of(Spot(0, 0, 3, 5)).topLeft().toPoint())
    settle()
    assert panel.inspected.unit == Unit("input", (3 * 28 + 5,)) and shown.mark == Spot(0, 0, 3, 5)


def test_a_drawing_is_followed(window, qtbot):
    draw(window.panel.canvas, FIVE)
    window.show_panel("inspect")
    panel = window.panel
    qtbot.waitUntil(lambda: bool(panel.network.map.layers), timeout=20_000)
    assert panel.inspected.look.value.digit.answer.digit == 5
    assert int(panel.network.map.layers[-1].maps.argmax()) == 5


def test_the_channels_of_a_colour_picture_have_their_colours(panel, rng):
    picture = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    look_at(panel, PRESETS["svhn-lenet"].build(2), picture)
    shown = panel.network.map
    shot = shown.grab().toImage()
    for channel in range(3):
        at = shown.rect_of(Spot(0, channel, 4, 7)).center().toPoint()
        color = shot.pixelColor(at)
        found = (color.red(), color.green(), color.blue())
        assert found[channel] == picture[4, 7, channel] and sum(found) == found[channel]
