"""Inspect's explanation of one number, forwards and backwards: what is written on the screen is what nncore says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.core.recipe import Recipe
from app.core.run_in_view import RunInView
from app.panels.inspect.backwards import next_step
from app.panels.inspect.explained import sections_of
from app.panels.inspect.filters import FiltersCard
from app.panels.inspect.inspected import Unit, Weight
from app.panels.inspect.pixel import PixelCard
from app.panels.inspect.weight_page import step_lines
from app.widgets.contributions import Contributions, Slices
from app.widgets.equation import Equation
from app.widgets.sections import Beside, Grids, Line, Lines, number
from models.presets import PRESETS
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import explain_joined
from nncore.explain.weight_step import BackwardPass
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Softmax, Tanh
from nncore.network import Network
from nncore.optimizers import Adam
from nncore.parameter import Parameter
from tests.app.inspect_cards import bring
from tests.app.test_inspect_network import cnn, image, look_at, panel, settle

__all__ = ["cnn", "image", "panel"]


def found(sections, kind):
    """The first section of a kind, also beside another."""
    for section in sections:
        parts = (section.left, section.right) if isinstance(section, Beside) else (section,)
        for part in parts:
            if isinstance(part, kind):
                return part
    return None


def press(card, key) -> None:
    """Click the first target with a key."""
    target = next(target for target in card.sheet._targets if target.key == key)
    QTest.mouseClick(card.sheet, Qt.MouseButton.LeftButton, pos=QPointF(target.rect.center()).toPoint())
    settle()


def test_patch_times_kernel_is_what_is_on_the_screen(panel, cnn, image):
    look_at(panel, cnn, image)
    card, outputs = panel.columns[0].cards[0], panel.inspected.look.value.results["layers"]
    panel.inspected.choose(Unit("relu2", (6, 5, 3)))
    settle()
    slices = found(card.sheet.sections, Slices)
    weight = cnn.state_dict()["conv2.weight"][..., 3].astype(float)
    products = outputs["pool1"][5:8, 4:7].astype(float) * weight
    assert np.allclose(slices.amounts, sorted(products.sum(axis=(0, 1)), key=lambda part: -abs(part)))
    strongest = int(np.abs(products.sum(axis=(0, 1))).argmax())
    patch, kernel, parts = (grid.values for grid in found(card.sheet.sections, Grids).grids)
    assert np.array_equal(patch, outputs["pool1"][5:8, 4:7, strongest]) and np.array_equal(kernel, weight[..., strongest])
    assert np.allclose(parts, products[..., strongest])
    terms = found(card.sheet.sections, Equation).terms
    total, bias = products.sum(), float(cnn.state_dict()["conv2.bias"][3])
    assert [term.value for term in terms] == [number(value) for value in (total, bias, total + bias, max(total + bias, 0))]
    assert [term.sign for term in terms] == ["", "+", "=", "→"] and [term.is_result for term in terms] == [False] * 3 + [True]
    assert abs(max(total + bias, 0) - outputs["relu2"][6, 5, 3]) < 1e-5
    press(card, slices.keys[1])
    assert np.array_equal(found(card.sheet.sections, Grids).grids[1].values, weight[..., slices.keys[1][1]])


def test_the_way_leads_from_the_answer_back_to_the_drawing(panel, cnn, image):
    look_at(panel, cnn, image)
    card = panel.columns[0].cards[0]
    panel.inspected.choose(Unit("linear2", (5,)))
    settle()
    for layers in (("relu3",), ("pool2",), ("relu2",), ("pool1",), ("relu1",), ("input",)):
        keys = [target.key for target in card.sheet._targets if target.key and target.key[0] == "unit"]
        press(card, next(key for key in keys if key[1].layer in layers))
    assert [unit.layer for unit in panel.inspected.trail.value] == [
        "linear2", "relu3", "pool2", "relu2", "pool1", "relu1", "input",
    ]  # fmt: skip
    row, column, channel = panel.inspected.unit.index
    assert found(card.sheet.sections, Lines).lines[0].value == str(int(image[row, column, channel]))
    card.crumbs.buttons[0].click()
    settle()
    assert panel.inspected.unit.layer == "relu2"
    QTest.keyClick(card, Qt.Key.Key_Backspace)
    assert panel.inspected.unit.layer == "pool2"


def test_the_largest_contributions_of_a_linear_layer(panel, cnn, image):
    look_at(panel, cnn, image)
    card, outputs = panel.columns[0].cards[0], panel.inspected.look.value.results["layers"]
    panel.inspected.choose(Unit("linear2", (4,)))
    settle()
    rows = found(card.sheet.sections, Contributions)
    parts = outputs["relu3"].astype(float) * cnn.state_dict()["linear2.weight"][:, 4]
    order = np.argsort(-np.abs(parts), kind="stable")
    assert np.allclose(rows.amounts, parts[order[:8]]) and rows.keys[0] == ("unit", Unit("relu3", (int(order[0]),)))
    assert number(parts[order[8:]].sum()) in rows.rest
    assert next(iter(card.sheet.table()))[0] == "layer" and len([*card.sheet.table()]) == 1 + 64 + 1


LAYERS = [
    Conv2d(3, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), AvgPool2d(2), Tanh(), Flatten(), Dropout(0.25), Linear(4),
    Softmax(),
]  # fmt: skip


def test_every_kind_of_layer_is_explained_in_words_and_numbers(rng, qapp, themed):
    network = Network(LAYERS, (8, 8, 1))
    picture = rng.integers(0, 256, (8, 8, 1)).astype(np.uint8)
    done = ForwardPass.of(network, picture)
    for place in range(len(LAYERS) + 1):
        index = tuple(0 for _ in done.values[place].shape)
        sections = sections_of(done, Unit(done.name(place), index), picture, None)
        for section in sections:
            assert min(section.size(400)) > 0 and all(target.words for target in section.targets(400))
        if place:
            written = [
                line
                for kind in (Equation, Lines)
                for section in [found(sections[:-1], kind)]
                for line in ([] if section is None else section.terms if kind is Equation else section.lines)
            ]
            results = [line.value for line in written if line.is_result]
            assert results == [number(explain_joined(done, place, index)[-1].value)]
    words = " ".join(
        line.words for section in sections_of(done, Unit("dropout1", (0,)), picture, None)[-1:] for line in section.lines
    )
    assert "dropout does nothing in use" in words and "0.25" in words
    strided = Network([Conv2d(2, 3, stride=(2, 1), padding=(1, 0))], (8, 8, 1))
    (line,) = sections_of(ForwardPass.of(strided, picture), Unit("conv1", (0, 0, 0)), picture, None)[-1].lines
    assert line.words == "y[i, j, o] = b[o] + Σ x[2i + k − 1, j + l, c] · w[k, l, c, o]"


def test_a_weight_is_explained_backwards(panel, cnn, image, qtbot):
    look_at(panel, cnn, image)
    card = panel.columns[0].cards[0]
    panel.inspected.choose(Unit("relu2", (6, 5, 3)))
    settle()
    strongest = found(card.sheet.sections, Slices).keys[0][1]
    weight = Weight("conv2.weight", (1, 1, strongest, 3))
    press(card, ("weight", weight))
    assert panel.inspected.weight.value == weight
    qtbot.waitUntil(lambda: card.backwards.result is not None and not card.sheet.is_faded, timeout=20_000)
    settle()
    passed = BackwardPass.of(cnn, image, int(panel.inspected.look.value.digit.answer.digit))
    values = [line.value for section in card.sheet.sections if isinstance(section, Lines) for line in section.lines]
    assert number(passed.loss) in values and number(float(passed.gradients["conv2.weight"][weight.index])) in values
    grids = found(card.sheet.sections, Grids).grids
    assert np.allclose(grids[0].values * grids[1].values, grids[2].values)
    assert abs(grids[2].values.sum() - passed.gradients["conv2.weight"][weight.index]) < 1e-5
    QTest.keyClick(card, Qt.Key.Key_Backspace)
    assert panel.inspected.weight.value is None and panel.inspected.unit == Unit("relu2", (6, 5, 3))


def test_the_step_is_taken_by_the_settings_of_the_run(lab, cnn, image):
    passed, weight = BackwardPass.of(cnn, image, 3), Weight("linear2.weight", (5, 3))
    unknown = next_step(lab, None, passed, weight, 100, 0.0)
    assert "not kept" in unknown.remark and unknown.step.rule == "adam"
    recipe = Recipe.of("mnist-cnn").with_settings(optimizer="momentum", momentum=0.8, learning_rate=0.03, weight_decay=0.01)
    run = RunInView(lab.state.network.value, recipe=recipe)
    run.history.rates.extend(np.array([1.0, 2.0, 3.0]), np.array([0.03, 0.02, 0.01]))
    following = next_step(lab, run, passed, weight, 1, 0.0)
    step, gradient = following.step, float(passed.gradients["linear2.weight"][5, 3])
    value = float(cnn.state_dict()["linear2.weight"][5, 3])
    assert (step.rule, step.lr, step.settings) == ("momentum", 0.02, {"momentum": 0.8}) and "begin at zero" in following.remark
    assert step.change == pytest.approx(-0.02 * (gradient + 0.01 * value)), "the next step has the second rate"
    assert next_step(lab, run, passed, weight, 3, 0.0).step.lr == 0.01, "after the last one there is only that"


def test_adams_formula_has_its_numbers_in_it():
    optimizer = Adam({"a": Parameter(np.array([0.5]))}, 0.002)
    from nncore.explain.weight_step import weight_step

    step = weight_step(optimizer, 0.5, -0.25, None, {"mean": 0.1, "square": 0.04}, 9)
    lines = {line.words: line.value for line in step_lines(step)}
    mean, square = 0.9 * 0.1 - 0.1 * 0.25, 0.999 * 0.04 + 0.001 * 0.0625
    assert lines["m = 0.9 · 0.100 + 0.1 · (−0.250)"] == number(mean)
    assert lines["v = 0.999 · 0.040 + 0.001 · (−0.250)²"] == number(square)
    change = -0.002 * (mean / (1 - 0.9**10)) / (math.sqrt(square / (1 - 0.999**10)) + 1e-8)
    assert lines["m′ = m / (1 − 0.9^10)"] == number(mean / (1 - 0.9**10)) and step.change == pytest.approx(change)
    assert Line(f"w = 0.500 + {number(change)}", number(0.5 + change), True) in step_lines(step) or change < 0


def test_filters_are_the_weights_of_the_layer(panel, cnn, image):
    look_at(panel, cnn, image)
    card = bring(panel, FiltersCard)
    panel.inspected.choose(Unit("relu1", (3, 3, 6)))
    settle()
    state = cnn.state_dict()
    assert np.array_equal(card.sheet.sections[0].maps, state["conv1.weight"][:, :, 0].transpose(2, 0, 1))
    assert card.sheet.sections[0].chosen == 6 and card.sheet.sections[0].top == np.abs(state["conv1.weight"]).max()
    assert card.sheet.sections[1].counts.sum() == state["conv1.weight"].size
    panel.inspected.choose(Unit("pool2", (3, 3, 6)))
    settle()
    kernels = state["conv2.weight"].transpose(3, 2, 0, 1)
    assert np.array_equal(card.sheet.sections[0].maps, kernels[6])
    strongest = np.argsort(-np.abs(kernels[9]).sum(axis=(1, 2)), kind="stable")[:3]
    assert np.allclose(card.sheet.sections[1].maps[9], kernels[9][strongest].sum(axis=0))
    press(card, ("kernel", 9))
    assert panel.inspected.unit == Unit("conv2", (7, 7, 9))
    panel.inspected.choose(Unit("flatten1", (32 + 5,)))
    settle()
    assert np.array_equal(card.sheet.sections[0].maps, kernels[5]), "behind flatten the unit is that of the map"
    panel.inspected.choose(Unit("linear1", (2,)))
    settle()
    assert np.array_equal(card.sheet.sections[0].maps, state["linear1.weight"][:, 2].reshape(7, 7, 32).transpose(2, 0, 1))


def test_weights_on_a_picture_are_pictures(panel, image):
    network = PRESETS["mnist-mlp"].build(2)
    look_at(panel, network, image)
    panel.inspected.choose(Unit("relu1", (300,)))
    settle()
    card = bring(panel, FiltersCard)
    settle()
    maps = card.sheet.sections[0]
    assert maps.maps.shape == (512, 28 * 28 // 28, 28) and maps.chosen == 300


def test_pictures_are_saved(panel, cnn, image, tmp_path):
    look_at(panel, cnn, image)
    export = panel.network.export()
    for ending in ("png", "svg", "csv", "npz"):
        export.writer(tmp_path / f"a.{ending}")()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG" and b"<svg" in (tmp_path / "a.svg").read_bytes()
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "layer,unit,row,column,value"
    assert np.array_equal(np.load(tmp_path / "a.npz")["pool1"], panel.inspected.look.value.results["layers"]["pool1"])
    for kind in (PixelCard, FiltersCard):
        card = bring(panel, kind)
        settle()
        assert card.export() is not None and card.export().arrays is not None
