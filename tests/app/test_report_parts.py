"""The parts of a report by themselves: scores, calibration, smoothing, plots, drawings, filters."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from app.colors import DARK, DIVERGING, LIGHT
from app.core.calibration import calibration
from app.core.report.drawing import Drawing, elided, legend, png_uri
from app.core.report.network_drawing import MOST, network_drawing
from app.core.report.pictures import confusion_drawing, first_filters, picture_grid
from app.core.report.plots import Series, calibration_plot, plot
from app.core.scores import class_scores, most_confused
from models.presets import PRESETS
from nncore.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.metrics import Evaluation
from nncore.network import Network

NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(drawing: Drawing) -> ElementTree.Element:
    """The drawing as XML, after checking that every place in it is a number on the sheet or close by."""
    text = drawing.svg(LIGHT)
    assert "var(" not in text
    root = ElementTree.fromstring(text)
    for element in root.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            if name in element.attrib:
                assert -200 < float(element.attrib[name]) < max(drawing.width, drawing.height) + 200
        for pair in element.attrib.get("points", "").split():
            x, y = map(float, pair.split(","))
            assert -1 <= x <= drawing.width + 1 and -1 <= y <= drawing.height + 1
    return root


def texts(drawing: Drawing) -> list[str]:
    return [element.text or "" for element in parsed(drawing).iter(f"{NAMESPACE}text")]


# -- figures


def test_precision_recall_and_f1_of_a_worked_example():
    counts = np.array([[5, 1, 0], [2, 3, 0], [0, 0, 0]])
    first, second, third = class_scores(counts)
    assert (first.images, second.images, third.images) == (6, 5, 0)
    assert (first.precision, first.recall, first.f1) == pytest.approx((5 / 7, 5 / 6, 10 / 13))
    assert (second.precision, second.recall, second.f1) == pytest.approx((3 / 4, 3 / 5, 6 / 9))
    assert (third.precision, third.recall, third.f1) == (None, None, None)
    assert most_confused(counts) == [(1, 0, 2), (0, 1, 1)]
    assert counts[0, 0] == 5, "which is left as it is"


def evaluation(sure: list[float], right: list[bool]) -> Evaluation:
    """Answers between two classes, with how sure they are and whether they are right."""
    probabilities = np.array([[share, 1 - share] for share in sure])
    return Evaluation(0.0, probabilities, np.array([0 if good else 1 for good in right]))


def test_the_calibration_of_a_worked_example():
    found = calibration(evaluation([0.85, 0.85, 0.85, 0.85, 0.65, 0.65], [True, True, True, False, True, True]))
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 4, 0]
    assert found.accuracies[[6, 8]].tolist() == [1.0, 0.75] and found.confidences[[6, 8]] == pytest.approx([0.65, 0.85])
    assert found.error == pytest.approx((4 * 0.1 + 2 * 0.35) / 6)


def test_certainty_and_the_edges_of_bins_have_their_place():
    found = calibration(evaluation([1.0, 0.9, 0.5], [True, True, True]))
    assert found.counts.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 1, 1]
    assert calibration(evaluation([1.0] * 5, [True] * 5)).error == 0
    assert calibration(evaluation([1.0] * 5, [False] * 5)).error == 1


def test_no_answers_have_no_calibration():
    found = calibration(Evaluation(0.0, np.empty((0, 3)), np.empty(0, np.int64)))
    assert np.isnan(found.error)
    parsed(calibration_plot(found))


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(0.5, 1)), st.integers(0, 2**60 - 1))
@settings(max_examples=60, deadline=None)
def test_the_calibration_error_is_a_share(sure, bits):
    found = calibration(evaluation(list(sure), [bool(bits >> place & 1) for place in range(len(sure))]))
    assert 0 <= found.error <= 1 and found.counts.sum() == len(sure)
    parsed(calibration_plot(found))


# -- plots


VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)


@given(arrays(np.float64, st.integers(0, 40), elements=VALUES), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 10**9))
@settings(max_examples=200, deadline=None)
def test_any_curve_can_be_drawn(values, logarithmic, percent, noisy, stride):
    if percent:
        values = np.clip(np.nan_to_num(values), 0, 1)
    steps = np.arange(1, len(values) + 1, dtype=float) * stride
    series = [Series("a", steps, values, "accent", noisy), Series("b", np.empty(0), np.empty(0), "second")]
    parsed(plot("any", series, logarithmic=logarithmic, percent=percent))


def test_axes_have_round_numbers_that_enclose_the_curve():
    steps = np.arange(1, 2001, dtype=float)
    loss = texts(plot("loss", [Series("a", steps, 2.3 * 0.998**steps, "accent")], logarithmic=True))
    assert {"0.05", "0.1", "0.2", "0.5", "1", "2", "5"} <= {*loss} and "500" in loss and "2,000" in loss and "step" in loss
    share = texts(plot("accuracy", [Series("a", steps, 0.9 + steps / 25_000, "accent")], percent=True))
    assert "100 %" in share and "90 %" in share and "50 %" not in share


def test_a_point_lies_where_the_axes_say():
    drawing = plot("p", [Series("a", np.array([50.0, 100.0]), np.array([0.0, 1.0]), "accent")])
    (line,) = parsed(drawing).iter(f"{NAMESPACE}polyline")
    (x1, y1), (x2, y2) = (map(float, pair.split(",")) for pair in line.attrib["points"].split())
    (left, right), (top, bottom) = (52, drawing.width - 20), (34, drawing.height - 38)
    assert (x1, x2) == pytest.approx(((left + right) / 2, right), abs=0.1) and (y1, y2) == pytest.approx((bottom, top), abs=0.1)


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    steps = np.arange(1, 50_001, dtype=float)
    root = parsed(plot("p", [Series("a", steps, steps, "accent")]))
    (points,) = (line.attrib["points"].split() for line in root.iter(f"{NAMESPACE}polyline"))
    assert 100 < len(points) <= 400 and points[-1].startswith("474.0,")


# -- drawings


def test_texts_are_escaped_and_colours_are_those_of_the_theme():
    drawing = Drawing(100, 50, 'a "title" <b>')
    drawing.text(1, 2, "<script>'\"&\x1b\u202e", "dim")
    drawing.box(0, 0, 10, 10, "panel", 0.5, "accent")
    drawing.text(1, 2, 'style="fill:var(--accent)"')
    assert 'style="fill:var(--panel);stroke:var(--accent)"' in drawing.svg()
    root = ElementTree.fromstring(drawing.svg(DARK, 'Font "x"'))
    first, second = root.iter(f"{NAMESPACE}text")
    assert first.text == "<script>'\"&??" and first.attrib["fill"] == DARK.dim
    assert second.text == 'style="fill:var(--accent)"'
    (box,) = root.iter(f"{NAMESPACE}rect")
    assert (box.attrib["fill"], box.attrib["stroke"]) == (DARK.panel, DARK.accent)
    assert root.attrib["aria-label"] == 'a "title" <b>'


def test_a_line_is_broken_where_a_value_is_missing():
    drawing = Drawing(100, 100, "t")
    drawing.curve(np.arange(6.0), np.array([1.0, 2, np.nan, 3, np.inf, 5]), "accent")
    root = parsed(drawing)
    assert [line.attrib["points"] for line in root.iter(f"{NAMESPACE}polyline")] == ["0.0,1.0 1.0,2.0"]
    assert [(dot.attrib["cx"], dot.attrib["cy"]) for dot in root.iter(f"{NAMESPACE}circle")] == [("3.0", "3.0"), ("5.0", "5.0")]


def test_pixels_stay_sharp_squares(rng):
    for pixels in (rng.integers(0, 256, (28, 28, 1), np.uint8), rng.integers(0, 256, (8, 5, 3), np.uint8)):
        kind, content = png_uri(pixels, 56).split(",")
        assert kind == "data:image/png;base64"
        image = np.array(Image.open(io.BytesIO(base64.b64decode(content))))
        times = len(image) // len(pixels)
        assert times * max(pixels.shape[:2]) >= 112
        assert np.array_equal(image.reshape(*image.shape[:2], -1)[::times, ::times], pixels)


def test_long_names_are_cut_short_and_short_ones_are_not():
    drawing = Drawing(400, 20, "t")
    legend(drawing, 0, 10, 400, [("x" * 80, "accent"), ("y" * 80, "second")])
    assert all(text.endswith("…") and 10 < len(text) < 40 for text in texts(drawing))
    drawing = Drawing(400, 20, "t")
    legend(drawing, 0, 10, 400, [("how often it is right", "accent"), ("ideal", "second")])
    assert texts(drawing) == ["how often it is right", "ideal"]
    assert elided("abc", 0) == "…"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_drawn_with_its_layers_and_shapes(name):
    network = PRESETS[name].build()
    found = texts(network_drawing(network))
    for layer in network.summary():
        if layer.kind in ("conv", "linear", "pool"):
            assert layer.name in found and "×".join(map(str, layer.output_shape)) in found
    assert any(re.search(r"relu", text) for text in found)


def test_a_network_of_very_many_layers_is_cut_short_in_words():
    network = Network([Conv2d(2, 1) for _ in range(80)] + [Flatten(), Linear(10)], (4, 4, 1))
    assert f"… and {82 - MOST} more layers" in texts(network_drawing(network))


def test_a_confusion_matrix_has_names_and_counts():
    counts = np.array([[7, 2, 0], [0, 1234, 0], [0, 0, 0]])
    found = texts(confusion_drawing(counts, ["cat", "dog <b>", "x"]))
    assert [found.count(text) for text in ("cat", "x", "7", "2", "1,234")] == [2, 2, 1, 1, 1] and "0" not in found
    parsed(confusion_drawing(np.ones((62, 62), np.int64), [str(place) for place in range(62)]))


def test_pictures_stand_in_rows(rng):
    pictures = list(rng.integers(0, 256, (7, 28, 28, 1), np.uint8))
    drawing = picture_grid("t", pictures, [(str(place), "dim") for place in range(7)], 300)
    images = list(parsed(drawing).iter(f"{NAMESPACE}image"))
    assert [image.attrib["y"] for image in images] == ["0.0"] * 4 + ["80.0"] * 3
    assert drawing.height == 80 * 2 - 8


# -- filters


def test_the_filters_of_a_convolution_on_grey_images_show_their_signs():
    network = Network([Conv2d(2, 3), ReLU(), Flatten(), Linear(10)], (28, 28, 1))
    weights = network.parameters()["conv1.weight"].data
    weights[...] = 0
    weights[0, 1, 0, 0], weights[2, 2, 0, 1] = 2.0, -1.0
    found = first_filters(network, (28, 28, 1))
    assert (found.layer, found.most, found.is_grey, len(found.pictures)) == ("conv1", 2.0, True, 2)
    assert np.array_equal(found.pictures[0][0, 1], DIVERGING[255]) and np.array_equal(found.pictures[1][2, 2], DIVERGING[64])
    assert np.array_equal(found.pictures[0][1, 1], DIVERGING[128])


def test_the_filters_of_coloured_images_are_coloured():
    network = Network([Conv2d(4, 5, padding=2), MaxPool2d(2), Flatten(), Linear(10)], (32, 32, 3))
    found = first_filters(network, (32, 32, 3))
    assert not found.is_grey and [picture.shape for picture in found.pictures] == [(5, 5, 3)] * 4


def test_weights_that_are_no_images_are_no_filters():
    assert first_filters(Network([Linear(10)], (50,)), None) is None
    assert first_filters(Network([ReLU()], (50,)), None) is None
    assert first_filters(Network([Conv2d(4, 1), Flatten(), Linear(3)], (4, 4, 2)), None) is None
